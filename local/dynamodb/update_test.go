package dynamodb_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func updateOf(sk, expression string, values attrs) *sdk.UpdateItemInput {
	return &sdk.UpdateItemInput{
		TableName: aws.String(tbl), Key: keyed("p", sk), UpdateExpression: aws.String(expression), ExpressionAttributeValues: values,
	}
}

// TestUpdates of an item with n = 9 and t = text.
func TestUpdates(t *testing.T) {
	tests := []struct {
		expression string
		values     attrs
		want       attrs // of what is named
	}{
		{"SET t = :v", attrs{":v": str("new")}, attrs{"t": str("new")}},
		{"SET a = :v, b = n", attrs{":v": str("new")}, attrs{"a": str("new"), "b": num("9")}},
		{"SET n = n + :v", attrs{":v": num("0.5")}, attrs{"n": num("9.5")}},
		{"SET n = n - :v", attrs{":v": num("10")}, attrs{"n": num("-1")}},
		{"SET n = if_not_exists(n, :v)", attrs{":v": num("1")}, attrs{"n": num("9")}},
		{"SET c = if_not_exists(c, :z) + :v", attrs{":v": num("1"), ":z": num("0")}, attrs{"c": num("1")}},
		{"set n = t, t = n", nil, attrs{"n": str("text"), "t": num("9")}},
		{"SET n = n + :v", attrs{":v": num("999999999999999999")}, attrs{"n": num("1000000000000000008")}},
		{"SET n = n + :v", attrs{":v": num("9223372036854775807")}, attrs{"n": num("9223372036854775816")}},
		{"SET n = n - :v", attrs{":v": num("-9223372036854775808")}, attrs{"n": num("9223372036854775817")}},
		{"ADD n :v, c :v", attrs{":v": num("-2")}, attrs{"n": num("7"), "c": num("-2")}},
		{"SET t = :t ADD n :v", attrs{":v": num("1"), ":t": str("x")}, attrs{"t": str("x"), "n": num("10")}},
	}
	for _, tt := range tests {
		t.Run(tt.expression, func(t *testing.T) {
			b := global(t)
			before := with(with(keyed("p", "s"), "n", num("9")), "t", str("text"))
			b.put(t, home, before)
			in := updateOf("s", tt.expression, tt.values)
			in.ReturnValues = "UPDATED_NEW"
			out, err := b.client(home).UpdateItem(t.Context(), in)
			require.NoError(t, err)
			assert.Equal(t, tt.want, out.Attributes)
			after := before
			for name, v := range tt.want {
				after = with(after, name, v)
			}
			assert.Equal(t, after, b.get(t, home, keyed("p", "s")), "all else is as it was")
			b.clock.Advance(dynamodb.ReplicationLag)
			assert.Equal(t, after, b.get(t, far, keyed("p", "s")), "and replicated whole")
		})
	}
}

func TestAnUpdateMakesTheItem(t *testing.T) {
	b := global(t)
	in := updateOf("new", "ADD n :v", attrs{":v": num("3")})
	in.ReturnValues = "ALL_OLD"
	out, err := b.client(home).UpdateItem(t.Context(), in)
	require.NoError(t, err)
	assert.Empty(t, out.Attributes)
	in.ReturnValues = "UPDATED_OLD"
	out, err = b.client(home).UpdateItem(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, attrs{"n": num("3")}, out.Attributes)
	in.ReturnValues = "ALL_NEW"
	out, err = b.client(home).UpdateItem(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, with(keyed("p", "new"), "n", num("9")), out.Attributes)
}

func TestUpdatesRefuse(t *testing.T) {
	one := attrs{":v": num("1")}
	tests := []struct {
		name, expression string
		values           attrs
		want             string
	}{
		{"a key", "SET sk = :v", attrs{":v": str("x")}, "Cannot update attribute sk. This attribute is part of the key"},
		{"one attribute twice", "SET n = :v ADD n :v", one, "Two document paths overlap"},
		{"one section twice", "SET a = :v SET b = :v", one, `The "SET" section can only be used once`},
		{"a section that is not known", "REMOVE n", nil, `not "REMOVE"`},
		{"nothing", " ", nil, "can not be empty"},
		{"a section without actions", "SET", nil, "want an attribute name"},
		{"an action without value", "SET a =", nil, "want an attribute name"},
		{"an action without =", "SET a :v", one, `want "="`},
		{"a function that is not known", "SET a = list_append(a, :v)", one, `not "list_append"`},
		{"a default without comma", "SET a = if_not_exists(a :v)", one, `want ","`},
		{"a value that is not used", "SET a = n", one, "unused in expressions: keys: {:v}"},
		{"a value that is not there", "SET a = :w", nil, "not defined; attribute value: :w"},
		{"an attribute that is not there", "SET a = absent + :v", one, "refers to an attribute that does not exist in the item"},
		{"a sum with a text", "SET n = t + :v", one, "incorrect data type"},
		{"an addition to a text", "ADD t :v", one, "incorrect data type"},
		{"an addition of a text", "ADD n :v", attrs{":v": str("1")}, "operator: ADD, operand type: S"},
		{"a sum of 39 digits", "ADD n :v", attrs{":v": num("1e38")}, "more than 38 significant digits"},
		{"an item over 400 KB", "SET big = :v", attrs{":v": str(strings.Repeat("x", 400<<10))}, "Item size to update has exceeded"},
		{"a path", "SET m.x = :v", one, `want "="`},
	}
	b := global(t)
	before := with(with(keyed("p", "s"), "n", num("9")), "t", str("text"))
	b.put(t, home, before)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.client(home).UpdateItem(t.Context(), updateOf("s", tt.expression, tt.values))
			refused(t, err, "ValidationException", tt.want)
			assert.Equal(t, before, b.get(t, home, keyed("p", "s")), "nothing was done")
		})
	}
	in := updateOf("s", "ADD n :v", one)
	in.ReturnValues = types.ReturnValue("SOME")
	_, err := b.client(home).UpdateItem(t.Context(), in)
	refused(t, err, "ValidationException", "want one of [NONE ALL_OLD UPDATED_OLD ALL_NEW UPDATED_NEW]")
	in = updateOf("s", "ADD n :v", one)
	in.Key = attrs{"pk": str("p")}
	_, err = b.client(home).UpdateItem(t.Context(), in)
	refused(t, err, "ValidationException", "does not match the schema")
}

// TestUpdatesOfTwoRegionsAreNotMerged: the later one wins, with all its
// attributes.
func TestUpdatesOfTwoRegionsAreNotMerged(t *testing.T) {
	b := global(t)
	for _, region := range []string{home, far} {
		_, err := b.client(region).UpdateItem(t.Context(), updateOf("s", "ADD n :v", attrs{":v": num("1")}))
		require.NoError(t, err)
	}
	b.clock.Advance(dynamodb.ReplicationLag)
	for _, region := range []string{home, far} {
		assert.Equal(t, num("1"), b.get(t, region, keyed("p", "s"))["n"], region)
	}
}
