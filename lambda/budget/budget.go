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
//     running are too low by comes on top.
//   - Together the regions let through less than the limit plus one request per
//     region, since the shares add up to the limit at most. With a region gone,
//     its share is used by nobody: less is let through, never more.
//   - What was served uncounted comes on top. If the table does not answer in
//     time, requests are served, and counted once it answers again: to serve
//     matters more than to count.
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

// DefaultCallTimeout bounds the wait for the table, which is in the same region.
const DefaultCallTimeout = 500 * time.Millisecond

// Config configures a [Counter].
type Config struct {
	// Client reaches the control table in Region. Required.
	Client DynamoDB
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
type Counter struct{ Config }

// New returns a Counter, or an error that names every fault of cfg.
func New(cfg Config) (*Counter, error) {
	var errs []error
	if cfg.Client == nil || cfg.Log == nil {
		errs = append(errs, errors.New("client or log is missing"))
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
	return &Counter{cfg}, nil
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

// Reservation is a request that was let through. Its zero value cannot be
// settled.
type Reservation struct {
	// Uncounted is set if a budget could not be asked in time.
	Uncounted bool

	tenant   string
	estimate int64
	at       time.Time
	windows  []window
}

// Reserve lets a request of the tenant through and counts estimate tokens
// for it, or returns an [ExceededError]. It waits for one call to the table, or
// for two at once if there is a limit per minute and one per day, or for none
// without a limit. Every reservation must be settled before the function that
// made it ends, whatever became of the request.
//
// Estimate is what the request may use at most, in and out: the bound that this
// package promises holds as far as it does.
func (c *Counter) Reserve(ctx context.Context, limits contract.Budget, tenant string, estimate int64) (Reservation, error) {
	if !contract.ValidTenant(tenant) || estimate < 0 {
		return Reservation{}, fmt.Errorf("reserve %d tokens: the tenant must be %s, and the tokens not negative", estimate, contract.TenantRule)
	}
	at := c.Now().UTC()
	r := Reservation{tenant: tenant, estimate: estimate, at: at, windows: windows(c.Region, limits, at)}
	each(len(r.windows), func(i int) { r.windows[i].outcome = c.take(ctx, r, r.windows[i]) })
	var exceeded *ExceededError
	for _, w := range r.windows {
		switch w.outcome {
		case full:
			exceeded = &ExceededError{Window: w.name, RetryAfter: w.ends.Sub(at)}
		case unknown:
			r.Uncounted = true
		}
	}
	if exceeded != nil {
		c.giveBack(ctx, r)
		return Reservation{}, exceeded
	}
	if r.Uncounted {
		c.Log.WarnContext(ctx, "budget", "outcome", "uncounted")
	}
	return r, nil
}

// giveBack takes a request that was not let through out of the windows that had
// room for it. Where that fails it stays counted.
func (c *Counter) giveBack(ctx context.Context, r Reservation) {
	each(len(r.windows), func(i int) {
		if w := r.windows[i]; w.outcome == counted {
			if err := c.add(ctx, r, w, -r.estimate); err != nil {
				c.Log.WarnContext(ctx, "budget", "outcome", "not given back", "error", err.Error())
			}
		}
	})
}

// Settle replaces the estimate by what was used, 0 if the model was not reached,
// and adds it to the record of the day and the model. It goes on when ctx is
// cancelled, since what was used was used. After an error the estimate may
// stand in place of the use, and the record may lack the request; or all is done
// and only the answer lost, so that it must not be repeated.
func (c *Counter) Settle(ctx context.Context, r Reservation, used Usage, model string) error {
	if r.tenant == "" {
		return errors.New("settle tokens: nothing was reserved")
	}
	errs := make([]error, len(r.windows)+1)
	each(len(errs), func(i int) {
		if i == len(r.windows) {
			errs[i] = c.record(ctx, r, used, model)
			return
		}
		difference := used.total()
		if r.windows[i].outcome == counted {
			difference -= r.estimate
		}
		errs[i] = c.add(ctx, r, r.windows[i], difference)
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("settle tokens: %w", err)
	}
	return nil
}

// each runs f for 0 to n-1 at once.
func each(n int, f func(int)) {
	done := make(chan struct{})
	for i := range n {
		go func() {
			f(i)
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
}
