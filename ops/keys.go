package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
)

// key is one in JSON.
type key struct {
	ID      string     `json:"id"`
	Tenant  string     `json:"tenant"`
	Models  []string   `json:"models,omitempty"` // none for all
	Expires *time.Time `json:"expires,omitempty"`
	Revoked bool       `json:"revoked"`
}

// maxDays is how long a key that expires may last: ten years.
const maxDays = 3650

func mintFlags(flags *flag.FlagSet) func(context.Context, *call) error {
	models := flags.String("models", "", "`names` of models that the key opens, with commas (default all)")
	days := 0
	flags.Func("days", fmt.Sprintf("`number` of days after which the key opens nothing, 1 to %d (default never)", maxDays), func(text string) (err error) {
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > maxDays {
			err = fmt.Errorf("give 1 to %d, or leave it out", maxDays)
		}
		return err
	})
	return func(ctx context.Context, c *call) error {
		g := auth.Grant{Tenant: c.args[0]}
		if !contract.ValidTenant(g.Tenant) {
			return misuse("keys mint: the tenant must be %s", contract.TenantRule)
		}
		if *models != "" {
			g.Models = strings.Split(*models, ",")
		}
		if days > 0 {
			g.Expires = time.Now().AddDate(0, 0, days)
		}
		return c.mint(ctx, g)
	}
}

func (c *call) mint(ctx context.Context, g auth.Grant) error {
	var minted string
	err := c.somewhere(c.regions, func(region string) (err error) {
		minted, err = auth.Mint(ctx, c.keys(region), rand.Reader, g)
		return err
	})
	if err != nil {
		return err
	}
	return c.print(map[string]string{"key": minted}, minted+"\n")
}

func listKeys(ctx context.Context, c *call) error {
	tenant := ""
	if len(c.args) > 0 {
		tenant = c.args[0]
	}
	var found []auth.Key
	err := c.somewhere(c.regions, func(region string) (err error) {
		found, err = auth.List(ctx, c.keys(region), tenant)
		return err
	})
	if err != nil {
		return err
	}
	all := make([]key, len(found))
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTENANT\tMODELS\tEXPIRES\tSTATE")
	for i, k := range found {
		all[i] = key{ID: k.ID, Tenant: k.Tenant, Models: k.Models, Revoked: k.Revoked}
		models, expires, state := "all", "never", "valid"
		if len(k.Models) > 0 {
			models = strings.Join(k.Models, ",")
		}
		if !k.Expires.IsZero() {
			all[i].Expires = &k.Expires
			expires = k.Expires.UTC().Format(time.DateOnly)
		}
		if k.Revoked {
			state = "revoked"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Tenant, models, expires, state)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return c.print(all, text.String())
}

// revoke does so in every region, without waiting for replication. One that
// does not answer learns of it from the others.
func (c *call) revoke(ctx context.Context, id string) error {
	var errs []error
	done, found := 0, false
	for _, region := range c.regions {
		err := auth.Revoke(ctx, c.keys(region), id)
		found = found || err == nil
		if err == nil || errors.Is(err, auth.ErrNotFound) {
			done++
			continue
		}
		if final(err) {
			return err
		}
		errs = append(errs, fmt.Errorf("%s: %w", region, err))
	}
	switch {
	case done == 0:
		return errors.Join(errs...)
	case !found:
		return fmt.Errorf("revoke key %q: %w", id, auth.ErrNotFound)
	case len(errs) > 0:
		fmt.Fprintf(c.Err, "not confirmed everywhere, replication will bring it: %v\n", errors.Join(errs...))
	}
	return nil
}

func revokeKey(ctx context.Context, c *call) error {
	id := strings.TrimPrefix(c.args[0], "cr_")
	if strings.Contains(id, ".") {
		return misuse("give the key's id without its secret")
	}
	if err := c.revoke(ctx, id); err != nil {
		return err
	}
	return c.print(map[string]any{"id": id, "revoked": true},
		fmt.Sprintf("%s is revoked. APIs honour it until their authorizer's answer leaves the cache: at most five minutes.\n", id))
}
