package bench_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/local/bench"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func put(t *testing.T, l *bench.Ledger, sort string, bytes int) {
	t.Helper()
	it := bench.Item{"pk": text("a"), "sk": text(sort), "b": &types.AttributeValueMemberB{Value: make([]byte, bytes)}}
	_, err := l.PutItem(t.Context(), &dynamodb.PutItemInput{Item: it})
	require.NoError(t, err)
}

func TestItemBytes(t *testing.T) {
	tests := []struct {
		name string
		item bench.Item
		want int
	}{
		{"names count", bench.Item{"abc": text("")}, 3},
		{"texts count in bytes", bench.Item{"a": text("é")}, 3},
		{"two digits of a number are a byte, and one more", bench.Item{"a": &types.AttributeValueMemberN{Value: "12345"}}, 5},
		{"bytes", bench.Item{"a": &types.AttributeValueMemberB{Value: make([]byte, 7)}}, 8},
		{"a flag is one", bench.Item{"a": &types.AttributeValueMemberBOOL{Value: true}}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, bench.ItemBytes(tt.item)) })
	}
}

func TestWritesAreBilledInEveryRegion(t *testing.T) {
	l := bench.NewLedger(3)
	put(t, l, "x", 1500)
	_, writes, calls := l.Billed()
	assert.InDelta(t, 6, writes, 0)
	assert.Equal(t, 1, calls)
	_, err := l.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{Key: bench.Item{"pk": text("a"), "sk": text("x")}})
	require.NoError(t, err)
	_, writes, _ = l.Billed()
	assert.InDelta(t, 12, writes, 0)
	got, err := l.GetItem(t.Context(), &dynamodb.GetItemInput{Key: bench.Item{"pk": text("a"), "sk": text("x")}})
	require.NoError(t, err)
	assert.Empty(t, got.Item)
}

// sorts reads all pages of a range and returns the sort keys.
func sorts(t *testing.T, l *bench.Ledger, from, to string, backward bool) []string {
	t.Helper()
	in := &dynamodb.QueryInput{ScanIndexForward: aws.Bool(!backward),
		ExpressionAttributeValues: bench.Item{":p": text("a"), ":from": text(from), ":to": text(to)}}
	var got []string
	for {
		out, err := l.Query(t.Context(), in)
		require.NoError(t, err)
		for _, it := range out.Items {
			got = append(got, it["sk"].(*types.AttributeValueMemberS).Value)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return got
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func TestQueries(t *testing.T) {
	l := bench.NewLedger(2)
	for i := range 9 {
		put(t, l, fmt.Sprint((i*4)%9), 300_000)
	}
	assert.Equal(t, strings.Split("2345678", ""), sorts(t, l, "2", "8", false), "over three pages")
	assert.Equal(t, strings.Split("8765432", ""), sorts(t, l, "2", "8", true))
	reads, _, calls := l.Billed()
	assert.InDelta(t, 2*7*300_000/4096.0, reads, 10)
	assert.Equal(t, 9+4, calls)
}
