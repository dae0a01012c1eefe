package observability

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// periodSeconds is the length of a data point of every alarm and graph.
const periodSeconds = 60

// minRequests is how many requests a minute must have before a share of them
// means anything.
const minRequests = 10

// Comparisons of a data point with a threshold.
const (
	above = "GreaterThanThreshold"
	below = "LessThanThreshold"
)

// What a minute without data counts as.
const (
	quiet    = "notBreaching" // nothing happened
	breaking = "breaching"    // whatever should have reported is gone
)

// alarm is one row of the table: what is watched, and when it is too much.
type alarm struct {
	role       string // becomes part of the alarm's name
	about      string // what it means, for whoever is woken by it
	metrics    []metric
	expression string // over the metrics' ids; empty: the only metric itself
	comparison string
	threshold  float64
	breaching  int // data points ...
	periods    int // ... of the latest so many
	missing    string
}

// metric is one time series.
type metric struct {
	id         string // in an alarm's expression; empty without one
	namespace  string
	name       string
	statistic  string
	dimensions pulumi.StringMap
}

// table is every alarm of args.Region.
func table(args *RegionalAlarmsArgs) []alarm {
	own := args.Regions[slices.IndexFunc(args.Regions, func(r Region) bool { return r.Name == args.Region })]
	return slices.Concat(
		requestAlarms(args), apiAlarms(own), functionAlarms(args, own), replicationAlarms(own), healthAlarms(args))
}

// requestAlarms watch what the invoker says of its requests.
func requestAlarms(args *RegionalAlarmsArgs) []alarm {
	own := func(id, name, statistic string) metric {
		return metric{id, contract.MetricNamespace, name, statistic, pulumi.StringMap{
			contract.DimensionStack: pulumi.String(args.Stack), contract.DimensionRegion: pulumi.String(args.Region),
		}}
	}
	share := func(role, name string, percent float64, about string) alarm {
		return alarm{
			role: role, about: fmt.Sprintf("%s: over %g %% of the requests of %s. %s", role, percent, args.Region, about),
			metrics:    []metric{own("part", name, "Sum"), own("requests", contract.MetricRequests, "Sum")},
			expression: fmt.Sprintf("IF(requests >= %d, 100 * part / requests, 0)", minRequests),
			comparison: above, threshold: percent, breaching: 3, periods: 5, missing: quiet,
		}
	}
	first := cmp.Or(args.FirstTokenMillis, 10_000)
	return []alarm{
		share("errors", contract.MetricErrors, 5, "See the log of the invoker; drain the region if only it is affected."),
		share("throttles", contract.MetricThrottles, 10, "Bedrock's quota of the region is used up: raise it."),
		share("failovers", contract.MetricFailovers, 10, "Partners carry this region's inference: see which error came first."),
		{
			role: "first-token", metrics: []metric{own("", contract.MetricTimeToFirstToken, "p90")},
			about:      fmt.Sprintf("One in ten streamed answers of %s starts later than after %d ms.", args.Region, first),
			comparison: above, threshold: float64(first), breaching: 3, periods: 5, missing: quiet,
		},
		{
			role: "misconfigured", metrics: []metric{own("", contract.MetricMisconfigured, "Sum")},
			about: fmt.Sprintf("A target of %s refuses the role or lacks the model, and others hide it from callers: the invoker's log names it. "+
				"Mend its policy, its profile or the account's access to the model.", args.Region),
			// A target like this is called seldom, so that one minute in fifteen tells.
			comparison: above, breaching: 1, periods: 15, missing: quiet,
		},
		{
			role: "residency", metrics: []metric{own("", contract.MetricResidencyViolations, "Sum")},
			about:      "A request was refused because its target would leave the jurisdiction: the deployment is wrong.",
			comparison: above, breaching: 1, periods: 1, missing: quiet,
		},
		{
			role: "single-copies", metrics: []metric{own("", contract.MetricSingleCopies, "Sum")},
			about:      fmt.Sprintf("Turns stored by %s await replication in one region, since no other takes them: see which table does not answer.", args.Region),
			comparison: above, breaching: 3, periods: 5, missing: quiet,
		},
		{
			role: "uncounted", metrics: []metric{own("", contract.MetricUncounted, "Sum")},
			about:      fmt.Sprintf("Requests of %s are served that no budget counts, since the control table does not answer.", args.Region),
			comparison: above, breaching: 3, periods: 5, missing: quiet,
		},
	}
}

// apiAlarms watch what clients see of each operation that asks a model, and
// what Route 53 sees of health. The API's metric as a whole would drown the
// first in the second, whose 503 is how a drained region answers.
func apiAlarms(own Region) []alarm {
	var rows []alarm
	for _, route := range contract.Routes {
		row := alarm{
			role: route.Operation, about: fmt.Sprintf("Over 5 %% of %s %s in %s are answered with 5xx.", route.Method, route.Path, own.Name),
			// The average of this count is its share of all requests.
			metrics: []metric{{"", apiNamespace, "5XXError", "Average", pulumi.StringMap{
				"ApiName": own.API, "Stage": pulumi.String(own.Stage),
				"Method": pulumi.String(route.Method), "Resource": pulumi.String(route.Path),
			}}},
			comparison: above, threshold: 0.05, breaching: 3, periods: 5, missing: quiet,
		}
		switch {
		case route.Operation == contract.OpHealth && own.HealthCheck != nil:
			// Probes never cease, so that none is as bad as a failed one.
			row.threshold, row.missing = 0.5, breaking
			row.about = fmt.Sprintf("%s is unhealthy, drained or out of reach: its health checks fail or do not arrive, and clients are sent away.", own.Name)
		case !route.Inference:
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// functionAlarms watch functions that fail as such, and concurrency: at its
// limit a region answers nothing more, least of all for a partner.
func functionAlarms(args *RegionalAlarmsArgs, own Region) []alarm {
	const inUse, most = "ConcurrentExecutions", 0.8
	limit := cmp.Or(args.ConcurrencyLimit, 1000)
	rows := []alarm{{
		role: "concurrency", metrics: []metric{{"", lambdaNamespace, inUse, "Maximum", nil}},
		about:      fmt.Sprintf("All functions of the account use over 80 %% of the %d invocations at once that %s allows: raise the quota.", limit, own.Name),
		comparison: above, threshold: most * float64(limit), breaching: 3, periods: 5, missing: quiet,
	}}
	for _, role := range slices.Sorted(maps.Keys(own.Functions)) {
		f := own.Functions[role]
		dimensions := pulumi.StringMap{"FunctionName": f.Name}
		count := func(suffix, name, about string) alarm {
			return alarm{
				role: role + suffix, about: fmt.Sprintf("Function %s in %s: %s", role, own.Name, about),
				metrics:    []metric{{"", lambdaNamespace, name, "Sum", dimensions}},
				comparison: above, breaching: 3, periods: 5, missing: quiet,
			}
		}
		rows = append(rows,
			count("-crashes", "Errors", "invocations end without an answer or time out. See its log."),
			count("-throttled", "Throttles", "invocations are refused, for want of concurrency."))
		if f.ReservedConcurrency > 0 {
			rows = append(rows, alarm{
				role: role + "-concurrency", metrics: []metric{{"", lambdaNamespace, inUse, "Maximum", dimensions}},
				about:      fmt.Sprintf("Function %s in %s uses over 80 %% of its reserved %d invocations at once.", role, own.Name, f.ReservedConcurrency),
				comparison: above, threshold: most * float64(f.ReservedConcurrency), breaching: 3, periods: 5, missing: quiet,
			})
		}
	}
	return rows
}

// replicationAlarms watch how long what is written here takes to each other
// region; the sending region keeps the metric. Until a turn has arrived, its
// conversation cannot go on there.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
func replicationAlarms(own Region) []alarm {
	const seconds = 30
	var rows []alarm
	for _, role := range slices.Sorted(maps.Keys(own.Tables)) {
		for _, to := range own.Partners {
			rows = append(rows, alarm{
				role: role + "-to-" + to, about: fmt.Sprintf("The %s table of %s reaches %s later than after %d s.", role, own.Name, to, seconds),
				metrics: []metric{{"", tableNamespace, "ReplicationLatency", "Average", pulumi.StringMap{
					"TableName": own.Tables[role], "ReceivingRegion": pulumi.String(to),
				}}},
				comparison: above, threshold: seconds * 1000, breaching: 3, periods: 5, missing: quiet,
			})
		}
	}
	return rows
}

// healthAlarms watch the health checks of all regions, from where their state
// is known: in us-east-1. A stack without that region hears of its own health
// by what its regions answer to the probes; see apiAlarms.
func healthAlarms(args *RegionalAlarmsArgs) []alarm {
	var rows []alarm
	for _, r := range args.Regions {
		if args.Region != dnsRegion || r.HealthCheck == nil {
			continue
		}
		rows = append(rows, alarm{
			role: "health-" + r.Name, about: fmt.Sprintf("Clients are sent away from %s: it is unhealthy or drained.", r.Name),
			metrics: []metric{{"", dnsNamespace, "HealthCheckStatus", "Minimum", pulumi.StringMap{
				"HealthCheckId": r.HealthCheck,
			}}},
			comparison: below, threshold: 1, breaching: 1, periods: 1, missing: breaking,
		})
	}
	return rows
}
