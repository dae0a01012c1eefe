// Package observability watches a stack: alarms in each region, which tell a
// topic of that region, and one dashboard with every region side by side. What
// is watched is data, in tables of metrics that AWS or the invoker emits.
//
// It refuses to watch what would stay silent for ever, such as a metric that
// does not exist in the region of its alarm.
package observability

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Region is what there is to watch in one region of a stack.
type Region struct {
	// Name of the region. Required.
	Name string
	// API is the name of the REST API, with metrics by method switched on for
	// Stage. Required.
	API pulumi.StringInput
	// Stage is the name of the API's stage. Required.
	Stage string
	// Functions by the role that they play, which becomes part of a resource's
	// name. At least one.
	Functions map[string]Function
	// Tables are the names of global tables with a replica here, by the role
	// that they play. Default: none.
	Tables map[string]pulumi.StringInput
	// Partners are the regions that take over when this one goes, by name:
	// replication towards them is watched. Not towards all, or alarms would
	// grow with the square of the regions. Default: none.
	Partners []string
	// HealthCheck is the ID of the region's health check. Default: none, as in
	// a stack without a domain.
	HealthCheck pulumi.StringInput
}

// Function is a Lambda function to watch.
type Function struct {
	// Name of the function, without alias. Required.
	Name pulumi.StringInput
	// ReservedConcurrency is how many invocations it may have at once. Zero:
	// it shares what the account has in the region.
	ReservedConcurrency int
}

func validate(stack string, regions []Region) error {
	var errs []error
	if stack == "" {
		errs = append(errs, errors.New("missing Stack"))
	}
	if len(regions) == 0 {
		errs = append(errs, errors.New("missing Regions"))
	}
	seen := map[string]bool{}
	for i, r := range regions {
		if r.Name == "" || r.API == nil || r.Stage == "" || len(r.Functions) == 0 {
			errs = append(errs, fmt.Errorf("missing Name, API, Stage or Functions in Regions[%d] (%q)", i, r.Name))
		}
		if seen[r.Name] {
			errs = append(errs, fmt.Errorf("region %q stands twice in Regions", r.Name))
		}
		seen[r.Name] = true
	}
	return errors.Join(errs...)
}

// CloudWatch namespaces of AWS's own metrics.
const (
	apiNamespace    = "AWS/ApiGateway"
	tableNamespace  = "AWS/DynamoDB"
	lambdaNamespace = "AWS/Lambda"
	dnsNamespace    = "AWS/Route53"
)

// dnsRegion is the only region in which Route 53 publishes the state of health
// checks, wherever they probe.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
const dnsRegion = "us-east-1"
