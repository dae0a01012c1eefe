package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keys of the authorizer's context, which API Gateway hands to the invoker as
// strings.
const (
	// ContextTenant holds the tenant of a request, which comes from here and
	// nowhere else.
	ContextTenant = "tenant"
	// ContextKeyID holds the id of the API key that a request came with. It is
	// neither the key nor its secret.
	ContextKeyID = "keyId"
	// ContextModels holds the models that the credential opens, with commas; it
	// is missing if it opens all.
	ContextModels = "models"
	// ContextExpires is when the credential opens nothing any more, in seconds
	// since the epoch; it is missing if that never comes. API Gateway keeps an
	// authorizer's answer longer than that.
	ContextExpires = "expires"
)

// Caller is who makes a request, and what it may ask for.
type Caller struct {
	// Tenant owns whatever the request reads or writes. Empty on a route that
	// needs no credential.
	Tenant string
	// KeyID names the credential, if it is an API key. It is not the credential.
	KeyID string
	// Models are the names that the credential opens; all, if there are none.
	Models []string
	// Expires is when the credential opens nothing any more; zero means never.
	Expires time.Time
}

// MayUse reports whether the credential opens the model that callers name so.
func (c Caller) MayUse(model string) bool {
	return len(c.Models) == 0 || slices.Contains(c.Models, model)
}

// Expired reports whether the credential opens nothing at now.
func (c Caller) Expired(now time.Time) bool { return !c.Expires.IsZero() && !now.Before(c.Expires) }

// Context is what an authorizer answers about c. [ReadCaller] reads it.
func (c Caller) Context() map[string]any {
	context := map[string]any{ContextTenant: c.Tenant}
	set := func(key, value string, given bool) {
		if given {
			context[key] = value
		}
	}
	set(ContextKeyID, c.KeyID, c.KeyID != "")
	set(ContextModels, strings.Join(c.Models, ","), len(c.Models) > 0)
	set(ContextExpires, strconv.FormatInt(c.Expires.Unix(), 10), !c.Expires.IsZero())
	return context
}

// ReadCaller reads what [Caller.Context] wrote and API Gateway passed on. What
// it cannot read is an error, since it might be a limit.
func ReadCaller(context map[string]any) (Caller, error) {
	c := Caller{}
	var models, expires string
	for key, to := range map[string]*string{ContextTenant: &c.Tenant, ContextKeyID: &c.KeyID, ContextModels: &models, ContextExpires: &expires} {
		value, ok := context[key].(string)
		if !ok && context[key] != nil {
			return Caller{}, fmt.Errorf("read the authorizer's context: %s is no text", key)
		}
		*to = value
	}
	if models != "" {
		c.Models = strings.Split(models, ",")
	}
	if context[ContextExpires] != nil {
		at, err := strconv.ParseInt(expires, 10, 64)
		if err != nil {
			return Caller{}, fmt.Errorf("read the authorizer's context: %s is no number", ContextExpires)
		}
		c.Expires = time.Unix(at, 0)
	}
	return c, nil
}

// tenantLetters are all that a tenant may have. They are compared one by one:
// compiling a pattern is a good part of what a function takes to start.
const tenantLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

const maxTenant = 64 // characters

// TenantRule says in words which tenants [ValidTenant] takes.
const TenantRule = "1 to 64 characters of a-z, A-Z, 0-9, '-' and '_'"

// ValidTenant reports whether a tenant can be part of a key of the tables
// without spelling another's.
func ValidTenant(tenant string) bool {
	return tenant != "" && len(tenant) <= maxTenant && strings.Trim(tenant, tenantLetters) == ""
}
