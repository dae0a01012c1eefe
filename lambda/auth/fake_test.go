package auth_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// fault says what one call does and what its caller is told.
type fault int

const (
	none      fault = iota // done, reported done
	refused                // not done, reported failed
	lostReply              // done, reported failed
	repeated               // done, its reply lost, and repeated by the SDK
)

var errDown = errors.New("the table is down")

type item = map[string]types.AttributeValue

// table is a DynamoDB with one table in it, called "control".
type table struct {
	items   map[string]item
	fault   fault
	queries []*dynamodb.QueryInput
	gets    int
	scans   int
}

func newTable() *table { return &table{items: map[string]item{}} }

func word(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOf(it item, name string) string { return it[name].(*types.AttributeValueMemberS).Value }

func key(it item) string {
	return textOf(it, contract.PartitionKey) + "|" + textOf(it, contract.SortKey)
}

// down reports why a call cannot be made.
func (t *table) down(ctx context.Context, name *string, done bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.fault == refused && !done || t.fault == lostReply && done || aws.ToString(name) != "control" {
		return errDown
	}
	return nil
}

func (t *table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	t.gets++
	return &dynamodb.GetItemOutput{Item: t.items[key(in.Key)]}, t.down(ctx, in.TableName, false)
}

func (t *table) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	t.queries = append(t.queries, in)
	out := &dynamodb.QueryOutput{}
	for _, k := range slices.Sorted(maps.Keys(t.items)) {
		if strings.HasPrefix(k, in.ExpressionAttributeValues[":p"].(*types.AttributeValueMemberS).Value+"|") {
			out.Items = append(out.Items, t.items[k])
		}
	}
	return out, t.down(ctx, in.TableName, false)
}

func (t *table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := t.down(ctx, in.TableName, false); err != nil {
		return nil, err
	}
	_, exists := t.items[key(in.Item)]
	if exists && aws.ToString(in.ConditionExpression) == "attribute_not_exists(pk)" {
		return nil, &types.ConditionalCheckFailedException{}
	}
	t.items[key(in.Item)] = in.Item
	if t.fault == repeated && in.ConditionExpression != nil {
		return nil, &types.ConditionalCheckFailedException{}
	}
	return &dynamodb.PutItemOutput{}, t.down(ctx, in.TableName, true)
}

// Scan returns a page of one item that was looked at, as DynamoDB does even if
// the filter leaves it out.
func (t *table) Scan(ctx context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	t.scans++
	if err := t.down(ctx, in.TableName, false); err != nil {
		return nil, err
	}
	all := slices.Sorted(maps.Keys(t.items))
	at := 0
	if in.ExclusiveStartKey != nil {
		at = slices.Index(all, key(in.ExclusiveStartKey)) + 1
	}
	out := &dynamodb.ScanOutput{}
	if at >= len(all) {
		return out, nil
	}
	it := t.items[all[at]]
	out.LastEvaluatedKey = item{contract.PartitionKey: it[contract.PartitionKey], contract.SortKey: it[contract.SortKey]}
	if strings.HasPrefix(all[at], in.ExpressionAttributeValues[":p"].(*types.AttributeValueMemberS).Value) {
		out.Items = []item{it}
	}
	return out, nil
}

// reads is how often the table was asked for items that are named.
func (t *table) reads() int { return t.gets + len(t.queries) }

// set changes one attribute of the only item.
func (t *table) set(name string, v types.AttributeValue) {
	for _, it := range t.items {
		it[name] = v
	}
}

// random yields the same bytes in every test.
func random() io.Reader { return strings.NewReader(strings.Repeat("0123456789", 5)) }

// other yields bytes that are not those of [random].
func other() io.Reader { return strings.NewReader(strings.Repeat("9876543210", 5)) }
