package dynamodb_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAWriteArrivesAfterTheLag(t *testing.T) {
	b, want := global(t), with(keyed("p", "s"), "text", str("hello"))
	b.put(t, home, want)
	assert.Equal(t, want, b.get(t, home, keyed("p", "s")), "at once where it was written")
	b.clock.Advance(dynamodb.ReplicationLag - time.Nanosecond)
	assert.Nil(t, b.get(t, far, keyed("p", "s")), "not before the lag")
	b.clock.Advance(time.Nanosecond)
	assert.Equal(t, want, b.get(t, far, keyed("p", "s")))
}

func TestTheLastWriterWins(t *testing.T) {
	tests := []struct {
		name          string
		first, second string // regions that write, in this order
		between       time.Duration
		want          string
	}{
		{"when the home writes last", far, home, time.Millisecond, home},
		{"when the replica writes last", home, far, time.Millisecond, far},
		{"the greater region of two at one instant", far, home, 0, far},
		{"the later of two that both have seen", far, home, time.Second, home},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := global(t)
			b.put(t, tt.first, with(keyed("p", "s"), "by", str(tt.first)))
			b.clock.Advance(tt.between)
			b.put(t, tt.second, with(keyed("p", "s"), "by", str(tt.second)))
			b.clock.Advance(dynamodb.ReplicationLag)
			for _, region := range []string{home, far} {
				assert.Equal(t, str(tt.want), b.get(t, region, keyed("p", "s"))["by"], region)
			}
		})
	}
}

func TestWritesOfOneRegionKeepTheirOrderWithinOneInstant(t *testing.T) {
	b := global(t)
	for _, text := range []string{"a", "b", "c"} {
		b.put(t, home, with(keyed("p", "s"), "text", str(text)))
	}
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.Equal(t, str("c"), b.get(t, far, keyed("p", "s"))["text"])
}

func TestALateWriteDoesNotReviveADeletedItem(t *testing.T) {
	b := global(t)
	b.put(t, home, keyed("p", "s"))
	b.clock.Advance(dynamodb.ReplicationLag)
	b.put(t, far, with(keyed("p", "s"), "text", str("new")))
	b.clock.Advance(100 * time.Millisecond)
	b.delete(t, home, keyed("p", "s")) // home has not seen the new text yet
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.Nil(t, b.get(t, home, keyed("p", "s")))
	assert.Nil(t, b.get(t, far, keyed("p", "s")))
}

func TestWhatChangesNothingIsNotReplicated(t *testing.T) {
	b, item := global(t), with(keyed("p", "s"), "text", str("hello"))
	b.put(t, far, item)
	b.clock.Advance(100 * time.Millisecond)
	b.delete(t, home, keyed("p", "s")) // home has not seen the item yet
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.Equal(t, item, b.get(t, home, keyed("p", "s")), "it arrives all the same")
	assert.Equal(t, item, b.get(t, far, keyed("p", "s")))

	b.put(t, far, with(keyed("p", "s"), "text", str("other")))
	b.put(t, home, item) // as it is there
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.Equal(t, str("other"), b.get(t, home, keyed("p", "s"))["text"])
	assert.Equal(t, str("other"), b.get(t, far, keyed("p", "s"))["text"])
}

func TestConditionsSeeTheLocalReplicaOnly(t *testing.T) {
	b := global(t)
	putNew := func(region string) error {
		_, err := b.client(region).PutItem(t.Context(), &sdk.PutItemInput{
			TableName: aws.String(tbl), Item: keyed("p", "s"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
		})
		return err
	}
	require.NoError(t, putNew(home))
	require.NoError(t, putNew(far), "the first write has not arrived")
	b.clock.Advance(dynamodb.ReplicationLag)
	refused(t, putNew(far), "ConditionalCheckFailedException", "The conditional request failed")
}

func TestANewReplicaStartsWithTheTable(t *testing.T) {
	b := global(t)
	b.put(t, home, keyed("p", "old"))
	b.put(t, far, keyed("p", "underway"))
	_, err := b.createReplica("eu-west-1", nil)
	require.NoError(t, err)
	assert.NotNil(t, b.get(t, "eu-west-1", keyed("p", "old")))
	b.put(t, home, with(keyed("p", "old"), "t", str("changed")))
	assert.Equal(t, keyed("p", "old"), b.get(t, "eu-west-1", keyed("p", "old")), "a copy of its own")
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.NotNil(t, b.get(t, "eu-west-1", keyed("p", "underway")), "what the table had yet to receive")
	b.put(t, "eu-west-1", keyed("p", "new"))
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.NotNil(t, b.get(t, far, keyed("p", "new")))
}

func TestARegionWithoutReplicaHasNoTable(t *testing.T) {
	b := global(t)
	_, err := b.client("eu-west-1").GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(tbl), Key: keyed("p", "s")})
	refused(t, err, "ResourceNotFoundException", "no replica in eu-west-1")
}

func TestExpiredItemsStayReadable(t *testing.T) {
	b := newBench(t)
	_, err := b.createTable(home, map[string]any{"ttl": map[string]any{"attributeName": "expiresAt", "enabled": true}})
	require.NoError(t, err)
	b.put(t, home, with(keyed("p", "s"), "expiresAt", num("1")))
	b.clock.Advance(time.Hour)
	assert.NotNil(t, b.get(t, home, keyed("p", "s")))
}
