package routing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Checks says how Route 53 probes regions.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
type Checks struct {
	// IntervalSeconds between two probes of one checker: 10 or 30. Probes at 10
	// are charged more. To change it replaces the health checks, and new ones
	// count all regions as unhealthy until they have probed: for that time each
	// client gets its nearest region, be it down or drained. Default: 30.
	IntervalSeconds int
	// Threshold is the number of probes in a row that change a checker's mind,
	// 1 to 10. Default: 3.
	Threshold int
	// CheckerRegions are where probes come from, three at least. None of the
	// choices keeps them within the European Union; they carry no data of
	// clients. See [Checks.Vetoes] for what few of them mean. Default: all that
	// Route 53 has; for the drain flag, three away from the regions.
	CheckerRegions []string
}

// What is not given is as Route 53 has it.
const (
	defaultInterval  = 30
	defaultThreshold = 3
)

// CheckerRegions returns the regions where Route 53 has checkers.
func CheckerRegions() []string { return strings.Fields(checkerRegions) }

// checkerRegions are those regions, each far from its neighbours in the list, so
// that the first few are spread over the world.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
const checkerRegions = "us-east-1 eu-west-1 ap-northeast-1 sa-east-1 us-west-2 ap-southeast-1 us-west-1 ap-southeast-2"

// agreement is the percentage of its checkers that must find an endpoint
// healthy; exactly that many do not suffice.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
const agreement = 18

// fewestCheckers is the least number of regions that a check may be probed from.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
const fewestCheckers = 3

// Vetoes are those of the given regions whose own checkers are enough to keep
// them healthy, be they cut off from everywhere else: their clients elsewhere
// are not moved then. There are none among six places and more, of which each
// has less than 18 % of the checkers, if all have as many. AWS does not say how
// many a place has; by default, it says, no single one decides.
func (c Checks) Vetoes(regions []string) []string {
	if n := len(c.CheckerRegions); n == 0 || 100 <= agreement*n {
		return nil
	}
	var vetoes []string
	for _, r := range regions {
		if slices.Contains(c.CheckerRegions, r) {
			vetoes = append(vetoes, r)
		}
	}
	return vetoes
}

// flagCheckers are where the drain flags of regions are asked from. Whoever
// reads that a region is drained is right, so that one reader of three suffices
// where two of eight would be needed, and three cost less. They are away from
// the regions: a partner that only its own checkers reach, and whose flag may be
// out of date, does not decide.
func (c Checks) flagCheckers(regions []Region) []string {
	if len(c.CheckerRegions) > 0 {
		return c.CheckerRegions
	}
	away := slices.DeleteFunc(CheckerRegions(), func(place string) bool {
		return slices.ContainsFunc(regions, func(r Region) bool { return r.Name == place })
	})
	if len(away) < fewestCheckers {
		return nil
	}
	return away[:fewestCheckers]
}

func (c Checks) interval() int  { return cmp.Or(c.IntervalSeconds, defaultInterval) }
func (c Checks) threshold() int { return cmp.Or(c.Threshold, defaultThreshold) }

func (c Checks) validate() error {
	var errs []error
	if c.interval() != 10 && c.interval() != 30 {
		errs = append(errs, fmt.Errorf("probes every %d seconds: Route 53 knows 10 and 30", c.IntervalSeconds))
	}
	if c.threshold() < 1 || c.threshold() > 10 {
		errs = append(errs, fmt.Errorf("a threshold of %d probes: Route 53 takes 1 to 10", c.Threshold))
	}
	known := CheckerRegions()
	for _, r := range c.CheckerRegions {
		if !slices.Contains(known, r) {
			errs = append(errs, fmt.Errorf("checkers in %q: Route 53 has them in %s", r, strings.Join(known, ", ")))
		}
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(c.CheckerRegions)))
	if n := len(distinct); n != len(c.CheckerRegions) || n > 0 && n < fewestCheckers {
		errs = append(errs, fmt.Errorf("checkers in %q: name three different regions at least, or none for all", c.CheckerRegions))
	}
	return errors.Join(errs...)
}

// What a window is made of besides probes.
const (
	// probeTimeout is how long a probe waits: 4 s for the connection and 2 s
	// for the status. The interval to the next begins when it ends.
	// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
	probeTimeout = 6 * time.Second
	// aggregation is what Route 53 takes to make one status of its checkers'
	// and to tell its name servers. It is assumed: AWS names no number.
	aggregation = 10 * time.Second
	// recordTTL is how long resolvers keep an alias to API Gateway. It is
	// assumed: an alias has the TTL of its target, which AWS does not document.
	recordTTL = 60 * time.Second
)

// Window is the time within which clients of a region that went down get
// another from DNS: for as long they may fail, if their retries lead back to
// it. It leaves out clients that keep addresses for longer than they may.
func (c Checks) Window() time.Duration {
	probe := time.Duration(c.interval())*time.Second + probeTimeout
	return time.Duration(c.threshold())*probe + aggregation + recordTTL
}

// check registers what decides whether a region is healthy: that its own
// /healthz answers well, and that its partner does not say that it is drained.
// So a region that is drained but cannot tell, say because its replica of the
// flag is cut off, is drained nevertheless; and a partner that does not answer
// says nothing, so that it takes no other region down with it.
func (t *tree) check(r Region) error {
	endpoint, err := t.probe(r.Name+"-endpoint", r.Name, route53.HealthCheckArgs{
		Type: pulumi.String("HTTPS"), ResourcePath: pulumi.String(contract.HealthPath), Regions: places(t.Checks.CheckerRegions),
	})
	if err != nil {
		return err
	}
	drained, err := t.probe(r.Name+"-drained", r.Partner, route53.HealthCheckArgs{
		Type: pulumi.String("HTTPS_STR_MATCH"), ResourcePath: pulumi.String(contract.DrainedPath(r.Name)),
		SearchString: pulumi.String(contract.DrainedAnswer(r.Name, true)), InvertHealthcheck: pulumi.Bool(true),
		Regions: places(t.Checks.flagCheckers(t.Regions)),
	})
	if err != nil {
		return err
	}
	t.checks[r.Name], err = route53.NewHealthCheck(t.ctx, t.name+"-"+r.Name+"-health", &route53.HealthCheckArgs{
		Type: pulumi.String("CALCULATED"), ChildHealthThreshold: pulumi.Int(2),
		ChildHealthchecks: pulumi.StringArray{endpoint.ID(), drained.ID()}, Tags: t.title(r.Name + "-health"),
	}, pulumi.Parent(t.parent))
	return err
}

// probe registers a health check of a region's own name: on the shared name it
// would probe whoever is nearest to the checker. It waits for that name, since
// one that is not there yet fails.
func (t *tree) probe(role, region string, args route53.HealthCheckArgs) (*route53.HealthCheck, error) {
	args.Fqdn, args.Port = pulumi.String(t.ownName(region)), pulumi.Int(443)
	args.EnableSni = pulumi.Bool(true) // the provider's default is false for all types but HTTPS; API Gateway needs it
	args.RequestInterval, args.FailureThreshold = pulumi.Int(t.Checks.interval()), pulumi.Int(t.Checks.threshold())
	args.Tags = t.title(role)
	return route53.NewHealthCheck(t.ctx, t.name+"-"+role, &args, pulumi.Parent(t.parent), pulumi.DependsOn(t.own[region]))
}

// places are the regions of a check's checkers, all if none are named. They are
// always told: Route 53 reports all of a check that was made without, which is then
// a difference, and refuses to go from some to none.
// Source: https://github.com/hashicorp/terraform-provider-aws/issues/45824
func places(names []string) pulumi.StringArrayInput {
	if len(names) == 0 {
		names = CheckerRegions()
	}
	return pulumi.ToStringArray(names)
}

// title names a health check in the console, which shows nothing else of it
// but an ID.
func (t *tree) title(role string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(t.Domain + " " + role)}
}

func (t *tree) healthCheckIDs() pulumi.StringMapOutput {
	ids := pulumi.StringMap{}
	for region, check := range t.checks {
		ids[region] = check.ID()
	}
	return ids.ToStringMapOutput()
}
