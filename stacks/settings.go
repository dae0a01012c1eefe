// Package stacks turns one stack's settings into its resources. It is the only
// room that reads configuration, and it refuses settings as a whole, naming
// every fault at once.
package stacks

import "cmp"

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
	// Rollout says how a new version comes to the regions. Default: ten minutes
	// from region to region, without canary.
	Rollout Rollout `json:"rollout"`
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
	// Offline leaves alone a region whose control planes do not answer: nothing
	// is asked there, and what the program must know of it comes from the
	// catalogue. Default: false.
	Offline bool `json:"offline"`
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
