package policy_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/policy"
	"github.com/crossregion/crossregion/stacks"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxServiceControl is the longest service control policy.
// Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
const maxServiceControl = 5120

// control is the policy of a stack, as AWS would read it.
func control(t *testing.T, root, stack string) *iam.Policy {
	t.Helper()
	d, err := policy.Control(policy.Options{Root: root, Stack: stack})
	require.NoError(t, err)
	text, err := json.MarshalIndent(d, "", "  ")
	require.NoError(t, err)
	assert.LessOrEqual(t, len(text), maxServiceControl)
	for _, s := range d.Statement {
		assert.Equal(t, "Deny", s.Effect, "what it allowed, nobody else could forbid below it")
	}
	parsed, err := iam.ParsePolicy(string(text))
	require.NoError(t, err)
	return parsed
}

// TestControl: nothing leaves the jurisdiction of a European stack, whoever asks.
func TestControl(t *testing.T) {
	eu := control(t, filepath.Join("..", ".."), "eu")
	for _, row := range []struct {
		action, region, mode string
		denied               bool
	}{
		{"bedrock:InvokeModelWithResponseStream", "eu-south-2", "", false},
		{"bedrock:InvokeModelWithResponseStream", "eu-west-2", "", true},
		{"bedrock:InvokeModel", "us-east-1", "", true},
		{"bedrock:InvokeModel", "unspecified", "", true},
		{"dynamodb:CreateTable", "eu-west-3", "", false},
		{"dynamodb:PutItem", "us-east-1", "", true},
		{"s3:PutObject", "us-east-1", "", true},
		{"logs:CreateLogGroup", "eu-central-2", "", true},
		{"cloudfront:CreateDistribution", "us-east-1", "", true},
		{"globalaccelerator:CreateAccelerator", "us-west-2", "", true},
		{"iam:CreateRole", "us-east-1", "", false},
		{"route53:ChangeResourceRecordSets", "us-east-1", "", false},
		{"cloudwatch:GetMetricData", "us-east-1", "", false},
		{"cloudwatch:PutMetricData", "us-east-1", "", true},
		{"bedrock:PutAccountDataRetention", "eu-west-1", "none", false},
		{"bedrock:PutAccountDataRetention", "eu-west-1", "default", true},
		{"bedrock-mantle:UpdateProject", "eu-west-1", "provider_data_share", true},
		{"bedrock:PutModelInvocationLoggingConfiguration", "eu-west-1", "", true},
		{"bedrock:DeleteModelInvocationLoggingConfiguration", "eu-west-1", "", false},
	} {
		t.Run(strings.Join([]string{row.action, row.region, row.mode}, " "), func(t *testing.T) {
			service, _, _ := strings.Cut(row.action, ":")
			keys := cloud.Keys{"aws:RequestedRegion": {row.region}}
			if row.mode != "" {
				keys[service+":DataRetentionMode"] = []string{row.mode}
			}
			got := eu.Decide(iam.Ask{Action: row.action, Resource: "*", Keys: keys})
			assert.Equal(t, row.denied, got == iam.Denied)
		})
	}
}

// TestControlLetsTheStackBeDeployed: of what deploying takes nothing is denied, in
// the region of the resource that it is for.
func TestControlLetsTheStackBeDeployed(t *testing.T) {
	for _, row := range []struct{ stack, root, home string }{
		{"eu", filepath.Join("..", ".."), "eu-central-1"}, {"prod", filepath.Join("..", ".."), "us-east-1"}, {"all", "testdata", "eu-central-1"},
	} {
		t.Run(row.stack, func(t *testing.T) {
			scp, asked := control(t, row.root, row.stack), 0
			for _, d := range documents(t, row.root, row.stack) {
				for _, s := range d.Statement {
					for _, ask := range asks(s, row.home) {
						asked++
						assert.NotEqual(t, iam.Denied, scp.Decide(ask), "%s on %s in %v", ask.Action, ask.Resource, ask.Keys)
					}
				}
			}
			assert.Greater(t, asked, 100)
		})
	}
}

// asks are the requests that a statement allows: to IAM and Route 53, which AWS
// runs from us-east-1, or in the region that a resource is in, home for those
// that name none.
func asks(s policy.Statement, home string) []iam.Ask {
	var all []iam.Ask
	for _, action := range s.Action {
		for _, resource := range s.Resource {
			region := home
			if fields := strings.Split(resource, ":"); len(fields) > 3 && fields[3] != "" && fields[3] != "*" {
				region = fields[3]
			}
			if service, _, _ := strings.Cut(action, ":"); service == "iam" || service == "route53" {
				region = "us-east-1"
			}
			all = append(all, iam.Ask{Action: action, Resource: resource, Keys: cloud.Keys{"aws:RequestedRegion": {region}}})
		}
	}
	return all
}

func TestControlOfTheWholeWorld(t *testing.T) {
	d := policy.ControlOf("global")
	for _, s := range d.Statement {
		assert.NotContains(t, s.Condition["StringNotEquals"], "aws:RequestedRegion")
	}
	for _, name := range stacks.Jurisdictions() {
		bounded := slices.ContainsFunc(policy.ControlOf(name).Statement, func(s policy.Statement) bool { return s.NotAction != nil })
		assert.Equal(t, name != "global", bounded, name)
	}
}

func TestControlCommand(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	var out bytes.Buffer
	require.NoError(t, policy.Command(t.Context(), []string{"--stack", "eu", "--scp"}, &out))
	var got policy.Document
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Len(t, got.Statement, 4)
	assert.ErrorContains(t, policy.Command(t.Context(), []string{"--scp", "--read-only"}, &out), "--scp goes with --stack only")
}
