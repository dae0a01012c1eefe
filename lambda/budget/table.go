package budget

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// take counts the estimate against a window unless it is full.
func (c *Counter) take(ctx context.Context, r Reservation, w *window) {
	if w.share < 0 {
		w.outcome = full
		return
	}
	in := c.update(r.tenant, w.sort, w.ends.Add(keep), map[string]int64{contract.AttrTokens: r.estimate})
	in.ConditionExpression = aws.String("attribute_not_exists(" + contract.AttrTokens + ") OR " + contract.AttrTokens + " < :share")
	in.ExpressionAttributeValues[":share"] = number(w.share)
	_, err := c.call(ctx, in)
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused):
		w.outcome = full
	case err == nil:
		w.outcome, w.tokens = counted, r.estimate
	}
}

// count counts the estimate against a window, full or not, and returns what was
// counted before; an answer that does not say so is none.
func (c *Counter) count(ctx context.Context, r Reservation, w *window) (before int64) {
	in := c.update(r.tenant, w.sort, w.ends.Add(keep), map[string]int64{contract.AttrTokens: r.estimate})
	in.ReturnValues = types.ReturnValueUpdatedNew
	out, err := c.call(ctx, in)
	if err != nil {
		return 0
	}
	sum, ok := out.Attributes[contract.AttrTokens].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	after, err := strconv.ParseInt(sum.Value, 10, 64)
	if err != nil {
		return 0
	}
	w.outcome, w.tokens = counted, r.estimate
	return after - r.estimate
}

// add corrects what is counted against a window.
func (c *Counter) add(ctx context.Context, r Reservation, w window, tokens int64) error {
	if tokens == 0 {
		return nil
	}
	in := c.update(r.tenant, w.sort, w.ends.Add(keep), map[string]int64{contract.AttrTokens: tokens})
	if _, err := c.call(context.WithoutCancel(ctx), in); err != nil {
		return fmt.Errorf("count against the %s: %w", w.name, err)
	}
	return nil
}

// record adds a request to the record of its day and model. One that used
// nothing leaves none.
func (c *Counter) record(ctx context.Context, r Reservation, used Usage, model string) error {
	if used == (Usage{}) {
		return nil
	}
	today := r.at.Truncate(day)
	in := c.update(r.tenant, contract.RecordSort(c.Region, today.Format(time.DateOnly), model), today.Add(day).Add(c.Retention), map[string]int64{
		contract.AttrRequests: 1, contract.AttrInputTokens: used.Input, contract.AttrCachedTokens: used.Cached, contract.AttrOutputTokens: used.Output,
	})
	if _, err := c.call(context.WithoutCancel(ctx), in); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// update adds to the attributes of an item, which comes into being with them.
func (c *Counter) update(tenant, sort string, expires time.Time, amounts map[string]int64) *dynamodb.UpdateItemInput {
	values := map[string]types.AttributeValue{":expires": number(expires.Unix())}
	var sums []string
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		values[":"+name] = number(amounts[name])
		sums = append(sums, name+" :"+name)
	}
	return &dynamodb.UpdateItemInput{
		TableName: aws.String(c.Table),
		Key: map[string]types.AttributeValue{
			contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.UsagePartition(tenant)},
			contract.SortKey:      &types.AttributeValueMemberS{Value: sort},
		},
		UpdateExpression:          aws.String("SET " + contract.AttrExpires + " = :expires ADD " + strings.Join(sums, ", ")),
		ExpressionAttributeValues: values,
	}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// call makes one call, and never a second: a sum that was added to in spite of a
// lost reply would be added to twice.
func (c *Counter) call(ctx context.Context, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, c.CallTimeout)
	defer cancel()
	return c.Client.UpdateItem(ctx, in, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
}
