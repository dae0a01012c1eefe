package auth_test

import (
	"context"
	"errors"
	"io"
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
	items map[string]item
	fault fault
	gets  []*dynamodb.GetItemInput
}

func newTable() *table { return &table{items: map[string]item{}} }

func key(it item) string {
	return it[contract.PartitionKey].(*types.AttributeValueMemberS).Value + "|" +
		it[contract.SortKey].(*types.AttributeValueMemberS).Value
}

func (t *table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	t.gets = append(t.gets, in)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.fault == refused || aws.ToString(in.TableName) != "control" {
		return nil, errDown
	}
	return &dynamodb.GetItemOutput{Item: t.items[key(in.Key)]}, nil
}

func (t *table) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if t.fault == refused || aws.ToString(in.TableName) != "control" {
		return nil, errDown
	}
	_, exists := t.items[key(in.Item)]
	if exists && aws.ToString(in.ConditionExpression) == "attribute_not_exists(pk)" {
		return nil, &types.ConditionalCheckFailedException{}
	}
	t.items[key(in.Item)] = in.Item
	switch t.fault {
	case lostReply:
		return nil, errDown
	case repeated:
		return nil, &types.ConditionalCheckFailedException{}
	default:
		return &dynamodb.PutItemOutput{}, nil
	}
}

// set changes one attribute of the only item.
func (t *table) set(name string, v types.AttributeValue) {
	for _, it := range t.items {
		it[name] = v
	}
}

// random yields the same bytes in every test.
func random() io.Reader { return strings.NewReader(strings.Repeat("0123456789", 5)) }
