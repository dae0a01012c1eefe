package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// DynamoDB is the part of the service that a [Table] uses. A dynamodb.Client is
// one. To verify credentials takes Query only, to read limits GetItem.
type DynamoDB interface {
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// Table is a [Store], a [Reader] and [Tenants] in the replica of the control
// table that a client reaches.
type Table struct {
	client DynamoDB
	name   string
}

// NewTable returns the store in the table with the given name.
func NewTable(client DynamoDB, name string) *Table { return &Table{client: client, name: name} }

// Get implements [Store] and [Reader]. It reads consistently, as far as this
// replica goes: a revocation from another region arrives with replication.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
func (t *Table) Get(ctx context.Context, id string) (Record, error) {
	out, err := t.client.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String(t.name), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String(contract.PartitionKey + " = :p"),
		ExpressionAttributeValues: item{":p": text(contract.KeyPartition(id))},
	})
	if err != nil {
		return Record{}, fmt.Errorf("read an API key from table %s: %w", t.name, err)
	}
	r, found, revoked := Record{}, false, false
	for _, it := range out.Items {
		switch sortKey(it) {
		case contract.RevokedSort:
			revoked = true
		case contract.KeySort:
			found = true
			if r, err = decode(it); err != nil {
				return Record{}, fmt.Errorf("read an API key from table %s: %w", t.name, err)
			}
		}
	}
	if !found {
		return Record{}, ErrNotFound
	}
	r.Revoked = revoked
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

// Revoke implements [Store], by an item of its own beside the key's: the last
// writer of an item wins in a global table, and nothing else writes this one.
func (t *Table) Revoke(ctx context.Context, id string) error {
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(t.name), Item: itemKey(contract.KeyPartition(id), contract.RevokedSort),
	})
	if err != nil {
		return fmt.Errorf("write a revocation to table %s: %w", t.name, err)
	}
	return nil
}

// List implements [Store].
func (t *Table) List(ctx context.Context) ([]Key, error) {
	var keys []Key
	revoked := map[string]bool{}
	err := t.scan(ctx, contract.KeyPrefix, func(id string, it item) error {
		switch sortKey(it) {
		case contract.RevokedSort:
			revoked[id] = true
		case contract.KeySort:
			r, err := decode(it)
			if err != nil {
				return err
			}
			keys = append(keys, Key{ID: id, Grant: r.Grant})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, k := range keys {
		keys[i].Revoked = revoked[k.ID]
	}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Compare(a.ID, b.ID) })
	return keys, nil
}

// Tenant implements [Tenants].
func (t *Table) Tenant(ctx context.Context, name string) (Limits, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(t.name), Key: itemKey(contract.TenantPartition(name), contract.TenantSort), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Limits{}, fmt.Errorf("read a tenant from table %s: %w", t.name, err)
	}
	if len(out.Item) == 0 {
		return Limits{}, ErrNotFound
	}
	l, err := decodeLimits(out.Item)
	if err != nil {
		return Limits{}, fmt.Errorf("read a tenant from table %s: %w", t.name, err)
	}
	return l, nil
}

// PutTenant implements [Tenants].
func (t *Table) PutTenant(ctx context.Context, tenant Tenant) error {
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(t.name), Item: encodeTenant(tenant)})
	if err != nil {
		return fmt.Errorf("write a tenant to table %s: %w", t.name, err)
	}
	return nil
}

// ListTenants implements [Tenants].
func (t *Table) ListTenants(ctx context.Context) ([]Tenant, error) {
	var tenants []Tenant
	err := t.scan(ctx, contract.TenantPrefix, func(name string, it item) error {
		l, err := decodeLimits(it)
		tenants = append(tenants, Tenant{Name: name, Limits: l})
		return err
	})
	slices.SortFunc(tenants, func(a, b Tenant) int { return cmp.Compare(a.Name, b.Name) })
	return tenants, err
}

// scan hands over every item whose partition begins with prefix, and the rest of
// its partition key.
func (t *Table) scan(ctx context.Context, prefix string, yield func(rest string, it item) error) error {
	in := &dynamodb.ScanInput{
		TableName: aws.String(t.name), ConsistentRead: aws.Bool(true),
		FilterExpression:          aws.String("begins_with(" + contract.PartitionKey + ", :p)"),
		ExpressionAttributeValues: item{":p": text(prefix)},
	}
	for {
		out, err := t.client.Scan(ctx, in)
		if err != nil {
			return fmt.Errorf("read table %s: %w", t.name, err)
		}
		for _, it := range out.Items {
			if err := yield(strings.TrimPrefix(partitionKey(it), prefix), it); err != nil {
				return fmt.Errorf("read table %s: %w", t.name, err)
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
