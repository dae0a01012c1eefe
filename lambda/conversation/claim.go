package conversation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// Claim is one request's hold on an idempotency key.
type Claim struct {
	// Digest tells the request from another with the same key.
	Digest string
	// Turn is the id that the result has, or will have.
	Turn TurnID
	// Until is when the holder is taken for dead, unless it says before that it
	// is not. Set by the [Store].
	Until time.Time
}

// claimLifetime is how long a key is remembered.
const claimLifetime = 24 * time.Hour

const (
	// lease is how long a holder may be silent: so long is a key blocked after
	// one has crashed.
	lease = 30 * time.Second
	// leaseRenewal leaves a holder two more tries.
	leaseRenewal = lease / 3
)

const (
	claimPartition = "claim" // in place of a thread, whose names are longer
	sortClaim      = "claim"
)

func claimKey(tenant, key string) item {
	sum := sha256.Sum256([]byte(key))
	return itemKey(threadPartition(tenant, claimPartition+partitionSep+hex.EncodeToString(sum[:])), sortClaim)
}

// Claim takes a key for c, for half a minute; [Store.Hold] keeps it. If another
// request has it, that one's claim is found instead, unless its time is over and
// it has stored nothing.
//
// The local replica decides, or, while it does not answer, a partner's. A claim
// that was taken in one replica is seen in another once it is replicated, within
// about a second: of two requests that come closer than that, each to another
// replica, both may win, as they do in two regions.
func (s *Store) Claim(ctx context.Context, tenant, key string, c Claim) (found Claim, won bool, err error) {
	if err := checkTenant(tenant); err != nil {
		return Claim{}, false, fmt.Errorf("claim a key: %w", err)
	}
	found, won, err = s.take(ctx, tenant, key, c, nil)
	if err != nil || won || s.Now().Before(found.Until) {
		return found, won, err
	}
	_, err = s.Turn(ctx, tenant, found.Turn)
	if !errors.Is(err, ErrNotFound) {
		return found, false, err
	}
	return s.take(ctx, tenant, key, c, &found)
}

// Hold keeps a claim that was won until ctx ends, as its holder must while it is
// at work, and then returns nil. [ErrClaimLost] says that it could not for half a
// minute, and that another request has taken the key.
func (s *Store) Hold(ctx context.Context, tenant, key string, c Claim) error {
	ticker := time.NewTicker(leaseRenewal)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		// After an error it is tried again, as long as nobody else has it.
		if _, won, err := s.take(ctx, tenant, key, c, nil); err == nil && !won {
			return ErrClaimLost
		}
	}
}

// take writes c where there is no claim or c itself, or in place of the given
// one, if that was not renewed since. If there is another, it returns that.
func (s *Store) take(ctx context.Context, tenant, key string, c Claim, instead *Claim) (Claim, bool, error) {
	c.Until = s.Now().Add(lease)
	it := claimKey(tenant, key)
	it[attrDigest], it[attrTurn], it[attrUntil] = text(c.Digest), text(c.Turn.String()), number(c.Until.UnixMilli())
	it[contract.AttrExpires] = number(s.Now().Add(claimLifetime).Unix())
	free := "attribute_not_exists(" + contract.PartitionKey + ") OR " + attrTurn + " = :mine"
	in := &dynamodb.PutItemInput{
		TableName: aws.String(s.Table), Item: it,
		ConditionExpression:                 aws.String(free),
		ExpressionAttributeValues:           item{":mine": it[attrTurn]},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if instead != nil {
		in.ConditionExpression = aws.String(free + " OR " + attrTurn + " = :instead AND " + attrUntil + " = :until")
		in.ExpressionAttributeValues[":instead"] = text(instead.Turn.String())
		in.ExpressionAttributeValues[":until"] = number(instead.Until.UnixMilli())
	}
	var errs []error
	well, spared := s.wellAndSpared()
	for _, region := range slices.Concat(well, spared) {
		found, won, err := s.tryTake(ctx, region, in)
		if won {
			return c, true, nil
		}
		if err == nil {
			return found, false, nil
		}
		errs = append(errs, fmt.Errorf("claim a key in %s: %w", region, err))
	}
	return Claim{}, false, errors.Join(errs...)
}

func (s *Store) tryTake(ctx context.Context, region string, in *dynamodb.PutItemInput) (found Claim, won bool, err error) {
	err = s.call(ctx, region, s.CallTimeout, func(ctx context.Context, client DynamoDB) error {
		_, err := client.PutItem(ctx, in)
		return err
	})
	var taken *types.ConditionalCheckFailedException
	if !errors.As(err, &taken) {
		return Claim{}, err == nil, err
	}
	turn, err := ParseTurnID(textOf(taken.Item, attrTurn))
	if err != nil {
		return Claim{}, false, fmt.Errorf("read the claim that is there: %w", err)
	}
	return Claim{Digest: textOf(taken.Item, attrDigest), Turn: turn, Until: time.UnixMilli(numberOf(taken.Item, attrUntil))}, false, nil
}

// Release gives back the key that c has taken, after a failure, so that the
// request may be repeated. It is looked for in every region, for a partner took
// it if the local replica did not answer then. A claim that has taken its place
// since stays.
func (s *Store) Release(ctx context.Context, tenant, key string, c Claim) error {
	if err := checkTenant(tenant); err != nil {
		return fmt.Errorf("release a key: %w", err)
	}
	in := &dynamodb.DeleteItemInput{
		TableName: aws.String(s.Table), Key: claimKey(tenant, key),
		ConditionExpression:       aws.String(attrTurn + " = :mine"),
		ExpressionAttributeValues: item{":mine": text(c.Turn.String())},
	}
	var errs []error
	well, spared := s.wellAndSpared()
	for _, region := range slices.Concat(well, spared) {
		released, err := s.tryRelease(ctx, region, in)
		if released {
			return nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("release a key in %s: %w", region, err))
		}
	}
	if len(errs) < len(s.regions) {
		return nil // another has taken its place, or an answer was lost
	}
	return errors.Join(errs...)
}

// tryRelease tells whether the claim was there, and is no more.
func (s *Store) tryRelease(ctx context.Context, region string, in *dynamodb.DeleteItemInput) (bool, error) {
	err := s.call(ctx, region, s.CallTimeout, func(ctx context.Context, client DynamoDB) error {
		_, err := client.DeleteItem(ctx, in)
		return err
	})
	var another *types.ConditionalCheckFailedException
	if errors.As(err, &another) {
		return false, nil
	}
	return err == nil, err
}
