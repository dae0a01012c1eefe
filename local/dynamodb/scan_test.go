package dynamodb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scanAll reads all pages and returns the keys of what was found.
func (b *bench) scanAll(t *testing.T, in *sdk.ScanInput) (keys []string, pages int) {
	t.Helper()
	in.TableName = aws.String(tbl)
	for {
		out, err := b.client(home).Scan(t.Context(), in)
		require.NoError(t, err)
		for _, i := range out.Items {
			keys = append(keys, fmt.Sprint(text(i, "pk"), "/", text(i, "sk")))
		}
		if pages++; out.LastEvaluatedKey == nil {
			return keys, pages
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func TestAScanFindsEveryItemOnce(t *testing.T) {
	b := global(t)
	var want []string
	for _, pk := range []string{"p", "q", "r"} {
		for _, sk := range []string{"a", "b"} {
			b.put(t, home, keyed(pk, sk))
			want = append(want, pk+"/"+sk)
		}
	}
	b.put(t, home, keyed("p", "gone"))
	b.delete(t, home, keyed("p", "gone"))
	for limit, pages := range map[int32]int{1: 7, 4: 2, 6: 2, 100: 1} {
		keys, n := b.scanAll(t, &sdk.ScanInput{Limit: aws.Int32(limit)})
		slices.Sort(keys)
		assert.Equal(t, want, keys, limit)
		assert.Equal(t, pages, n, limit)
	}
}

func TestAScanGoesOnBehindAnItemThatIsGone(t *testing.T) {
	b := letters(t)
	in := &sdk.ScanInput{TableName: aws.String(tbl), Limit: aws.Int32(1)}
	var seen int
	for {
		out, err := b.client(home).Scan(t.Context(), in)
		require.NoError(t, err)
		for _, i := range out.Items {
			b.delete(t, home, keyed(text(i, "pk"), text(i, "sk")))
			seen++
		}
		if out.LastEvaluatedKey == nil {
			break
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	assert.Equal(t, 6, seen)
}

// TestAFilterDoesNotMakeThePageLarger: what it leaves out has been read.
func TestAFilterDoesNotMakeThePageLarger(t *testing.T) {
	b := global(t)
	for i := range 6 {
		b.put(t, home, with(keyed(fmt.Sprint("p", i%2), fmt.Sprint(i)), "text", str(strings.Repeat("x", 390<<10))))
	}
	in := &sdk.ScanInput{
		TableName: aws.String(tbl), FilterExpression: aws.String("begins_with(pk, :p)"), ExpressionAttributeValues: attrs{":p": str("p1")},
		ProjectionExpression: aws.String("pk, sk"), ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: "TOTAL",
	}
	out, err := b.client(home).Scan(t.Context(), in)
	require.NoError(t, err)
	assert.EqualValues(t, 2, out.ScannedCount)
	assert.NotNil(t, out.LastEvaluatedKey)
	assert.InDelta(t, 196, *out.ConsumedCapacity.CapacityUnits, 0)
	keys, pages := b.scanAll(t, in)
	slices.Sort(keys)
	assert.Equal(t, []string{"p1/1", "p1/3", "p1/5"}, keys)
	assert.Equal(t, 3, pages)
}

func TestScanRefuses(t *testing.T) {
	tests := []struct {
		name string
		in   sdk.ScanInput
		want string
	}{
		{"a limit of 0", sdk.ScanInput{Limit: aws.Int32(0)}, "'limit'"},
		{"a start that is no key", sdk.ScanInput{ExclusiveStartKey: attrs{"pk": str("p")}}, "starting key is invalid"},
		{"a filter that is not known", sdk.ScanInput{FilterExpression: aws.String("contains(pk, :v)"), ExpressionAttributeValues: attrs{":v": str("x")}}, `Invalid FilterExpression: this stand-in knows`},
		{"a projection of a path", sdk.ScanInput{ProjectionExpression: aws.String("a.b")}, `not "."`},
		{"a value that is not used", sdk.ScanInput{ExpressionAttributeValues: attrs{":v": str("x")}}, "unused in expressions"},
		{"an index", sdk.ScanInput{IndexName: aws.String("idx")}, `"IndexName" of Scan is not known`},
		{"segments", sdk.ScanInput{Segment: aws.Int32(0), TotalSegments: aws.Int32(2)}, `of Scan is not known`},
	}
	b := global(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.TableName = aws.String(tbl)
			_, err := b.client(home).Scan(t.Context(), &tt.in)
			refused(t, err, "ValidationException", tt.want)
		})
	}
}
