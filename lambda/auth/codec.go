package auth

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func itemKey(partition, sort string) item {
	return item{contract.PartitionKey: text(partition), contract.SortKey: text(sort)}
}

func partitionKey(it item) string { return textOf(it, contract.PartitionKey) }

func sortKey(it item) string { return textOf(it, contract.SortKey) }

// textOf is "" for an attribute that is missing or no text.
func textOf(it item, name string) string {
	if s, ok := it[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// numberOf is 0 for an attribute that is missing.
func numberOf(it item, name string) (int64, error) {
	v, given := it[name]
	if !given {
		return 0, nil
	}
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("its %s is no number", name)
	}
	value, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read its %s: %w", name, err)
	}
	return value, nil
}

func encode(id string, r Record) item {
	it := itemKey(contract.KeyPartition(id), contract.KeySort)
	it[contract.AttrKeyHash] = text(r.Hash)
	it[contract.AttrKeyTenant] = text(r.Tenant)
	if len(r.Models) > 0 {
		it[contract.AttrKeyModels] = &types.AttributeValueMemberSS{Value: r.Models}
	}
	if !r.Expires.IsZero() {
		it[contract.AttrExpires] = number(r.Expires.Unix())
	}
	return it
}

// decode refuses an item of any other shape: one that it half understood might
// open more than it should.
func decode(it item) (Record, error) {
	r := Record{Hash: textOf(it, contract.AttrKeyHash), Grant: Grant{Tenant: textOf(it, contract.AttrKeyTenant)}}
	if r.Hash == "" || r.Tenant == "" {
		return Record{}, fmt.Errorf("its item lacks %s or %s", contract.AttrKeyHash, contract.AttrKeyTenant)
	}
	if v, given := it[contract.AttrKeyModels]; given {
		set, ok := v.(*types.AttributeValueMemberSS)
		if !ok {
			return Record{}, fmt.Errorf("its %s is no set of texts", contract.AttrKeyModels)
		}
		r.Models = slices.Sorted(slices.Values(set.Value))
	}
	expires, err := numberOf(it, contract.AttrExpires)
	if err != nil {
		return Record{}, err
	}
	if expires != 0 {
		r.Expires = time.Unix(expires, 0)
	}
	return r, nil
}

func encodeTenant(t Tenant) item {
	it := itemKey(contract.TenantPartition(t.Name), contract.TenantSort)
	if t.TokensPerMinute != 0 {
		it[contract.AttrTokensPerMinute] = number(t.TokensPerMinute)
	}
	if t.TokensPerDay != 0 {
		it[contract.AttrTokensPerDay] = number(t.TokensPerDay)
	}
	if len(t.Shares) > 0 {
		shares := item{}
		for region, percent := range t.Shares {
			shares[region] = number(int64(percent))
		}
		it[contract.AttrShares] = &types.AttributeValueMemberM{Value: shares}
	}
	return it
}

func decodeLimits(it item) (l Limits, err error) {
	var errs [2]error
	l.TokensPerMinute, errs[0] = numberOf(it, contract.AttrTokensPerMinute)
	l.TokensPerDay, errs[1] = numberOf(it, contract.AttrTokensPerDay)
	if err := errors.Join(errs[:]...); err != nil {
		return Limits{}, err
	}
	v, given := it[contract.AttrShares]
	if !given {
		return l, nil
	}
	shares, ok := v.(*types.AttributeValueMemberM)
	if !ok {
		return Limits{}, fmt.Errorf("its %s is no map", contract.AttrShares)
	}
	l.Shares = map[string]int{}
	for region := range shares.Value {
		percent, err := numberOf(shares.Value, region)
		if err != nil {
			return Limits{}, fmt.Errorf("its %s: %w", contract.AttrShares, err)
		}
		l.Shares[region] = int(percent)
	}
	return l, nil
}
