package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValuesComeBackAsTheyWent(t *testing.T) {
	b := global(t)
	want := attrs{
		"pk": str("p"), "sk": str("s"), "empty": str(""), "n": num("-12.5"),
		"quote \" and \\": str("a \"quoted\" \\ line\n\t<&>"), "näme": str("ä €\u2028\x7f"), "b": &types.AttributeValueMemberB{Value: []byte{0, 255}},
		"yes": &types.AttributeValueMemberBOOL{Value: true}, "no": &types.AttributeValueMemberBOOL{Value: false},
		"null": &types.AttributeValueMemberNULL{Value: true},
		"l":    &types.AttributeValueMemberL{Value: []types.AttributeValue{str("x"), &types.AttributeValueMemberM{Value: attrs{"y": num("1")}}}},
		"ss":   &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"ns":   &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"bs":   &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
	}
	b.put(t, home, want)
	assert.Equal(t, want, b.get(t, home, keyed("p", "s")))
}

func TestNumbersAreCanonical(t *testing.T) {
	tests := []struct{ in, want string }{
		{"007", "7"}, {"-0.0", "0"}, {"1.50", "1.5"}, {"+1e3", "1000"}, {"12E-4", "0.0012"}, {".5", "0.5"}, {"-100", "-100"}, {"123.4e1", "1234"},
		{"0", "0"}, {"10", "10"}, {strings.Repeat("9", 38), strings.Repeat("9", 38)}, {"1" + strings.Repeat("0", 40), "1" + strings.Repeat("0", 40)},
	}
	b := global(t)
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			b.put(t, home, with(keyed("p", tt.in), "n", num(tt.in)))
			assert.Equal(t, num(tt.want), b.get(t, home, keyed("p", tt.in))["n"])
		})
	}
}

func TestPutItemRefuses(t *testing.T) {
	deep := str("x")
	for range 32 {
		deep = &types.AttributeValueMemberL{Value: []types.AttributeValue{deep}}
	}
	tests := []struct {
		name string
		item attrs
		want string
	}{
		{"an item without sort key", attrs{"pk": str("p")}, "Missing the key sk"},
		{"a key of another type", attrs{"pk": str("p"), "sk": num("1")}, "Type mismatch for key sk expected: S actual: N"},
		{"an empty key", keyed("p", ""), "empty string or binary value. Key: sk"},
		{"a partition key over 2048 bytes", keyed(strings.Repeat("p", 2049), "s"), "Size of key pk"},
		{"a sort key over 1024 bytes", keyed("p", strings.Repeat("s", 1025)), "Size of key sk"},
		{"a number that is none", with(keyed("p", "s"), "n", num("1.2.3")), "cannot be converted to a numeric value"},
		{"an empty number", with(keyed("p", "s"), "n", num("")), "cannot be converted to a numeric value"},
		{"a number of 39 digits", with(keyed("p", "s"), "n", num(strings.Repeat("1", 39))), "more than 38 significant digits"},
		{"a number that is too large", with(keyed("p", "s"), "n", num("1e126")), "Number overflow"},
		{"a number that is too small", with(keyed("p", "s"), "n", num("1e-131")), "Number underflow"},
		{"an empty set", with(keyed("p", "s"), "ss", &types.AttributeValueMemberSS{Value: []string{}}), "may not be empty"},
		{"a set with duplicates", with(keyed("p", "s"), "ns", &types.AttributeValueMemberNS{Value: []string{"1", "1.0"}}), "contains duplicates"},
		{"a false null", with(keyed("p", "s"), "x", &types.AttributeValueMemberNULL{Value: false}), "must have the value of true"},
		{"an attribute without name", with(keyed("p", "s"), "", str("x")), "attribute name is empty"},
		{"lists that nest too deep", with(keyed("p", "s"), "x", deep), "Nesting Levels"},
	}
	b := global(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.client(home).PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(tbl), Item: tt.item})
			refused(t, err, "ValidationException", tt.want)
		})
	}
}

func TestItemSizeIsCountedAsDynamoDBDoes(t *testing.T) {
	b := global(t)
	fixed := with(with(with(with(keyed("p", "s"), // 2+1 + 2+1
		"n", num("-1234.5")), // 1 + 3 for five digits, 1, and the sign
		"y", &types.AttributeValueMemberNULL{Value: true}), // 1+1
		"l", &types.AttributeValueMemberL{Value: []types.AttributeValue{str("ab"), num("100")}}), // 1+3 + 1+2 + 1+2
		"m", &types.AttributeValueMemberM{Value: attrs{"k": &types.AttributeValueMemberSS{Value: []string{"a", "bc"}}}}) // 1+3 + 1+1+3
	fixed = with(fixed, "ns", &types.AttributeValueMemberNS{Value: []string{"1", "22"}}) // 2+2+2
	const size = 6 + 6 + 2 + 10 + 9 + 6
	room := 400<<10 - size - len("text")
	b.put(t, home, with(fixed, "text", str(strings.Repeat("x", room))))
	_, err := b.client(home).PutItem(t.Context(), &sdk.PutItemInput{
		TableName: aws.String(tbl), Item: with(fixed, "text", str(strings.Repeat("x", room+1))),
	})
	refused(t, err, "ValidationException", "Item size has exceeded the maximum allowed size: 409601 bytes")
}

func TestConditions(t *testing.T) {
	tests := []struct {
		expression string
		names      map[string]string
		holds      bool
		want       string // the refusal, when the expression is not known
	}{
		{"attribute_exists(pk)", nil, true, ""},
		{"attribute_not_exists(#h)", map[string]string{"#h": "hash"}, true, ""},
		{"attribute_exists(absent) OR attribute_exists(pk)", nil, true, ""},
		{"attribute_exists(pk) and attribute_not_exists(pk)", nil, false, ""},
		{"attribute_exists(pk) OR attribute_exists(a) AND attribute_exists(b)", nil, true, ""},
		{"attribute_exists(a) AND attribute_exists(b) OR attribute_exists(c)", nil, false, ""},
		{"pk = :v", nil, false, "not defined; attribute value: :v"},
		{"attribute_exists(pk) OR", nil, false, "want an attribute name"},
		{"(attribute_exists(pk))", nil, false, `this stand-in knows attribute_exists`},
		{"size(pk) > :v", nil, false, `not "size"`},
		{"NOT attribute_exists(pk)", nil, false, `not "NOT"`},
		{"attribute_exists(pk) attribute_exists(sk)", nil, false, `not "attribute_exists"`},
		{"attribute_exists(hash)", nil, false, "reserved keyword: hash"},
		{"attribute_exists(#h)", nil, false, "not defined; attribute name: #h"},
		{"attribute_exists(pk", nil, false, `want ")"`},
		{"attribute_exists[pk]", nil, false, `want "("`},
		{"attribute_exists(:v)", nil, false, "want an attribute name"},
		{"", nil, false, "can not be empty"},
		{"attribute_exists(pk) & x", nil, false, "Syntax error near"},
		{"attribute_exists(#)", nil, false, "Syntax error near"}, {"attribute_exists(#:x)", nil, false, "Syntax error near"},
		{"attribute_exists(1x)", nil, false, "want an attribute name"},
		{"attribute_exists(pk)", map[string]string{"#x": "x"}, false, "unused in expressions: keys: {#x}"},
		{strings.Repeat(" ", 4097), nil, false, "maximum allowed size"},
	}
	b := global(t)
	b.put(t, home, keyed("p", "s"))
	for _, tt := range tests {
		t.Run(tt.expression, func(t *testing.T) {
			_, err := b.client(home).PutItem(t.Context(), &sdk.PutItemInput{
				TableName: aws.String(tbl), Item: keyed("p", "s"),
				ConditionExpression: aws.String(tt.expression), ExpressionAttributeNames: tt.names,
			})
			switch {
			case tt.want != "":
				refused(t, err, "ValidationException", tt.want)
			case tt.holds:
				assert.NoError(t, err)
			default:
				refused(t, err, "ConditionalCheckFailedException", "")
			}
		})
	}
}

func TestWritesReturnTheOldItem(t *testing.T) {
	b := global(t)
	first := with(keyed("p", "s"), "text", str("first"))
	put, err := b.client(home).PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(tbl), Item: first, ReturnValues: "ALL_OLD"})
	require.NoError(t, err)
	assert.Empty(t, put.Attributes)
	put, err = b.client(home).PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(tbl), Item: keyed("p", "s"), ReturnValues: "ALL_OLD"})
	require.NoError(t, err)
	assert.Equal(t, first, put.Attributes)
	del, err := b.client(home).DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String(tbl), Key: keyed("p", "s"), ReturnValues: "ALL_OLD"})
	require.NoError(t, err)
	assert.Equal(t, keyed("p", "s"), del.Attributes)
	_, err = b.client(home).DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String(tbl), Key: keyed("p", "s"), ReturnValues: "ALL_NEW"})
	refused(t, err, "ValidationException", "want one of [NONE ALL_OLD]")
}

func TestDeleteItemChecksItsCondition(t *testing.T) {
	b := global(t)
	in := &sdk.DeleteItemInput{TableName: aws.String(tbl), Key: keyed("p", "s"), ConditionExpression: aws.String("attribute_exists(pk)")}
	_, err := b.client(home).DeleteItem(t.Context(), in)
	refused(t, err, "ConditionalCheckFailedException", "")
	b.put(t, home, keyed("p", "s"))
	_, err = b.client(home).DeleteItem(t.Context(), in)
	require.NoError(t, err)
	assert.Nil(t, b.get(t, home, keyed("p", "s")))
}

func TestGetItemProjects(t *testing.T) {
	b := global(t)
	b.put(t, home, with(with(keyed("p", "s"), "hash", str("h")), "text", str("long")))
	get := func(expression string, names map[string]string) (attrs, error) {
		out, err := b.client(home).GetItem(t.Context(), &sdk.GetItemInput{
			TableName: aws.String(tbl), Key: keyed("p", "s"),
			ProjectionExpression: aws.String(expression), ExpressionAttributeNames: names,
		})
		if err != nil {
			return nil, err
		}
		return out.Item, nil
	}
	item, err := get("pk, #h ,absent", map[string]string{"#h": "hash"})
	require.NoError(t, err)
	assert.Equal(t, attrs{"pk": str("p"), "hash": str("h")}, item)
	for expression, want := range map[string]string{
		"pk, pk": "overlap", "m.x": `not "."`, "l[0]": `not "["`, "pk,": "want an attribute name", "name": "reserved keyword: name",
	} {
		_, err := get(expression, nil)
		refused(t, err, "ValidationException", want)
	}
}

func TestKeysMustFitTheSchema(t *testing.T) {
	b := global(t)
	for _, key := range []attrs{{"pk": str("p")}, with(keyed("p", "s"), "x", str("y")), {"pk": str("p"), "sk": num("1")}, {"pk": str("p"), "x": str("s")}} {
		_, err := b.client(home).GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(tbl), Key: key})
		refused(t, err, "ValidationException", "does not match the schema")
		_, err = b.client(home).DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String(tbl), Key: key})
		refused(t, err, "ValidationException", "does not match the schema")
	}
}

func TestConsumedCapacity(t *testing.T) {
	b := global(t)
	big := with(keyed("p", "s"), "text", str(strings.Repeat("x", 4096)))
	put, err := b.client(home).PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(tbl), Item: big, ReturnConsumedCapacity: "TOTAL"})
	require.NoError(t, err)
	assert.EqualValues(t, 5, *put.ConsumedCapacity.CapacityUnits)
	for consistent, want := range map[bool]float64{true: 2, false: 1} {
		get, err := b.client(home).GetItem(t.Context(), &sdk.GetItemInput{
			TableName: aws.String(tbl), Key: keyed("p", "s"), ConsistentRead: &consistent, ReturnConsumedCapacity: "TOTAL",
		})
		require.NoError(t, err)
		assert.InDelta(t, want, *get.ConsumedCapacity.CapacityUnits, 0, fmt.Sprint(consistent))
	}
	_, err = b.client(home).GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(tbl), Key: keyed("p", "s"), ReturnConsumedCapacity: "INDEXES"})
	refused(t, err, "ValidationException", "knows NONE and TOTAL")
}
