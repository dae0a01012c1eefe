package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/crossregion/crossregion/lambda/auth"
)

// tenant is one in JSON.
type tenant struct {
	Name            string         `json:"name"`
	TokensPerMinute int64          `json:"tokensPerMinute"`  // 0 for no limit
	TokensPerDay    int64          `json:"tokensPerDay"`     // 0 for no limit
	Shares          map[string]int `json:"shares,omitempty"` // percent by region; none for equal ones
}

func (c *call) printTenants(v any, all ...auth.Tenant) error {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TENANT\tTOKENS/MINUTE\tTOKENS/DAY\tSHARES")
	for _, t := range all {
		var shares []string
		for _, region := range slices.Sorted(maps.Keys(t.Shares)) {
			shares = append(shares, fmt.Sprintf("%s=%d", region, t.Shares[region]))
		}
		if len(shares) == 0 {
			shares = []string{"equal"}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", t.Name, limit(t.TokensPerMinute), limit(t.TokensPerDay), strings.Join(shares, ","))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return c.print(v, text.String())
}

func limit(n int64) string {
	if n == 0 {
		return "no limit"
	}
	return strconv.FormatInt(n, 10)
}

func asTenant(t auth.Tenant) tenant {
	return tenant{Name: t.Name, TokensPerMinute: t.TokensPerMinute, TokensPerDay: t.TokensPerDay, Shares: t.Shares}
}

func listTenants(ctx context.Context, c *call) error {
	var found []auth.Tenant
	err := c.somewhere(c.regions, func(region string) (err error) {
		found, err = auth.ListTenants(ctx, c.keys(region))
		return err
	})
	if err != nil {
		return err
	}
	all := make([]tenant, len(found))
	for i, t := range found {
		all[i] = asTenant(t)
	}
	return c.printTenants(all, found...)
}

func showTenant(ctx context.Context, c *call) error {
	var found auth.Tenant
	err := c.somewhere(c.regions, func(region string) (err error) {
		found, err = auth.GetTenant(ctx, c.keys(region), c.args[0])
		return err
	})
	if errors.Is(err, auth.ErrNotFound) {
		found, err = auth.Tenant{Name: c.args[0]}, nil // who has no item has no limits
	}
	if err != nil {
		return err
	}
	return c.printTenants(asTenant(found), found)
}

func tenantFlags(flags *flag.FlagSet) func(context.Context, *call) error {
	perMinute := flags.Int64("tokens-per-minute", 0, "`number` of tokens in a minute (default no limit)")
	perDay := flags.Int64("tokens-per-day", 0, "`number` of tokens in a day of UTC (default no limit)")
	shares := flags.String("shares", "", "percent of the limits by region, as `REGION=PERCENT,...` (default equal)")
	return func(ctx context.Context, c *call) error {
		byRegion, err := c.parseShares(*shares)
		if err != nil {
			return err
		}
		t := auth.Tenant{Name: c.args[0], Limits: auth.Limits{TokensPerMinute: *perMinute, TokensPerDay: *perDay, Shares: byRegion}}
		if err := c.somewhere(c.regions, func(region string) error { return auth.PutTenant(ctx, c.keys(region), t) }); err != nil {
			return err
		}
		return c.printTenants(asTenant(t), t)
	}
}

func (s *stack) parseShares(text string) (map[string]int, error) {
	if text == "" {
		return nil, nil
	}
	shares := map[string]int{}
	for part := range strings.SplitSeq(text, ",") {
		region, percent, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(percent)
		if err != nil {
			return nil, misuse("share %q is not REGION=PERCENT", part)
		}
		if err := s.checkRegion(region); err != nil {
			return nil, err
		}
		if _, twice := shares[region]; twice {
			return nil, misuse("the share of %s is given twice", region)
		}
		shares[region] = n
	}
	return shares, nil
}
