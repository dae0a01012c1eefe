package contract

import "fmt"

// HealthPath is the path of [OpHealth], which health checks probe.
const HealthPath = "/healthz"

// HealthDrained is the "status" in what [HealthPath] answers, with 503, in a
// region that is drained.
const HealthDrained = "drained"

// QueryDrained is the query parameter of [OpHealth] that asks one region
// whether another of the stack, named by its value, is drained.
const QueryDrained = "drained"

// DrainedPath is the path and query that ask whether a region is drained.
func DrainedPath(region string) string { return HealthPath + "?" + QueryDrained + "=" + region }

// DrainedAnswer is the whole body that answers [DrainedPath]. Health checks
// search for it as it stands, byte for byte.
func DrainedAnswer(region string, drained bool) string {
	return fmt.Sprintf(`{"drained":%t,"region":%q}`, drained, region)
}
