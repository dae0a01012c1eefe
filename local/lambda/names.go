package lambda

import (
	"regexp"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// latest is the version that can change; AWS numbers the published ones from 1.
const latest = "$LATEST"

// Patterns of AWS's API.
// Source: https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
var (
	namePattern   = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
	digits        = regexp.MustCompile(`^[0-9]+$`)
	keyPattern    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	actionPattern = regexp.MustCompile(`^(lambda:\*|lambda:[a-zA-Z]+|\*)$`)
	sourcePattern = regexp.MustCompile(`^arn:aws[a-zA-Z0-9-]*:[a-zA-Z0-9-]+:([a-z]{2}-[a-z]+-\d)?:(\d{12})?:.*$`)
)

// reference names a function and, where its caller gave one, a version or alias.
type reference struct{ region, name, qualifier string }

// parseARN reads the ARN of a function, version or alias of this account.
func parseARN(arn string) (reference, error) {
	place, ok := cloud.ParseARN(arn)
	function, named := strings.CutPrefix(place.Resource, "function:")
	name, qualifier, _ := strings.Cut(function, ":")
	if !ok || !named || place.Service != "lambda" || strings.Contains(qualifier, ":") {
		return reference{}, cloud.Refuse("ValidationException", "%q is not the ARN of a function", arn)
	}
	if place.Account != cloud.Account {
		return reference{}, notFound("Function not found: %s", arn)
	}
	return reference{place.Region, name, qualifier}, nil
}

// parseName reads what a resource of a region calls a function: its name or
// its ARN.
func parseName(region, name string) (reference, error) {
	if !strings.HasPrefix(name, "arn:") {
		base, qualifier, _ := strings.Cut(name, ":")
		return reference{region, base, qualifier}, nil
	}
	ref, err := parseARN(name)
	if err != nil {
		return ref, err
	}
	if ref.region != region {
		return ref, notFound("Functions from '%s' are not reachable in this region ('%s')", ref.region, region)
	}
	return ref, nil
}

// arn is that of the function, without qualifier.
func (r reference) arn() string { return functionARN(r.region, r.name) }

func functionARN(region, name string) string {
	return cloud.ARN("lambda", region, "function:"+name)
}

// invokeARN is the URI that API Gateway's integrations take.
func invokeARN(region, arn string) string {
	return "arn:" + cloud.Partition + ":apigateway:" + region + ":lambda:path/2015-03-31/functions/" + arn + "/invocations"
}
