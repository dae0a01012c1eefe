package conversation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/contract"
)

// Scanner is the part of DynamoDB that an [Eraser] uses, in one region. No
// function has these rights; an operator does.
type Scanner interface {
	Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// Eraser removes all that a tenant ever said from every replica of a table. It
// reads the whole table, since no index leads from a tenant to its threads.
type Eraser struct {
	// Table is the name of the content table.
	Table string
	// Clients reach every replica, by region.
	Clients map[string]Scanner
}

// Erased is what one sweep found in one region.
type Erased struct {
	Region string
	// Items were there and are deleted. A deletion of another region that
	// arrives first leaves fewer to count; 0 in every region says that nothing
	// is left.
	Items int
	// Err is why the region was not swept to its end; nil if it was.
	Err error
}

// Sweep removes what it finds of a tenant in every region, in the order of the
// given names. Whatever a function that was already running writes afterwards is
// found by another sweep, once those have ended. Items that a sweep has seen are
// few at a time in memory, however large the table.
func (e Eraser) Sweep(ctx context.Context, tenant string, regions []string) ([]Erased, error) {
	if err := checkTenant(tenant); err != nil {
		return nil, fmt.Errorf("erase a tenant: %w", err)
	}
	all := make([]Erased, len(regions))
	for i, region := range regions {
		if e.Clients[region] == nil {
			return nil, fmt.Errorf("erase a tenant: no client for region %q", region)
		}
		all[i].Region = region
	}
	each(len(all), func(i int) error {
		all[i].Items, all[i].Err = e.sweep(ctx, tenant, all[i].Region)
		return nil
	})
	return all, nil
}

// pagePatience bounds how long a page is read or removed that its partition
// throttles: the other regions' deletions come there too, and nobody waits for an
// answer.
const pagePatience = time.Minute

// sweep goes through one replica page by page.
func (e Eraser) sweep(ctx context.Context, tenant, region string) (removed int, err error) {
	in := &dynamodb.ScanInput{
		TableName:                 aws.String(e.Table),
		FilterExpression:          aws.String("begins_with(" + contract.PartitionKey + ", :t)"),
		ExpressionAttributeValues: item{":t": text(tenant + partitionSep)},
		ProjectionExpression:      aws.String(contract.PartitionKey + ", " + contract.SortKey),
		ConsistentRead:            aws.Bool(true),
	}
	for {
		out, err := e.read(ctx, region, in)
		if err != nil {
			return removed, fmt.Errorf("read table %s in %s: %w", e.Table, region, err)
		}
		n, err := e.remove(ctx, region, out.Items)
		removed += n
		if err != nil {
			return removed, fmt.Errorf("delete from table %s in %s: %w", e.Table, region, err)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return removed, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func (e Eraser) read(ctx context.Context, region string, in *dynamodb.ScanInput) (out *dynamodb.ScanOutput, err error) {
	ctx, stop := context.WithTimeout(ctx, pagePatience)
	defer stop()
	err = patiently(ctx, func() error {
		out, err = e.Clients[region].Scan(ctx, in)
		return err
	})
	return out, err
}

// remove deletes a page, and returns how many of it are gone.
func (e Eraser) remove(ctx context.Context, region string, items []item) (removed int, err error) {
	ctx, stop := context.WithTimeout(ctx, pagePatience)
	defer stop()
	errs := each(len(items), func(i int) error {
		key := itemKey(textOf(items[i], contract.PartitionKey), textOf(items[i], contract.SortKey))
		return patiently(ctx, func() error {
			_, err := e.Clients[region].DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(e.Table), Key: key})
			return err
		})
	})
	for _, err := range errs {
		if err == nil {
			removed++
		}
	}
	return removed, errors.Join(errs...)
}
