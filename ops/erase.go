package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/crossregion/crossregion/lambda/conversation"
)

// defaultRecoveryDays is how long DynamoDB can restore a table, if the stack's
// outputs do not say.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
const defaultRecoveryDays = 35

// receipt tells what an erasure did, and what it did not.
type receipt struct {
	Tenant      string    `json:"tenant"`
	At          time.Time `json:"at"`
	KeysRevoked int       `json:"keysRevoked"`
	Regions     []swept   `json:"regions"`
	Complete    bool      `json:"complete"` // every region was swept twice to its end
	// Forgotten is when no restore point holds any of it, if the erasure is
	// complete.
	Forgotten  *time.Time `json:"forgottenAfter,omitempty"`
	NotCovered []string   `json:"notCovered"`
}

// swept is one region in a receipt.
type swept struct {
	Region string `json:"region"`
	First  int    `json:"itemsInFirstSweep"`
	Second int    `json:"itemsInSecondSweep"`
	Usage  int    `json:"itemsOfUsage"` // in both; 0 unless they were to go
	Error  string `json:"error,omitempty"`
}

// erasure is what is to be erased, and how.
type erasure struct {
	tenant string
	wait   time.Duration // between the sweeps
	usage  bool          // records of usage go too
}

// notCovered is what an erasure leaves, each for its reason.
func (e erasure) notCovered() []string {
	left := []string{
		"logs and metrics: they hold nothing that a caller wrote, and no tenant",
		"the tenant's limits and its revoked keys",
	}
	if !e.usage {
		left = append(left, "records of usage: numbers without content, kept for their own retention; --usage removes them")
	}
	return left
}

func eraseFlags(flags *flag.FlagSet) func(context.Context, *call) error {
	yes := flags.Bool("yes", false, "do not ask for the tenant's name again")
	usage := flags.Bool("usage", false, "remove the records of what the tenant used, too")
	wait := flags.Duration("wait", 15*time.Minute, "`time` between the sweeps; functions that were running may write for 15 minutes")
	return func(ctx context.Context, c *call) error {
		if !contract.ValidTenant(c.args[0]) {
			return misuse("erase: the tenant must be %s", contract.TenantRule)
		}
		if *wait < 0 {
			return misuse("--wait is %s: give no less than 0s", *wait)
		}
		if !*yes {
			if err := c.confirm(c.args[0]); err != nil {
				return err
			}
		}
		return c.erase(ctx, erasure{tenant: c.args[0], wait: *wait, usage: *usage})
	}
}

// confirm wants to read the tenant's name.
func (c *call) confirm(tenant string) error {
	fmt.Fprintf(c.Err, "This revokes all keys of %s and removes all that it said, for ever. Type its name: ", tenant)
	line, err := bufio.NewReader(c.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if strings.TrimSpace(line) != tenant {
		return errors.New("that is not the name: nothing was erased")
	}
	return nil
}

// erase revokes first, so that nothing new is said, and sweeps twice, since what
// was being answered meanwhile is written yet.
func (c *call) erase(ctx context.Context, e erasure) error {
	revoked, err := c.revokeAll(ctx, e.tenant)
	if err != nil {
		return fmt.Errorf("nothing was erased: revoke the keys: %w", err)
	}
	r := receipt{Tenant: e.tenant, KeysRevoked: revoked, Complete: true, NotCovered: e.notCovered()}
	first, err := c.sweep(ctx, e)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Err, "first sweep done; the second follows in %s\n", e.wait)
	// After an interruption the sweep fails in each region, which the receipt says.
	sleep(ctx, e.wait)
	second, err := c.sweep(ctx, e)
	if err != nil {
		return err
	}
	r.add(first, second)
	return c.close(r)
}

// found is what one sweep removed, by region: what was said, and what was used.
type found struct{ said, used []conversation.Erased }

func (c *call) sweep(ctx context.Context, e erasure) (found, error) {
	eraser := conversation.Eraser{Table: c.ConversationTable, Clients: map[string]conversation.Scanner{}}
	for region, client := range c.clients {
		eraser.Clients[region] = client
	}
	said, err := eraser.Sweep(ctx, e.tenant, c.regions)
	if err != nil || !e.usage {
		return found{said: said, used: make([]conversation.Erased, len(said))}, err
	}
	return found{said, c.sweepUsage(ctx, e.tenant)}, nil
}

// close dates and prints the receipt, and fails if it is not complete.
func (c *call) close(r receipt) error {
	r.At = time.Now().UTC().Truncate(time.Second)
	if r.Complete {
		days := c.RecoveryDays
		if days == 0 {
			days = defaultRecoveryDays
		}
		forgotten := r.At.AddDate(0, 0, days)
		r.Forgotten = &forgotten
	}
	err := c.print(r, r.text())
	if !r.Complete {
		err = errors.Join(err, errors.New("the erasure is not complete: run it again when every region answers"))
	}
	return err
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// revokeAll revokes each key of the tenant that some region knows, and counts
// those that were not revoked before. It fails if no region answers; one that
// does not is not swept either, which the receipt says.
func (c *call) revokeAll(ctx context.Context, tenant string) (int, error) {
	valid := map[string]bool{}
	var errs []error
	for _, region := range c.regions {
		keys, err := auth.List(ctx, c.keys(region), tenant)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", region, err))
		}
		for _, k := range keys {
			if !k.Revoked {
				valid[k.ID] = true
			}
		}
	}
	if len(errs) == len(c.regions) {
		return 0, errors.Join(errs...)
	}
	for id := range valid {
		if err := c.revoke(ctx, id); err != nil {
			return 0, err
		}
	}
	return len(valid), nil
}

func (r *receipt) add(first, second found) {
	for i, one := range first.said {
		s := swept{Region: one.Region, First: one.Items, Second: second.said[i].Items, Usage: first.used[i].Items + second.used[i].Items}
		if err := errors.Join(one.Err, second.said[i].Err, first.used[i].Err, second.used[i].Err); err != nil {
			s.Error, r.Complete = err.Error(), false
		}
		r.Regions = append(r.Regions, s)
	}
}

func (r *receipt) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Erasure of %s, %s\n\n  keys revoked: %d\n", r.Tenant, r.At.Format(time.RFC3339), r.KeysRevoked)
	for _, s := range r.Regions {
		fmt.Fprintf(&b, "  %-15s %d items removed, %d in the second sweep\n", s.Region, s.First+s.Second, s.Second)
		if s.Usage > 0 {
			fmt.Fprintf(&b, "  %-15s %d records of usage removed\n", "", s.Usage)
		}
		if s.Error != "" {
			fmt.Fprintf(&b, "  %-15s NOT COMPLETE: %s\n", "", s.Error)
		}
	}
	if r.Forgotten != nil {
		fmt.Fprintf(&b, "\nRestore points forget it after %s.\n", r.Forgotten.Format(time.RFC3339))
	}
	fmt.Fprintf(&b, "\nNot covered:\n  - %s\n", strings.Join(r.NotCovered, "\n  - "))
	return b.String()
}
