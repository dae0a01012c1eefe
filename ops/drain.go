package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

func drainKey(region string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.DrainPartition(region)},
		contract.SortKey:      &types.AttributeValueMemberS{Value: contract.DrainSort},
	}
}

// others are the regions but one, and that one last: the region to drain may be
// in trouble.
func (s *stack) others(region string) []string {
	return append(slices.DeleteFunc(slices.Clone(s.regions), func(r string) bool { return r == region }), region)
}

// flag writes or removes a region's flag, and says in which region that was.
func (c *call) flag(set func(client *dynamodb.Client) error, done string) error {
	region := c.args[0]
	if err := c.checkRegion(region); err != nil {
		return err
	}
	wrote := ""
	err := c.somewhere(c.others(region), func(at string) error {
		wrote = at
		return set(c.clients[at])
	})
	if err != nil {
		return fmt.Errorf("write the flag of %s: %w", region, err)
	}
	return c.print(map[string]any{"region": region, "drained": done == "drained", "writtenIn": wrote},
		fmt.Sprintf("%s is %s, written in %s. DNS follows within the window that the preview prints.\n", region, done, wrote))
}

func drain(ctx context.Context, c *call) error {
	if len(c.regions) == 1 {
		return misuse("the stack has one region only")
	}
	return c.flag(func(client *dynamodb.Client) error {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(c.ControlTable), Item: drainKey(c.args[0])})
		return err
	}, "drained")
}

func undrain(ctx context.Context, c *call) error {
	return c.flag(func(client *dynamodb.Client) error {
		_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(c.ControlTable), Key: drainKey(c.args[0])})
		return err
	}, "back")
}

func listDrains(ctx context.Context, c *call) error {
	drained := []string{}
	err := c.somewhere(c.regions, func(at string) error {
		drained = []string{}
		for _, region := range c.regions {
			out, err := c.clients[at].GetItem(ctx, &dynamodb.GetItemInput{
				TableName: aws.String(c.ControlTable), Key: drainKey(region), ConsistentRead: aws.Bool(true),
			})
			if err != nil {
				return err
			}
			if len(out.Item) > 0 {
				drained = append(drained, region)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	if len(drained) == 0 {
		return c.print(drained, "no region is drained\n")
	}
	return c.print(drained, strings.Join(drained, "\n")+"\n")
}
