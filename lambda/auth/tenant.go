package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/contract"
)

// Limits bound what a tenant uses of a whole stack. The zero Limits bound
// nothing.
type Limits struct {
	// TokensPerMinute is the most in a minute by the clock, in and out; 0 means
	// no limit.
	TokensPerMinute int64
	// TokensPerDay is the most in a day of UTC; 0 means no limit.
	TokensPerDay int64
	// Shares say how many percent of the limits a region may let through, 1 to
	// 100 each and 100 at most together. A region that they leave out lets
	// nothing through; without any, all regions have equal shares.
	Shares map[string]int
}

// Tenant is a tenant with limits.
type Tenant struct {
	Limits
	// Name is what keys, tokens or principals say. Required.
	Name string
}

// Tenants keeps the limits of tenants.
type Tenants interface {
	// Tenant returns the tenant's limits, or [ErrNotFound].
	Tenant(ctx context.Context, name string) (Limits, error)
	// PutTenant replaces the tenant's limits.
	PutTenant(ctx context.Context, t Tenant) error
	// ListTenants returns every tenant that has limits, in the order of names.
	ListTenants(ctx context.Context) ([]Tenant, error)
}

// PutTenant replaces the tenant's limits; no limits lift them. If it is done in
// two regions at once, the later stays. Each region obeys it a minute after
// replication has brought it there.
func PutTenant(ctx context.Context, tenants Tenants, t Tenant) error {
	err := t.validate()
	if err == nil {
		err = tenants.PutTenant(ctx, t)
	}
	if err != nil {
		return fmt.Errorf("put a tenant: %w", err)
	}
	return nil
}

// GetTenant returns the tenant, or [ErrNotFound] if it has no limits.
func GetTenant(ctx context.Context, tenants Tenants, name string) (Tenant, error) {
	limits, err := tenants.Tenant(ctx, name)
	if err != nil {
		return Tenant{}, fmt.Errorf("get a tenant: %w", err)
	}
	return Tenant{Name: name, Limits: limits}, nil
}

// ListTenants returns all tenants that have limits, in the order of their
// names. It reads the whole table.
func ListTenants(ctx context.Context, tenants Tenants) ([]Tenant, error) {
	all, err := tenants.ListTenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	return all, nil
}

func (t Tenant) validate() error {
	var errs []error
	if !contract.ValidTenant(t.Name) {
		errs = append(errs, errors.New("the name must be "+contract.TenantRule))
	}
	if t.TokensPerMinute < 0 || t.TokensPerDay < 0 {
		errs = append(errs, fmt.Errorf("%d tokens per minute or %d per day is negative: give 0 for no limit", t.TokensPerMinute, t.TokensPerDay))
	}
	sum := 0
	for _, region := range slices.Sorted(maps.Keys(t.Shares)) {
		percent := t.Shares[region]
		if region == "" || percent < 1 || percent > 100 {
			errs = append(errs, fmt.Errorf("the share of region %q is %d: give 1 to 100 percent", region, percent))
		}
		sum += percent
	}
	if sum > 100 {
		errs = append(errs, fmt.Errorf("the shares add up to %d percent: give 100 at most", sum))
	}
	return errors.Join(errs...)
}

// ReadShare returns the part of the tenant's limits that a region may let
// through, as [Limits.Share] does; the zero Budget if it has none.
func ReadShare(ctx context.Context, t Tenants, tenant, region string, regions []string) (contract.Budget, error) {
	limits, err := t.Tenant(ctx, tenant)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return contract.Budget{}, fmt.Errorf("read a tenant's limits: %w", err)
	}
	return limits.Share(region, regions), nil
}

// Share is the part of l that one of the regions of a stack may let through,
// rounded down: the parts of all never exceed l.
func (l Limits) Share(region string, regions []string) contract.Budget {
	part := func(limit int64) int64 {
		var share int64
		switch {
		case limit == 0:
			return 0
		case len(l.Shares) > 0:
			percent := int64(l.Shares[region])
			share = limit/100*percent + limit%100*percent/100
		case len(regions) > 0:
			share = limit / int64(len(regions))
		}
		if share == 0 {
			return contract.NoTokens
		}
		return share
	}
	return contract.Budget{TokensPerMinute: part(l.TokensPerMinute), TokensPerDay: part(l.TokensPerDay)}
}
