package budget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/parallel"
)

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
// for several at once, or for none if the tenant is remembered to have no limit.
// Every reservation must be settled before the function that made it ends,
// whatever became of the request.
//
// Estimate is what the request may use at most, in and out: the bound that this
// package promises holds as far as it does.
func (c *Counter) Reserve(ctx context.Context, tenant string, estimate int64) (Reservation, error) {
	if !contract.ValidTenant(tenant) || estimate < 0 {
		return Reservation{}, fmt.Errorf("reserve %d tokens: the tenant must be %s, and the tokens not negative", estimate, contract.TenantRule)
	}
	r := Reservation{tenant: tenant, estimate: estimate, at: c.Now().UTC()}
	switch known, fresh := c.memory.recall(tenant, r.at); {
	case !fresh:
		c.explore(ctx, &r)
	case known.guess:
		r.windows, r.Uncounted = allWindows(c.Region, r.at), true
	default:
		r.windows = windows(c.Region, known.limits, r.at)
		parallel.Each(len(r.windows), func(i int) { c.take(ctx, r, &r.windows[i]) })
	}
	if exceeded := r.judge(); exceeded != nil {
		c.giveBack(ctx, r)
		return Reservation{}, exceeded
	}
	if r.Uncounted {
		c.Log.WarnContext(ctx, "budget", "outcome", "uncounted")
	}
	return r, nil
}

// judge returns why r is not let through, nil if it is.
func (r *Reservation) judge() (exceeded *ExceededError) {
	for _, w := range r.windows {
		switch {
		case w.outcome == full:
			exceeded = &ExceededError{Window: w.name, RetryAfter: w.ends.Sub(r.at)}
		case w.outcome == unknown && w.share != 0:
			r.Uncounted = true
		}
	}
	return exceeded
}

// explore counts r against every window while it reads which of them have a
// limit, and only then judges. What it counted against one without a limit is
// settled all the same: there may be one soon.
func (c *Counter) explore(ctx context.Context, r *Reservation) {
	r.windows = allWindows(c.Region, r.at)
	var known knowledge
	before := make([]int64, len(r.windows))
	parallel.Each(len(r.windows)+1, func(i int) {
		if i == len(r.windows) {
			known = c.learn(ctx, r.tenant, r.at)
			return
		}
		before[i] = c.count(ctx, *r, &r.windows[i])
	})
	r.Uncounted = known.guess
	for i := range r.windows {
		w := &r.windows[i]
		w.share = w.limit(known.limits)
		if w.share < 0 || w.share > 0 && w.outcome == counted && before[i] >= w.share {
			w.outcome = full
		}
	}
}

// giveBack takes a request that was not let through out of the windows in which
// it counts. Where that fails it stays counted.
func (c *Counter) giveBack(ctx context.Context, r Reservation) {
	parallel.Each(len(r.windows), func(i int) {
		if err := c.add(ctx, r, r.windows[i], -r.windows[i].tokens); err != nil {
			c.Log.WarnContext(ctx, "budget", "outcome", "not given back", "error", err.Error())
		}
	})
}

// Raise makes the reservation one of estimate tokens, if it was of fewer, and
// returns it. It refuses nothing: the request has been let through. After an
// error it is uncounted, since the earlier estimate may stand in some windows
// until it is settled. What it returns is to be settled in place of r.
func (c *Counter) Raise(ctx context.Context, r Reservation, estimate int64) (Reservation, error) {
	more := estimate - r.estimate
	if r.tenant == "" || more <= 0 {
		return r, nil
	}
	raised := r
	raised.estimate, raised.windows = estimate, slices.Clone(r.windows)
	errs := make([]error, len(raised.windows))
	parallel.Each(len(errs), func(i int) {
		w := &raised.windows[i]
		if w.outcome != counted {
			return // all of it counts when it is settled
		}
		if errs[i] = c.add(ctx, r, *w, more); errs[i] == nil {
			w.tokens += more
		}
	})
	if err := errors.Join(errs...); err != nil {
		raised.Uncounted = true
		return raised, fmt.Errorf("raise a reservation: %w", err)
	}
	return raised, nil
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
	parallel.Each(len(errs), func(i int) {
		if i == len(r.windows) {
			errs[i] = c.record(ctx, r, used, model)
			return
		}
		errs[i] = c.add(ctx, r, r.windows[i], used.total()-r.windows[i].tokens)
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("settle tokens: %w", err)
	}
	return nil
}
