// Package budget counts the tokens that tenants use, and says when a tenant has
// used up its share of a minute or a day in a region.
//
// Each region counts against a share of its own, in items that no other region
// writes, so nothing has to be agreed on between regions and replication has
// nothing to resolve. A request is let through while its region has counted less
// than its share, and counts as its estimate until its real use is settled. So in
// every window:
//
//   - A region lets through less than its share plus one request, the last one,
//     provided that estimates are not too low; what those of requests still
//     running are too low by comes on top. An estimate can be raised once more is
//     known of its request, so that what is too low is so for as long as the
//     request's history takes to load.
//   - Together the regions let through less than the limit plus one request per
//     region, since the shares add up to the limit at most. With a region gone,
//     its share is used by nobody: less is let through, never more.
//   - What was served uncounted comes on top. If the table does not answer in
//     time, requests are served, and counted once it answers again: to serve
//     matters more than to count. So they are if it does not tell the limits.
//
// Limits are read with the first request of a tenant and remembered for a minute,
// within which a change takes effect. They are read while the request is being
// counted, so that nobody waits for one call after the other.
//
// Windows are minutes and days of the clock in UTC, not the last sixty seconds:
// around the turn of a window a tenant may use two shares at once. A failed call
// may have been done all the same; whatever is not known counts as used.
package budget

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/contract"
)

// DynamoDB is the part of the service that a [Counter] uses. A dynamodb.Client
// is one.
type DynamoDB interface {
	UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// Limits returns the caller's region's share of what a tenant may use: the zero
// Budget if the tenant has no limits. An error means that it cannot tell.
type Limits func(ctx context.Context, tenant string) (contract.Budget, error)

// DefaultCallTimeout bounds the wait for the table, which is in the same region.
const DefaultCallTimeout = 500 * time.Millisecond

// Config configures a [Counter].
type Config struct {
	// Client reaches the control table in Region. Required.
	Client DynamoDB
	// Limits are those of all tenants. Required.
	Limits Limits
	// Table is the name of the control table. Required.
	Table string
	// Region is where the caller runs. Required.
	Region string
	// Retention is how long records of usage are kept after their day; a day at
	// least.
	Retention time.Duration
	// Log learns of what could not be counted, never whose it was. Required.
	Log *slog.Logger
	// CallTimeout bounds each call; 0 means [DefaultCallTimeout].
	CallTimeout time.Duration
	// Now is time.Now if nil.
	Now func() time.Time
}

// Counter counts one region's use. It is safe for concurrent use.
type Counter struct {
	Config
	memory memory
}

// New returns a Counter, or an error that names every fault of cfg.
func New(cfg Config) (*Counter, error) {
	var errs []error
	if cfg.Client == nil || cfg.Limits == nil || cfg.Log == nil {
		errs = append(errs, errors.New("client, limits or log is missing"))
	}
	if cfg.Table == "" || cfg.Region == "" {
		errs = append(errs, errors.New("table or region is missing"))
	}
	if cfg.Retention < day {
		errs = append(errs, fmt.Errorf("retention is %s: set a day at least", cfg.Retention))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("configure the counter of tokens: %w", err)
	}
	cfg.CallTimeout = cmp.Or(cfg.CallTimeout, DefaultCallTimeout)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Counter{Config: cfg}, nil
}

// Usage is what a request used, in tokens.
type Usage struct {
	// Input tokens, those from a cache included.
	Input int64
	// Cached are the input tokens that came from a cache.
	Cached int64
	// Output tokens.
	Output int64
}

func (u Usage) total() int64 { return u.Input + u.Output }

// ExceededError says that a tenant's share is used up.
type ExceededError struct {
	// Window is "minute" or "day": the one that ends later, if both are used up.
	Window string
	// RetryAfter is how long that window lasts; more than 0.
	RetryAfter time.Duration
}

// Error implements error.
func (e *ExceededError) Error() string {
	return fmt.Sprintf("the tokens of this %s are used up; the next begins in %s", e.Window, e.RetryAfter.Round(time.Second))
}
