// Package stacks turns one stack's settings into its resources. It is the only
// room that reads configuration, and it refuses settings as a whole, naming
// every fault at once.
package stacks

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Configuration keys, below the project's namespace.
const (
	settingsKey = "settings"
	platformKey = "platform"
)

// Settings is the object under crossregion:settings in Pulumi.<stack>.yaml.
type Settings struct {
	// Account is the only account to deploy into. Default: whichever the
	// credentials belong to.
	Account string `json:"account"`
	// Jurisdiction names the regions that may process or hold data; see
	// [Jurisdictions]. Required.
	Jurisdiction string `json:"jurisdiction"`
	// Regions of the stack. Required: two at least.
	Regions []Region `json:"regions"`
	// Models that callers may name. Required.
	Models []Model `json:"models"`
	// Domain is the stack's name. Default: none, regional endpoints only.
	Domain *Domain `json:"domain"`
	// Conversations says where tables live. Required.
	Conversations Conversations `json:"conversations"`
	// Usage says how long records of usage are kept.
	Usage Usage `json:"usage"`
	// Auth says how callers prove who they are. Default: apiKey.
	Auth Auth `json:"auth"`
	// FrontDoor puts one name over several stacks. Default: none.
	FrontDoor *FrontDoor `json:"frontDoor"`
	// HealthChecks say how quickly a region is given up. Default: every 30 s,
	// three times.
	HealthChecks HealthChecks `json:"healthChecks"`
	// Throttle bounds what each region's API lets in. Default: 100 requests a
	// second, 200 at once.
	Throttle Throttle `json:"throttle"`
	// Failover says how an answer is looked for among a model's targets.
	Failover Failover `json:"failover"`
	// Guardrail of each region, all or none. Default: none.
	Guardrail map[string]Guardrail `json:"guardrail"`
	// Logs say what is kept of the functions' and the API's logs.
	Logs Logs `json:"logs"`
	// Firewall puts a web application firewall before each API. Default: none.
	Firewall *Firewall `json:"firewall"`
	// Deployers are ARNs of all who deploy the stack or work on its tables by
	// hand; the keys let nobody else. Default: whoever runs the program, which
	// is right while there is one.
	Deployers []string `json:"deployers"`
	// Alarms say who hears of trouble. Default: the topics only.
	Alarms Alarms `json:"alarms"`
	// Tracing sends traces to X-Ray, which takes rights that AWS offers on
	// every resource only. Default: false.
	Tracing bool `json:"tracing"`
	// ReservedConcurrency keeps that many environments of each region for the
	// invoker, and 20 each for health and the authorizer. AWS wants 100 of a
	// region's quota left to others. Default: 0, none reserved.
	ReservedConcurrency int `json:"reservedConcurrency"`
	// CapacityCheck compares the quotas of failover partners at preview.
	// Default: true.
	CapacityCheck *bool `json:"capacityCheck"`
	// Protect guards what holds data against deletion. Default: true.
	Protect *bool `json:"protect"`
	// PermissionsBoundary is the ARN of a managed policy for every role.
	// Default: none.
	PermissionsBoundary string `json:"permissionsBoundary"`
	// Tags go to every resource that takes tags. Default: none but the
	// program's own.
	Tags map[string]string `json:"tags"`
}

// Region is one region of a stack.
type Region struct {
	// Name of the region. Required.
	Name string `json:"name"`
	// Failover names partners in the order in which they are tried. Required.
	Failover []string `json:"failover"`
}

// Model is a name that callers use, and what answers to it: a system-defined
// inference profile, or a foundation model in the region itself.
type Model struct {
	// Name is what callers put into "model". Required.
	Name string `json:"name"`
	// Profile is the ID of a system-defined inference profile.
	Profile string `json:"profile"`
	// Model is the ID of a foundation model that every region offers.
	Model string `json:"model"`
}

// Domain is a name in a public hosted zone of the account.
type Domain struct {
	// Name that clients use, e.g. "eu.llm.example.com". Required.
	Name string `json:"name"`
	// Zone is the hosted zone's name, e.g. "example.com". Required.
	Zone string `json:"zone"`
	// DualStack answers over IPv6 too. Default: false.
	DualStack bool `json:"dualStack"`
}

// Conversations says where the tables live.
type Conversations struct {
	// Home is the region that owns the global tables. Required; to change it
	// would replace them.
	Home string `json:"home"`
	// RecoveryPeriodInDays is how far back a table can be restored, 1 to 35.
	// Default: 35.
	RecoveryPeriodInDays int `json:"recoveryPeriodInDays"`
	// RetentionDays is how long a conversation lasts from its beginning, 1 to
	// 3650. Default: 30.
	RetentionDays int `json:"retentionDays"`
	// PairWriting writes each turn to a partner's replica too before its end is
	// told. Without it, a region takes with it what it has not yet replicated.
	// Default: true.
	PairWriting *bool `json:"pairWriting"`
	// TieBreaker is the region that goes on with conversations alone while the
	// other one is silent, in a stack of two; the other does not. Default: Home.
	TieBreaker string `json:"tieBreaker"`
}

func (c Conversations) retentionDays() int { return cmp.Or(c.RetentionDays, 30) }

func (c Conversations) tieBreaker() string { return cmp.Or(c.TieBreaker, c.Home) }

func (c Conversations) pairWriting() bool { return c.PairWriting == nil || *c.PairWriting }

// Usage says what is kept of who used how much.
type Usage struct {
	// RetentionDays is how long records of usage are kept, 1 to 3650. Default:
	// 400.
	RetentionDays int `json:"retentionDays"`
}

func (u Usage) retentionDays() int { return cmp.Or(u.RetentionDays, 400) }

// Auth says how callers prove who they are.
type Auth struct {
	// Mode is "apiKey" for keys that an operator hands out, "oidc" for tokens of
	// an OpenID Connect issuer, or "iam" for AWS's signatures. Default: "apiKey".
	Mode string `json:"mode"`
	// Issuer is the URL that tokens name; oidc only, and required there.
	Issuer string `json:"issuer"`
	// Audience must be among a token's; oidc only, and required there.
	Audience string `json:"audience"`
	// TenantClaim names the claim that holds the tenant; oidc only, and required
	// there.
	TenantClaim string `json:"tenantClaim"`
	// Algorithms are those that tokens may be signed with; oidc only. Default:
	// RS256 and ES256.
	Algorithms []string `json:"algorithms"`
}

// FrontDoor is a name over several stacks, answered by the country that a
// resolver stands in.
type FrontDoor struct {
	// Name that clients use, e.g. "llm.example.com". Required.
	Name string `json:"name"`
	// Zone is the hosted zone's name. Required.
	Zone string `json:"zone"`
	// Locations are the countries that this stack answers, as two letters.
	// Required.
	Locations []string `json:"locations"`
	// Default makes this stack answer wherever no stack is listed. One stack
	// at most. Default: false.
	Default bool `json:"default"`
	// OwnsValidation makes this stack prove the name to ACM. Exactly one stack
	// of an account must. Default: false.
	OwnsValidation bool `json:"ownsValidation"`
}

// HealthChecks say how Route 53 finds out that a region is down.
type HealthChecks struct {
	// IntervalSeconds between two probes of a checker: 10 or 30. Default: 30.
	IntervalSeconds int `json:"intervalSeconds"`
	// Threshold is how many probes in a row must agree, 1 to 10. Default: 3.
	Threshold int `json:"threshold"`
	// Regions are those that probe, three at least. Default: all of Route 53's.
	Regions []string `json:"regions"`
}

// Throttle bounds a region's API.
type Throttle struct {
	// RatePerSecond is the steady rate. Default: 100.
	RatePerSecond int `json:"ratePerSecond"`
	// Burst is how many may come at once. Default: 200.
	Burst int `json:"burst"`
}

// Guardrail is a Bedrock guardrail of one region.
type Guardrail struct {
	// ID of the guardrail. Required.
	ID string `json:"id"`
	// Version, a number or "DRAFT". Required.
	Version string `json:"version"`
	// Profile is the guardrail profile, if it is evaluated across regions.
	// Default: evaluated in its own region.
	Profile string `json:"profile"`
}

// Logs say what is kept, and for how long.
type Logs struct {
	// RetentionDays is a value that CloudWatch Logs knows. Default: 30.
	RetentionDays int `json:"retentionDays"`
	// Access logs each request at the API, without anything a caller wrote.
	// Default: false.
	Access bool `json:"access"`
	// OwnsAccountRole makes this stack set the role with which API Gateway
	// writes logs. It is one per account and region. Default: false.
	OwnsAccountRole bool `json:"ownsAccountRole"`
}

// Firewall bounds what one address may ask for.
type Firewall struct {
	// RequestsPerFiveMinutes of one address, 10 to 2,000,000,000. Required.
	RequestsPerFiveMinutes int `json:"requestsPerFiveMinutes"`
}

// Alarms say who hears of trouble.
type Alarms struct {
	// Emails are subscribed to every region's topic. Default: none.
	Emails []string `json:"emails"`
}

// protect reports whether what holds data is guarded.
func (s Settings) protect() bool { return s.Protect == nil || *s.Protect }

// LoadSettings reads and validates the stack's settings. The error names every
// fault with its path and what to do.
func LoadSettings(ctx *pulumi.Context) (Settings, error) {
	raw, err := config.Try(ctx, settingsKey)
	if err != nil {
		return Settings{}, fmt.Errorf("config %s:%s is missing: add it to Pulumi.%s.yaml", ctx.Project(), settingsKey, ctx.Stack())
	}
	if ctx.IsConfigSecret(ctx.Project() + ":" + settingsKey) {
		return Settings{}, fmt.Errorf("config %s:%s is a secret, and would be spread in plain text: "+
			"settings hold no secrets, store it in plain", ctx.Project(), settingsKey)
	}
	s, err := ParseSettings(raw)
	if err != nil {
		return Settings{}, fmt.Errorf("config %s:%s of stack %s:\n%w", ctx.Project(), settingsKey, ctx.Stack(), err)
	}
	return s, nil
}

// ParseConfig reads and validates everything that a project's namespace of a
// stack's configuration holds, given by full key. The error names every fault.
func ParseConfig(project string, config map[string]string) (Settings, error) {
	var all Faults
	for _, key := range slices.Sorted(maps.Keys(config)) {
		name, ours := strings.CutPrefix(key, project+":")
		if ours && name != settingsKey && name != platformKey {
			known := map[string]reflect.Type{settingsKey: nil, platformKey: nil}
			all = append(all, Fault{key, "unknown key", suggestion(name, known)})
		}
	}
	if raw, given := config[project+":"+platformKey]; given {
		if _, err := invoker.ParsePlatform(raw); err != nil {
			all = append(all, Fault{project + ":" + platformKey, err.Error(), "use linux/arm64 or linux/amd64"})
		}
	}
	raw, given := config[project+":"+settingsKey]
	if !given {
		return Settings{}, append(all, Fault{project + ":" + settingsKey, "missing", "see the settings table in README.md"})
	}
	s, err := ParseSettings(raw)
	var more Faults
	if errors.As(err, &more) {
		all = append(all, more...)
	}
	if len(all) > 0 {
		return Settings{}, all
	}
	return s, err
}

// ParseSettings decodes settings from JSON and validates them.
func ParseSettings(raw string) (Settings, error) {
	s, faults := decodeSettings(raw)
	faults = append(faults, unreported(s.validate(), faults)...)
	if len(faults) > 0 {
		return Settings{}, faults
	}
	return s, nil
}

// loadPlatform reads what the handlers are built for. The embedded cloud asks
// for its own machine's here, and for nothing else anywhere.
func loadPlatform(ctx *pulumi.Context) (invoker.Platform, error) {
	raw := config.Get(ctx, platformKey)
	if raw == "" {
		return invoker.DefaultPlatform, nil
	}
	p, err := invoker.ParsePlatform(raw)
	if err != nil {
		return p, fmt.Errorf("config %s:%s: %w", ctx.Project(), platformKey, err)
	}
	return p, nil
}
