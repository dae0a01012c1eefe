package health

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// DynamoDB is the part of the service that a [Table] uses. A dynamodb.Client is
// one.
type DynamoDB interface {
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Table is the [Drains] in the replica of the control table that a client
// reaches.
type Table struct {
	client DynamoDB
	name   string
}

// NewTable returns the drains in the table with the given name.
func NewTable(client DynamoDB, name string) *Table { return &Table{client: client, name: name} }

// Drained implements [Drains]. Its read is eventually consistent: a flag from
// another region is late by replication anyway.
func (t *Table) Drained(ctx context.Context, region string) (bool, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(t.name),
		Key: map[string]types.AttributeValue{
			contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.DrainPartition(region)},
			contract.SortKey:      &types.AttributeValueMemberS{Value: contract.DrainSort},
		},
	})
	if err != nil {
		return false, fmt.Errorf("read the drain flag of %s from table %s: %w", region, t.name, err)
	}
	return len(out.Item) > 0, nil
}
