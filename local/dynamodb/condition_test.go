package dynamodb_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestComparisons of attributes with values, on an item that has n, t and f.
func TestComparisons(t *testing.T) {
	yes := &types.AttributeValueMemberBOOL{Value: true}
	tests := []struct {
		expression string
		value      types.AttributeValue
		holds      bool
		want       string // the refusal, when AWS would not take the expression
	}{
		{"t = :v", str("text"), true, ""},
		{"t = :v", str("other"), false, ""},
		{"n = :v", num("9.0"), true, ""},
		{"n = :v", str("9"), false, ""},
		{"f = :v", yes, true, ""},
		{"absent = :v", str("text"), false, ""},
		{"absent <> :v", str("text"), true, ""},
		{"t <> :v", str("text"), false, ""},
		{"n < :v", num("10"), true, ""},
		{"n < :v", num("9"), false, ""},
		{"n <= :v", num("9"), true, ""},
		{"n > :v", num("8.5"), true, ""},
		{"n >= :v", num("9.5"), false, ""},
		{"n < :v", str("x"), false, ""},
		{"absent < :v", num("10"), false, ""},
		{"attribute_not_exists(absent) OR absent < :v", num("10"), true, ""},
		{"attribute_not_exists(n) OR n < :v", num("9"), false, ""},
		{"begins_with(t, :v)", str("te"), true, ""},
		{"begins_with(t, :v)", str("ex"), false, ""},
		{"begins_with(n, :v)", str("9"), false, ""},
		{"begins_with(absent, :v)", str("x"), false, ""},
		{"n < :v", yes, false, "operator or function: <, operand type: BOOL"},
		{"begins_with(t, :v)", num("1"), false, "operator or function: begins_with, operand type: N"},
		{"n < t OR n = :v", num("1"), false, "not defined; attribute value: t"},
		{"n IN :v", num("1"), false, `not "IN"`},
		{":v = n", num("1"), false, "want an attribute name"},
		{"begins_with(t :v)", str("te"), false, `want ","`},
	}
	b := global(t)
	b.put(t, home, with(with(with(keyed("p", "s"), "n", num("9")), "t", str("text")), "f", yes))
	for _, tt := range tests {
		t.Run(tt.expression, func(t *testing.T) {
			_, err := b.client(home).UpdateItem(t.Context(), &sdk.UpdateItemInput{
				TableName: aws.String(tbl), Key: keyed("p", "s"),
				ConditionExpression: aws.String(tt.expression), ExpressionAttributeValues: attrs{":v": tt.value},
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

func TestAFailedConditionReturnsTheItemIfAsked(t *testing.T) {
	b := global(t)
	there := with(keyed("p", "s"), "t", str("first"))
	b.put(t, home, there)
	in := &sdk.PutItemInput{
		TableName: aws.String(tbl), Item: keyed("p", "s"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
	}
	for which, want := range map[types.ReturnValuesOnConditionCheckFailure]attrs{"": nil, "NONE": nil, "ALL_OLD": there} {
		in.ReturnValuesOnConditionCheckFailure = which
		_, err := b.client(home).PutItem(t.Context(), in)
		var failed *types.ConditionalCheckFailedException
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, want, failed.Item, which)
	}
	in.ReturnValuesOnConditionCheckFailure = "ALL_NEW"
	_, err := b.client(home).PutItem(t.Context(), in)
	refused(t, err, "ValidationException", "want NONE or ALL_OLD")

	_, err = b.client(home).DeleteItem(t.Context(), &sdk.DeleteItemInput{
		TableName: aws.String(tbl), Key: keyed("p", "none"), ConditionExpression: aws.String("attribute_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: "ALL_OLD",
	})
	var failed *types.ConditionalCheckFailedException
	require.True(t, errors.As(err, &failed))
	assert.Empty(t, failed.Item, "there is none")
}
