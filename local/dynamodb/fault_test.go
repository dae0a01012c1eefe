package dynamodb_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (b *bench) tryPut(ctx context.Context, region string, item attrs) error {
	_, err := b.client(region).PutItem(ctx, &sdk.PutItemInput{TableName: aws.String(tbl), Item: item})
	return err
}

func TestAFaultRefusesEveryCallOfItsRegion(t *testing.T) {
	b := global(t)
	for _, code := range []string{"ServiceUnavailable", "InternalServerError", "ThrottlingException"} {
		b.SetFault(far, &dynamodb.Fault{Code: code})
		refused(t, b.tryPut(t.Context(), far, keyed("p", "s")), code, "made to fail")
		_, err := b.client(far).Query(t.Context(), queryOf("pk = :p"))
		refused(t, err, code, "made to fail")
		b.put(t, home, keyed("q", "s"))
	}
	b.SetFault(far, nil)
	assert.Nil(t, b.get(t, far, keyed("p", "s")), "nothing was done")
}

func TestAFaultRefusesTheOperationsItNames(t *testing.T) {
	b := global(t)
	b.SetFault(far, &dynamodb.Fault{Code: "ServiceUnavailable", Operations: []string{"PutItem"}})
	refused(t, b.tryPut(t.Context(), far, keyed("p", "s")), "ServiceUnavailable", "made to fail")
	assert.Nil(t, b.get(t, far, keyed("p", "s")), "it answers, and nothing was done")
}

func TestASlowRegionAnswersAfterItsDelay(t *testing.T) {
	b := global(t)
	b.SetFault(home, &dynamodb.Fault{Delay: time.Minute})
	done := make(chan error)
	go func() { done <- b.tryPut(t.Context(), home, keyed("p", "s")) }()
	require.NoError(t, b.clock.AwaitSleepers(t.Context(), 1))
	b.clock.Advance(time.Minute)
	require.NoError(t, <-done)
	b.SetFault(home, nil)
	assert.NotNil(t, b.get(t, home, keyed("p", "s")))
}

func TestASlowRegionDoesNothingForWhoHasGone(t *testing.T) {
	b := global(t)
	b.SetFault(home, &dynamodb.Fault{Delay: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"TableName":"conversations","Item":{"pk":{"S":"p"},"sk":{"S":"s"}}}`))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	b.ServeAWS(httptest.NewRecorder(), r, cloud.Caller{ARN: "arn:role", Region: home})
	b.SetFault(home, nil)
	assert.Nil(t, b.get(t, home, keyed("p", "s")))
}

func TestALostReplyIsOfAWriteThatWasDone(t *testing.T) {
	b := global(t)
	b.SetFault(home, &dynamodb.Fault{LostReplies: 2})
	assert.Nil(t, b.get(t, home, keyed("p", "s")), "reads are answered")
	refused(t, b.tryPut(t.Context(), home, keyed("p", "s")), "InternalServerError", "the reply is lost")
	assert.NotNil(t, b.get(t, home, keyed("p", "s")))
	refused(t, b.tryPut(t.Context(), home, attrs{"pk": str("p")}), "ValidationException", "")
	_, err := b.client(home).DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String(tbl), Key: keyed("p", "s")})
	refused(t, err, "InternalServerError", "the reply is lost")
	assert.Nil(t, b.get(t, home, keyed("p", "s")), "what was refused has cost no reply")
	b.put(t, home, keyed("p", "s"))
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.NotNil(t, b.get(t, far, keyed("p", "s")))
}

// third adds a replica to the two of [global].
const third = "eu-west-1"

func TestACutLinkHoldsWritesUntilItHeals(t *testing.T) {
	b := global(t)
	_, err := b.createReplica(third, nil)
	require.NoError(t, err)
	b.put(t, home, keyed("p", "before"))
	b.clock.Advance(dynamodb.ReplicationLag)
	b.Cut(far, home)
	assert.NotNil(t, b.get(t, far, keyed("p", "before")), "what had arrived stays")
	b.put(t, third, keyed("p", "aside"))
	for _, text := range []string{"first", "last"} {
		b.put(t, home, with(keyed("p", "s"), "t", str(text)))
	}
	b.put(t, far, keyed("p", "back"))
	b.clock.Advance(dynamodb.ReplicationLag)
	assert.Nil(t, b.get(t, far, keyed("p", "s")), "nothing passes")
	assert.Nil(t, b.get(t, home, keyed("p", "back")), "in either direction")
	assert.NotNil(t, b.get(t, far, keyed("p", "aside")), "what came by another link has not waited")
	assert.NotNil(t, b.get(t, third, keyed("p", "s")), "other links are open")
	assert.NotNil(t, b.get(t, third, keyed("p", "back")))
	b.Heal(home, far)
	assert.Equal(t, str("last"), b.get(t, far, keyed("p", "s"))["t"], "in the order in which it was written")
	assert.NotNil(t, b.get(t, home, keyed("p", "back")))
}

func TestAnIsolatedRegionCatchesUp(t *testing.T) {
	b := global(t)
	b.put(t, home, keyed("p", "before"))
	b.clock.Advance(dynamodb.ReplicationLag)
	b.SetFault(far, &dynamodb.Fault{Isolated: true})
	assert.NotNil(t, b.get(t, far, keyed("p", "before")), "what had arrived stays")
	b.put(t, home, keyed("p", "out"))
	b.put(t, far, keyed("p", "in"))
	b.clock.Advance(time.Hour)
	assert.Nil(t, b.get(t, far, keyed("p", "out")))
	assert.Nil(t, b.get(t, home, keyed("p", "in")))
	b.SetFault(far, nil)
	assert.NotNil(t, b.get(t, far, keyed("p", "out")))
	assert.NotNil(t, b.get(t, home, keyed("p", "in")))
}
