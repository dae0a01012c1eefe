package stacks_test

import (
	"regexp"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// evident says under which heading of the residency report a type of resource
// that processes or stores content is found.
var evident = map[string]string{
	"aws:lambda/function:Function":           "API and functions",
	"aws:apigateway/restApi:RestApi":         "API and functions",
	"aws:dynamodb/table:Table":               "conversation table",
	"aws:dynamodb/tableReplica:TableReplica": "conversation table",
	"aws:cloudwatch/logGroup:LogGroup":       "logs",
	"aws:wafv2/webAcl:WebAcl":                "firewall",
}

// TestTheEvidenceHasEveryPlace compares the report with what is registered,
// with everything switched on that adds a place.
func TestTheEvidenceHasEveryPlace(t *testing.T) {
	stack := load(t, "eu")
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
		s["firewall"] = map[string]any{"requestsPerFiveMinutes": 1000}
		s["logs"] = map[string]any{"access": true}
		s["tracing"] = true
	})
	var report string
	rec := componenttest.New(calls(inJurisdiction))
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		err := stacks.Program(ctx)
		if text, ok := ctx.GetCurrentExportMap()["residency"].(pulumi.String); ok {
			report = string(text)
		}
		return err
	}, as(stack)))
	has := func(what, region string) bool {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(what) + ` \| [a-z]+ \| ` + region + ` \| yes \|`)
		return row.MatchString(report)
	}
	for token, what := range evident {
		require.NotEmpty(t, rec.Of(token), token)
		for _, r := range rec.Of(token) {
			assert.True(t, has(what, r.Region), "the report does not say that %s %s is in %s", token, r.Name, r.Region)
		}
	}
	for _, r := range stack.Settings.Regions {
		for _, what := range []string{"traces", "access logs", "restore points of both tables", "model nova-pro, called from " + r.Name} {
			assert.True(t, has(what, r.Name), "the report has no %s in %s", what, r.Name)
		}
	}
}
