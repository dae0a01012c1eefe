package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/conversation"
)

// sweepUsage removes what is counted of a tenant in every region: its records of
// usage, and the windows of its budgets.
func (c *call) sweepUsage(ctx context.Context, tenant string) []conversation.Erased {
	all := make([]conversation.Erased, len(c.regions))
	for i, region := range c.regions {
		all[i].Region = region
		all[i].Items, all[i].Err = c.removeUsage(ctx, region, tenant)
	}
	return all
}

// removeUsage goes through one replica page by page.
func (c *call) removeUsage(ctx context.Context, region, tenant string) (removed int, err error) {
	pages := dynamodb.NewQueryPaginator(c.clients[region], &dynamodb.QueryInput{
		TableName: aws.String(c.ControlTable), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String(contract.PartitionKey + " = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: contract.UsagePartition(tenant)}},
		ProjectionExpression:      aws.String(contract.PartitionKey + ", " + contract.SortKey),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return removed, fmt.Errorf("read usage in %s: %w", region, err)
		}
		for _, key := range page.Items {
			_, err := c.clients[region].DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(c.ControlTable), Key: key})
			if err != nil {
				return removed, fmt.Errorf("delete usage in %s: %w", region, err)
			}
			removed++
		}
	}
	return removed, nil
}
