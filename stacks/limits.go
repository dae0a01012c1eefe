package stacks

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/components/routing"
)

// retentions are the values that CloudWatch Logs knows, in days.
// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

var emailPattern = regexp.MustCompile(`^[^@\s<>"]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}$`)

// principalPattern takes no wildcard, which keys would follow: whoever it means
// would be let in.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
var principalPattern = regexp.MustCompile(`^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+$`)

var (
	guardrailPattern = regexp.MustCompile(`^[a-z0-9]+$`)
	versionPattern   = regexp.MustCompile(`^([1-9][0-9]{0,7}|DRAFT)$`)
)

// maxRetentionDays bounds how long data may be kept: ten years.
const maxRetentionDays = 3650

// between checks a number of which 0 means the default.
func (f *faults) between(path string, n, low, high int) {
	f.check(n == 0 || n >= low && n <= high, path, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("give %d to %d, or leave it out", low, high))
}

func (s Settings) validateLimits(f *faults) {
	f.between("conversations.recoveryPeriodInDays", s.Conversations.RecoveryPeriodInDays, 1, 35)
	f.between("conversations.retentionDays", s.Conversations.RetentionDays, 1, maxRetentionDays)
	f.between("usage.retentionDays", s.Usage.RetentionDays, 1, maxRetentionDays)
	f.between("throttle.ratePerSecond", s.Throttle.RatePerSecond, 1, 10_000)
	f.between("throttle.burst", s.Throttle.Burst, 1, 5_000)
	f.between("reservedConcurrency", s.ReservedConcurrency, 1, 10_000)
	f.between("healthChecks.threshold", s.HealthChecks.Threshold, 1, 10)
	f.check(slices.Contains([]int{0, 10, 30}, s.HealthChecks.IntervalSeconds), "healthChecks.intervalSeconds",
		fmt.Sprintf("%d is not an interval of Route 53", s.HealthChecks.IntervalSeconds), "give 10 or 30, or leave it out")
	f.check(s.HealthChecks.Regions == nil || len(s.HealthChecks.Regions) >= 3, "healthChecks.regions",
		fmt.Sprintf("%d region(s) given", len(s.HealthChecks.Regions)), "give three at least, or leave it out")
	checkers := routing.CheckerRegions()
	for i, r := range s.HealthChecks.Regions {
		f.check(slices.Contains(checkers, r), fmt.Sprintf("healthChecks.regions[%d]", i), fmt.Sprintf("Route 53 has no checkers in %q", r),
			"choose from "+strings.Join(checkers, ", "))
		f.check(slices.Index(s.HealthChecks.Regions, r) == i, fmt.Sprintf("healthChecks.regions[%d]", i), fmt.Sprintf("%q is listed twice", r), "remove one")
	}
	f.check(s.Logs.RetentionDays == 0 || slices.Contains(retentions, s.Logs.RetentionDays), "logs.retentionDays",
		fmt.Sprintf("%d days are not a retention of CloudWatch Logs", s.Logs.RetentionDays), "choose from "+strings.Trim(fmt.Sprint(retentions), "[]"))
	f.check(!s.Logs.OwnsAccountRole || s.Logs.Access, "logs.ownsAccountRole", "is set without access logs", "set logs.access too, or leave both out")
	if s.Firewall != nil {
		n := s.Firewall.RequestsPerFiveMinutes
		f.check(n >= 10 && n <= 2_000_000_000, "firewall.requestsPerFiveMinutes", fmt.Sprintf("%d is out of range", n), "give 10 to 2000000000")
	}
	for i, arn := range s.Deployers {
		f.check(principalPattern.MatchString(arn), fmt.Sprintf("deployers[%d]", i), fmt.Sprintf("%q is not the ARN of a role or user", arn),
			"give arn:aws:iam::ACCOUNT:role/NAME or …:user/NAME, of each one")
	}
	for i, address := range s.Alarms.Emails {
		path := fmt.Sprintf("alarms.emails[%d]", i)
		f.check(emailPattern.MatchString(address), path, fmt.Sprintf("%q is not an e-mail address", address), "give it bare, as in ops@example.com")
		f.check(slices.Index(s.Alarms.Emails, address) == i, path, fmt.Sprintf("%q is listed twice", address), "remove one")
	}
}

func (s Settings) validateGuardrail(f *faults) {
	if len(s.Guardrail) == 0 {
		return
	}
	names := s.regionNames()
	for _, r := range names {
		_, given := s.Guardrail[r]
		f.check(given, "guardrail", fmt.Sprintf("region %q has none", r), "give one for every region: a request may be answered from each")
	}
	for _, r := range slices.Sorted(maps.Keys(s.Guardrail)) {
		g, path := s.Guardrail[r], "guardrail."+r
		f.check(slices.Contains(names, r), path, fmt.Sprintf("%q is not one of the stack's regions", r), "remove it")
		f.check(g.ID != "", path+".id", "missing", "give the guardrail's ID")
		f.check(g.Version != "", path+".version", "missing", `give a number in quotes, or "DRAFT"`)
		f.check(g.ID == "" || guardrailPattern.MatchString(g.ID), path+".id", fmt.Sprintf("%q is not the ID of a guardrail", g.ID), "give the ID alone, not the ARN")
		f.check(g.Version == "" || versionPattern.MatchString(g.Version), path+".version", fmt.Sprintf("%q is not a version", g.Version), `give a number in quotes, or "DRAFT"`)
	}
}

func (s Settings) validateFrontDoor(f *faults) {
	d := s.FrontDoor
	if d == nil {
		return
	}
	f.check(s.Domain != nil, "frontDoor", "leads nowhere: the stack has no domain", "give the stack a domain, or remove it")
	f.check(domainPattern.MatchString(d.Name) && len(d.Name) <= maxCertificateName, "frontDoor.name", fmt.Sprintf("%q is not a domain name", d.Name),
		"give a lower-case name such as llm.example.com")
	f.check(strings.HasSuffix(d.Name, "."+d.Zone), "frontDoor.name", fmt.Sprintf("%q is not under zone %q", d.Name, d.Zone),
		"choose a name that ends in the zone's")
	if s.Domain != nil {
		f.check(d.Name != s.Domain.Name && !strings.HasSuffix(d.Name, "."+s.Domain.Name), "frontDoor.name",
			fmt.Sprintf("%q is or lies under the stack's own name", d.Name), "choose a name beside or above "+s.Domain.Name)
	}
	f.check(len(d.Locations) > 0 || d.Default, "frontDoor.locations", "no country given", "list the countries that this stack answers, e.g. [DE, FR]")
	for i, country := range d.Locations {
		path := fmt.Sprintf("frontDoor.locations[%d]", i)
		f.check(routing.IsCountry(country), path, fmt.Sprintf("%q is not a country that Route 53 knows", country),
			"give two capital letters of ISO 3166, e.g. DE; the United Kingdom is GB, and the European Union is no country")
		f.check(slices.Index(d.Locations, country) == i, path, fmt.Sprintf("%q is listed twice", country), "remove one")
	}
}
