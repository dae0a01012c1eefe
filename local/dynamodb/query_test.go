package dynamodb_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// letters returns a bench with items a to e in partition p, and one elsewhere.
func letters(t *testing.T) *bench {
	b := global(t)
	for _, sk := range []string{"c", "a", "e", "b", "d"} {
		b.put(t, home, with(keyed("p", sk), "text", str("t"+sk)))
	}
	b.put(t, home, keyed("q", "a"))
	b.put(t, home, keyed("p", "gone"))
	b.delete(t, home, keyed("p", "gone"))
	return b
}

func queryOf(expression string, values ...string) *sdk.QueryInput {
	in := &sdk.QueryInput{
		TableName: aws.String(tbl), KeyConditionExpression: aws.String(expression),
		ExpressionAttributeValues: attrs{":p": str("p")},
	}
	for i, v := range values {
		in.ExpressionAttributeValues[fmt.Sprint(":", string(rune('a'+i)))] = str(v)
	}
	return in
}

func text(i attrs, name string) string { return i[name].(*types.AttributeValueMemberS).Value }

func sortKeys(items []map[string]types.AttributeValue) string {
	var keys strings.Builder
	for _, i := range items {
		keys.WriteString(text(i, "sk"))
	}
	return keys.String()
}

func TestQueryConditions(t *testing.T) {
	tests := []struct {
		in   *sdk.QueryInput
		want string
	}{
		{queryOf("pk = :p"), "abcde"},
		{queryOf("pk = :p AND sk = :a", "c"), "c"},
		{queryOf("pk = :p AND sk < :a", "c"), "ab"},
		{queryOf("pk = :p AND sk <= :a", "c"), "abc"},
		{queryOf("pk = :p AND sk > :a", "c"), "de"},
		{queryOf("pk = :p and sk >= :a", "c"), "cde"},
		{queryOf("pk = :p AND sk BETWEEN :a AND :b", "b", "d"), "bcd"},
		{queryOf("pk = :p AND begins_with(sk, :a)", "d"), "d"},
		{queryOf("sk > :a AND pk = :p", "d"), "e"},
		{queryOf("pk=:p AND sk = :a", "x"), ""},
	}
	b := letters(t)
	for _, tt := range tests {
		t.Run(*tt.in.KeyConditionExpression, func(t *testing.T) {
			out, err := b.client(home).Query(t.Context(), tt.in)
			require.NoError(t, err)
			assert.Equal(t, tt.want, sortKeys(out.Items))
			assert.EqualValues(t, len(tt.want), out.Count)
			assert.EqualValues(t, len(tt.want), out.ScannedCount)
			assert.Nil(t, out.LastEvaluatedKey)
		})
	}
}

func TestQueryRefuses(t *testing.T) {
	change := func(in *sdk.QueryInput, f func(*sdk.QueryInput)) *sdk.QueryInput {
		f(in)
		return in
	}
	start := func(key attrs) *sdk.QueryInput {
		return change(queryOf("pk = :p AND sk < :a", "c"), func(in *sdk.QueryInput) { in.ExclusiveStartKey = key })
	}
	tests := []struct {
		name string
		in   *sdk.QueryInput
		want string
	}{
		{"a query without partition key", queryOf("sk = :p"), "missed key schema element: pk"},
		{"a range of partitions", queryOf("pk > :p"), "the partition key takes = alone"},
		{"a condition on another attribute", queryOf("pk = :p AND x = :a", "v"), "x is not the sort key"},
		{"two conditions on the sort key", queryOf("pk = :p AND sk > :a AND sk < :b", "v", "w"), `not "AND"`},
		{"an operator that keys do not take", queryOf("pk = :p AND sk <> :a", "v"), "Invalid operator"},
		{"a bound that is not there", queryOf("pk = :p AND sk = :a"), "not defined; attribute value: :a"},
		{"a range without AND", queryOf("pk = :p AND sk BETWEEN :a, :b", "v", "w"), `want "AND"`},
		{"a range upside down", queryOf("pk = :p AND sk BETWEEN :a AND :b", "w", "v"), "upper bound"},
		{"a prefix without comma", queryOf("pk = :p AND begins_with(sk :a)", "v"), `want ","`},
		{"an empty bound", queryOf("pk = :p AND sk = :a", ""), "cannot contain an empty string"},
		{"a bound of another type", change(queryOf("pk = :p AND sk = :a"), func(in *sdk.QueryInput) {
			in.ExpressionAttributeValues[":a"] = num("1")
		}), "does not match schema type"},
		{"a value that is not used", queryOf("pk = :p", "v"), "unused in expressions: keys: {:a}"},
		{"a limit of 0", change(queryOf("pk = :p"), func(in *sdk.QueryInput) { in.Limit = aws.Int32(0) }), "'limit'"},
		{"a start in another partition", start(keyed("q", "a")), "outside query boundaries"},
		{"a start outside the range", start(keyed("p", "d")), "outside query boundaries"},
		{"a start that is no key", start(attrs{"pk": str("p")}), "starting key is invalid"},
		{"a filter", change(queryOf("pk = :p"), func(in *sdk.QueryInput) { in.FilterExpression = aws.String("x") }), `"FilterExpression" of Query is not known`},
		{"an index", change(queryOf("pk = :p"), func(in *sdk.QueryInput) { in.IndexName = aws.String("idx") }), `"IndexName" of Query is not known`},
		{"a projection of a path", change(queryOf("pk = :p"), func(in *sdk.QueryInput) { in.ProjectionExpression = aws.String("a.b") }), `not "."`},
	}
	b := letters(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.client(home).Query(t.Context(), tt.in)
			refused(t, err, "ValidationException", tt.want)
		})
	}
}

func TestQueryPages(t *testing.T) {
	tests := []struct {
		name    string
		forward bool
		want    []string
	}{
		{"forward", true, []string{"ab", "cd", "e"}},
		{"backward", false, []string{"ed", "cb", "a"}},
	}
	b := letters(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := queryOf("pk = :p")
			in.Limit, in.ScanIndexForward = aws.Int32(2), &tt.forward
			var pages []string
			for p := sdk.NewQueryPaginator(b.client(home), in); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				require.NoError(t, err)
				pages = append(pages, sortKeys(out.Items))
			}
			assert.Equal(t, tt.want, pages)
		})
	}
}

func TestALimitReachedReturnsAKeyEvenAtTheEnd(t *testing.T) {
	in := queryOf("pk = :p")
	in.Limit = aws.Int32(5)
	b := letters(t)
	out, err := b.client(home).Query(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, keyed("p", "e"), out.LastEvaluatedKey)
	in.ExclusiveStartKey = out.LastEvaluatedKey
	out, err = b.client(home).Query(t.Context(), in)
	require.NoError(t, err)
	assert.Empty(t, out.Items)
	assert.Nil(t, out.LastEvaluatedKey)
}

func TestAPageEndsAtOneMegabyte(t *testing.T) {
	b := global(t)
	for _, sk := range []string{"a", "b", "c"} {
		b.put(t, home, with(keyed("p", sk), "text", str(strings.Repeat("x", 390<<10))))
	}
	in := queryOf("pk = :p")
	in.ProjectionExpression, in.ReturnConsumedCapacity, in.ConsistentRead = aws.String("sk"), "TOTAL", aws.Bool(true)
	out, err := b.client(home).Query(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, "ab", sortKeys(out.Items), "a projection does not make the page larger")
	assert.Len(t, out.Items[0], 1)
	assert.Equal(t, keyed("p", "b"), out.LastEvaluatedKey)
	assert.InDelta(t, 196, *out.ConsumedCapacity.CapacityUnits, 0)
}

func TestNumbersSortAsNumbers(t *testing.T) {
	b := newBench(t)
	_, err := b.createTable(home, map[string]any{"attributes": []any{attribute("pk", "B"), attribute("sk", "N")}})
	require.NoError(t, err)
	pk := &types.AttributeValueMemberB{Value: []byte("p")}
	for _, n := range []string{"10", "9", "-1", "9.5"} {
		b.put(t, home, attrs{"pk": pk, "sk": num(n)})
	}
	b.iam.asked = nil
	out, err := b.client(home).Query(t.Context(), &sdk.QueryInput{
		TableName: aws.String(tbl), KeyConditionExpression: aws.String("#p = :p"),
		ExpressionAttributeNames: map[string]string{"#p": "pk"}, ExpressionAttributeValues: attrs{":p": pk},
	})
	require.NoError(t, err)
	var got []string
	for _, i := range out.Items {
		got = append(got, i["sk"].(*types.AttributeValueMemberN).Value)
	}
	assert.Equal(t, []string{"-1", "9", "9.5", "10"}, got)
	assert.True(t, slices.Contains(b.iam.asked, "dynamodb:Query on arn:aws:dynamodb:us-east-1:123456789012:table/conversations for cA=="), b.iam.asked)

	_, err = b.client(home).Query(t.Context(), &sdk.QueryInput{
		TableName: aws.String(tbl), KeyConditionExpression: aws.String("pk = :p AND begins_with(sk, :n)"),
		ExpressionAttributeValues: attrs{":p": pk, ":n": num("9")},
	})
	refused(t, err, "ValidationException", "begins_with, operand type: N")
}

func TestATableWithoutSortKeyHasOneItemAPartition(t *testing.T) {
	b := newBench(t)
	_, err := b.createTable(home, map[string]any{"rangeKey": nil, "attributes": []any{attribute("pk", "S")}})
	require.NoError(t, err)
	b.put(t, home, attrs{"pk": str("p"), "x": str("old")})
	b.put(t, home, attrs{"pk": str("p"), "x": str("new")})
	in := queryOf("pk = :p")
	in.Limit = aws.Int32(1)
	out, err := b.client(home).Query(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, out.Items, 1)
	assert.Equal(t, str("new"), out.Items[0]["x"])
	in.ExclusiveStartKey = out.LastEvaluatedKey
	out, err = b.client(home).Query(t.Context(), in)
	require.NoError(t, err)
	assert.Empty(t, out.Items)
}

// TestPagesTogetherAreTheRange reads random ranges of a partition that was
// written without an order, page by page in either direction.
func TestPagesTogetherAreTheRange(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	letter := func() string { return string(rune('a' + random.IntN(26))) }
	b := global(t)
	there := map[string]bool{}
	for range 60 {
		sk := letter() + letter()
		b.put(t, home, keyed("p", sk))
		if there[sk] = random.IntN(4) > 0; !there[sk] {
			b.delete(t, home, keyed("p", sk))
		}
	}
	for range 60 {
		from := letter()
		to := from + letter()
		conditions := map[string]func(sk string) bool{
			"sk < :b": func(sk string) bool { return sk < to }, "sk <= :b": func(sk string) bool { return sk <= to },
			"sk > :b": func(sk string) bool { return sk > to }, "sk >= :b": func(sk string) bool { return sk >= to },
			"begins_with(sk, :b)": func(sk string) bool { return strings.HasPrefix(sk, to) }, "sk = :b": func(sk string) bool { return sk == to },
			"sk BETWEEN :a AND :b": func(sk string) bool { return from <= sk && sk <= to },
		}
		for _, condition := range slices.Sorted(maps.Keys(conditions)) {
			holds := conditions[condition]
			var want []string
			for _, sk := range slices.Sorted(maps.Keys(there)) {
				if there[sk] && holds(sk) {
					want = append(want, sk)
				}
			}
			in := queryOf("pk = :p AND "+condition, from, to)
			if !strings.Contains(condition, ":a") {
				delete(in.ExpressionAttributeValues, ":a")
			}
			forward := random.IntN(2) == 0
			if !forward {
				slices.Reverse(want)
			}
			in.ScanIndexForward, in.Limit = &forward, aws.Int32(1+random.Int32N(5))
			var got []string
			for p := sdk.NewQueryPaginator(b.client(home), in); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				require.NoError(t, err)
				for _, i := range out.Items {
					got = append(got, text(i, "sk"))
				}
			}
			assert.Equal(t, want, got, "%s, from %s to %s, forward: %t", condition, from, to, forward)
		}
	}
}
