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

// query is a range of one thread's items, by their sort keys.
type query struct {
	from, to string // both included
	backward bool   // the last first
	keys     bool   // read nothing but the keys and when they expire
}

// firstPage is how much of a thread is read backward at first: what has not
// arrived in a region is the last of it.
const firstPage = 16

// pages reads the range in one region and hands over page after page, until
// yield has enough. A read sees every write that this replica has taken.
func (s *Store) pages(ctx context.Context, region, partition string, q query, yield func([]item) bool) error {
	in := &dynamodb.QueryInput{
		TableName:              aws.String(s.Table),
		KeyConditionExpression: aws.String(contract.PartitionKey + " = :p AND " + contract.SortKey + " BETWEEN :from AND :to"),
		ExpressionAttributeValues: item{
			":p": text(partition), ":from": text(q.from), ":to": text(q.to),
		},
		ConsistentRead:   aws.Bool(true),
		ScanIndexForward: aws.Bool(!q.backward),
	}
	if q.keys {
		in.ProjectionExpression = aws.String(contract.SortKey + ", " + contract.AttrExpires)
	}
	if q.backward {
		in.Limit = aws.Int32(firstPage)
	}
	for {
		out, err := s.page(ctx, region, in)
		if err != nil {
			return fmt.Errorf("read a thread in %s: %w", region, err)
		}
		if !yield(out.Items) || len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey, in.Limit = out.LastEvaluatedKey, nil
	}
}

// page reads one page. Of a long thread the partition answers about twelve in a
// second.
func (s *Store) page(ctx context.Context, region string, in *dynamodb.QueryInput) (out *dynamodb.QueryOutput, err error) {
	err = s.call(ctx, region, s.CallTimeout, func(ctx context.Context, client DynamoDB) error {
		return patiently(ctx, func() error {
			out, err = client.Query(ctx, in)
			return err
		})
	})
	return out, err
}

// call makes one call to one region, which has until the timeout to answer, and
// remembers if it does not.
func (s *Store) call(ctx context.Context, region string, timeout time.Duration, f func(context.Context, DynamoDB) error) error {
	started := s.Now()
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := f(bounded, s.Clients[region])
	switch {
	case err != nil && ctx.Err() != nil: // the caller gave up
	case err != nil && !throttled(err) && (bounded.Err() != nil || errors.Is(err, context.DeadlineExceeded)):
		s.silent.failed(region, started, s.Now())
	default:
		s.silent.answered(region)
	}
	return err
}

// get reads one item, nil if it does not exist.
func (s *Store) get(ctx context.Context, region string, key item) (it item, err error) {
	err = s.call(ctx, region, s.CallTimeout, func(ctx context.Context, client DynamoDB) error {
		out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(s.Table), Key: key, ConsistentRead: aws.Bool(true)})
		if err == nil {
			it = out.Item
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read a thread in %s: %w", region, err)
	}
	return it, nil
}

// put writes items in one region, in parallel. After an error any of them may
// be written all the same, which does no harm: whoever writes them again writes
// the same, and a turn of which a part is missing does not exist. Each part has as
// long as a call, since a partition takes 1,000 KB a second, with what replication
// brings of the same turn.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
func (s *Store) put(ctx context.Context, region string, items []item) error {
	err := s.call(ctx, region, s.CallTimeout*time.Duration(len(items)), func(ctx context.Context, client DynamoDB) error {
		return errors.Join(eachPatiently(ctx, len(items), func(i int) error {
			_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.Table), Item: items[i]})
			return err
		})...)
	})
	if err != nil {
		return fmt.Errorf("write a thread in %s: %w", region, err)
	}
	return nil
}

// remove deletes items in one region; replication deletes them in the others.
func (s *Store) remove(ctx context.Context, region string, keys []item) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	errs := eachPatiently(ctx, len(keys), func(i int) error {
		err := s.call(ctx, region, s.CallTimeout, func(ctx context.Context, client DynamoDB) error {
			_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(s.Table), Key: keys[i]})
			return err
		})
		if err != nil && !throttled(err) {
			stop() // many calls do not wait one after another for a region that is down
		}
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("delete from a thread in %s: %w", region, err)
	}
	return nil
}
