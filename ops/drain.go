package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// flag writes or removes a region's flag in the first of some regions that
// answers, and says in which that was.
func (c *call) flag(regions []string, set func(client *dynamodb.Client) error, done string) error {
	region, wrote := c.args[0], ""
	err := c.somewhere(regions, func(at string) error {
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
	if err := c.checkRegion(c.args[0]); err != nil {
		return err
	}
	last, order := c.isLast(ctx, c.args[0])
	if last {
		return fmt.Errorf("drain %s: all other regions are drained, and with none left DNS takes all of them for healthy: undrain another first", c.args[0])
	}
	return c.flag(order, func(client *dynamodb.Client) error {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(c.ControlTable), Item: drainKey(c.args[0])})
		return err
	}, "drained")
}

// isLast reports whether all regions but one are drained, as the first that
// answers has it, and in which order to write: those that kept silent last, so
// that nobody waits for them twice. If none answers it is not known, and a write
// is tried all the same.
func (s *stack) isLast(ctx context.Context, region string) (last bool, order []string) {
	order = s.others(region)
	for i, at := range order {
		flagged, err := s.flags(ctx, at)
		if err != nil {
			continue
		}
		last = !slices.ContainsFunc(s.regions, func(r string) bool { return r != region && !slices.Contains(flagged, r) })
		return last, slices.Concat(order[i:], order[:i])
	}
	return false, order
}

func undrain(ctx context.Context, c *call) error {
	if err := c.checkRegion(c.args[0]); err != nil {
		return err
	}
	return c.flag(c.others(c.args[0]), func(client *dynamodb.Client) error {
		_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(c.ControlTable), Key: drainKey(c.args[0])})
		return err
	}, "back")
}

// drained is a region with a flag.
type drained struct {
	Region string `json:"region"`
	// SeenIn are the regions to which the flag has come; just after drain and
	// undrain they are not all or none.
	SeenIn []string `json:"seenIn"`
}

// listDrains asks every region, since each acts by what it has. Where none
// answers nothing is known.
func listDrains(ctx context.Context, c *call) error {
	seenIn := map[string][]string{}
	var asked []string
	var errs []error
	for _, at := range c.regions {
		flagged, err := c.flags(ctx, at)
		if err != nil {
			errs = append(errs, fmt.Errorf("read the flags in %s: %w", at, err))
			continue
		}
		asked = append(asked, at)
		for _, region := range flagged {
			seenIn[region] = append(seenIn[region], at)
		}
	}
	if len(asked) == 0 {
		return errors.Join(errs...)
	}
	return errors.Join(append([]error{c.printDrains(seenIn, asked)}, errs...)...)
}

func (c *call) printDrains(seenIn map[string][]string, asked []string) error {
	all := []drained{}
	text := ""
	for _, region := range slices.Sorted(maps.Keys(seenIn)) {
		all = append(all, drained{region, seenIn[region]})
		text += fmt.Sprintf("%s is drained, as seen in %s\n", region, strings.Join(seenIn[region], ", "))
	}
	if text == "" {
		text = fmt.Sprintf("no region is drained, as seen in %s\n", strings.Join(asked, ", "))
	}
	return c.print(all, text)
}

// flags are the regions that are drained, as one has it. The first that cannot be
// read is an error: the others would not be either, each after its own wait.
func (s *stack) flags(ctx context.Context, at string) (flagged []string, err error) {
	for _, region := range s.regions {
		is, err := s.isDrained(ctx, at, region)
		if err != nil {
			return nil, err
		}
		if is {
			flagged = append(flagged, region)
		}
	}
	return flagged, nil
}

func (s *stack) isDrained(ctx context.Context, at, region string) (bool, error) {
	out, err := s.clients[at].GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.ControlTable), Key: drainKey(region), ConsistentRead: aws.Bool(true),
	})
	return err == nil && len(out.Item) > 0, err
}
