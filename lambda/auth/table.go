package auth

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// DynamoDB is the part of the service that a [Table] uses. A dynamodb.Client is
// one.
type DynamoDB interface {
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

// Table is a [Store] in the replica of the control table that a client reaches.
type Table struct {
	client DynamoDB
	name   string
}

// NewTable returns the store in the table with the given name.
func NewTable(client DynamoDB, name string) *Table { return &Table{client: client, name: name} }

// Get implements [Store]. It reads consistently, as far as this replica goes: a
// revocation from another region arrives with replication.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
func (t *Table) Get(ctx context.Context, id string) (Record, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(t.name), Key: itemKey(id), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Record{}, fmt.Errorf("read an API key from table %s: %w", t.name, err)
	}
	if len(out.Item) == 0 {
		return Record{}, ErrNotFound
	}
	r, err := decode(out.Item)
	if err != nil {
		return Record{}, fmt.Errorf("read an API key from table %s: %w", t.name, err)
	}
	return r, nil
}

// Put implements [Store].
func (t *Table) Put(ctx context.Context, id string, r Record) error {
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String(t.name),
		Item:                encode(id, r),
		ConditionExpression: aws.String("attribute_not_exists(" + contract.PartitionKey + ")"),
	})
	var exists *types.ConditionalCheckFailedException
	if errors.As(err, &exists) {
		return ErrExists
	}
	if err != nil {
		return fmt.Errorf("write an API key to table %s: %w", t.name, err)
	}
	return nil
}

type item = map[string]types.AttributeValue

func itemKey(id string) item {
	return item{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.KeyPartition(id)},
		contract.SortKey:      &types.AttributeValueMemberS{Value: contract.KeySort},
	}
}

func encode(id string, r Record) item {
	it := itemKey(id)
	it[contract.AttrKeyHash] = &types.AttributeValueMemberS{Value: r.Hash}
	it[contract.AttrKeyTenant] = &types.AttributeValueMemberS{Value: r.Tenant}
	if r.Revoked {
		it[contract.AttrKeyRevoked] = &types.AttributeValueMemberBOOL{Value: true}
	}
	if !r.Expires.IsZero() {
		it[contract.AttrExpires] = &types.AttributeValueMemberN{Value: strconv.FormatInt(r.Expires.Unix(), 10)}
	}
	return it
}

// decode refuses an item of any other shape: one that it half understood might
// open more than it should.
func decode(it item) (Record, error) {
	var r Record
	hash, okHash := it[contract.AttrKeyHash].(*types.AttributeValueMemberS)
	tenant, okTenant := it[contract.AttrKeyTenant].(*types.AttributeValueMemberS)
	if !okHash || !okTenant || hash.Value == "" || tenant.Value == "" {
		return r, fmt.Errorf("its item lacks %s or %s", contract.AttrKeyHash, contract.AttrKeyTenant)
	}
	r.Hash, r.Tenant = hash.Value, tenant.Value
	if v, ok := it[contract.AttrKeyRevoked]; ok {
		b, isBool := v.(*types.AttributeValueMemberBOOL)
		if !isBool {
			return Record{}, fmt.Errorf("its %s is no boolean", contract.AttrKeyRevoked)
		}
		r.Revoked = b.Value
	}
	if v, ok := it[contract.AttrExpires]; ok {
		n, isNumber := v.(*types.AttributeValueMemberN)
		if !isNumber {
			return Record{}, fmt.Errorf("its %s is no number", contract.AttrExpires)
		}
		seconds, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return Record{}, fmt.Errorf("read its %s: %w", contract.AttrExpires, err)
		}
		r.Expires = time.Unix(seconds, 0)
	}
	return r, nil
}
