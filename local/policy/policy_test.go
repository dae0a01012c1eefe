package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/policy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// maxManagedPolicy is the longest managed policy, without white space.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxManagedPolicy = 6144

func documents(t *testing.T, root, stack string) map[string]policy.Document {
	t.Helper()
	got, err := policy.Documents(t.Context(), policy.Options{Root: root, Stack: stack, Account: "123456789012"})
	require.NoError(t, err)
	return got
}

// TestPolicies compares what deploying takes with golden files: of a stack of
// this project, and of one with everything switched on.
func TestPolicies(t *testing.T) {
	for stack, root := range map[string]string{"eu": filepath.Join("..", ".."), "all": "testdata"} {
		t.Run(stack, func(t *testing.T) {
			got := documents(t, root, stack)
			assertFits(t, got)
			pretty, err := json.MarshalIndent(got, "", "  ")
			require.NoError(t, err)
			golden := filepath.Join("testdata", stack+".json")
			if *update {
				require.NoError(t, os.WriteFile(golden, append(pretty, '\n'), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(pretty)+"\n")
		})
	}
}

// assertFits fails t for a document that is longer than a managed policy.
func assertFits(t *testing.T, documents map[string]policy.Document) {
	t.Helper()
	for name, d := range documents {
		compact, err := json.Marshal(d)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(compact), maxManagedPolicy, name)
		assert.NotEmpty(t, d.Statement, name)
	}
}

const stateKey = "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// TestLongPoliciesAreSplit: every part fits a managed policy, and together they
// have all statements.
func TestLongPoliciesAreSplit(t *testing.T) {
	for name, o := range map[string]policy.Options{
		"a preview of three regions": {Root: filepath.Join("..", ".."), Stack: "prod", ReadOnly: true},
		"a preview of six regions":   {Root: "testdata", Stack: "six", ReadOnly: true},
		"six regions":                {Root: "testdata", Stack: "six"},
	} {
		t.Run(name, func(t *testing.T) {
			o.Account, o.StateBucket, o.StateKey = "123456789012", "acme-pulumi", stateKey
			got, err := policy.Documents(t.Context(), o)
			require.NoError(t, err)
			assertFits(t, got)
			var all []string
			for _, d := range got {
				for _, s := range d.Statement {
					all = append(all, s.Action...)
				}
			}
			for _, want := range []string{"iam:GetRole", "dynamodb:DescribeTable", "route53:GetHealthCheck", "s3:ListBucket", "kms:Decrypt"} {
				assert.Contains(t, all, want)
			}
			if !o.ReadOnly {
				assert.Contains(t, got, "deploy-edge-2")
			}
		})
	}
	_, err := policy.Split(map[string]policy.Document{"long": {Statement: []policy.Statement{{
		Action: []string{"s3:GetObject"}, Resource: slices.Repeat([]string{"arn:aws:s3:::acme-pulumi"}, 300),
	}}}})
	assert.ErrorContains(t, err, "policy long: the statement on [s3:GetObject] alone has")
}

// unscoped are the actions that AWS offers on every resource only, or that make
// what has no name yet, and then carry the stack's tag.
var unscoped = []string{
	"acm:AddTagsToCertificate", "acm:RequestCertificate", "kms:CreateKey", "kms:ListAliases", "kms:TagResource",
	"route53:CreateHealthCheck", "route53:ListHostedZones", "route53:ListHostedZonesByName",
	"servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota", "servicequotas:ListAWSDefaultServiceQuotas",
	"servicequotas:ListServiceQuotas", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe", "tag:GetResources",
}

// TestRightsAreNarrow: no action is a pattern, none is on every resource but those
// that have to be, and nothing of another stack's roles is passed on.
func TestRightsAreNarrow(t *testing.T) {
	action := regexp.MustCompile(`^[a-z0-9]+:[A-Za-z]+$`)
	for name, d := range documents(t, "testdata", "all") {
		for _, s := range d.Statement {
			for _, a := range s.Action {
				assert.Regexp(t, action, a)
				if slices.Contains(s.Resource, "*") {
					assert.Contains(t, unscoped, a, name)
				}
			}
			if slices.Contains(s.Action, "iam:PassRole") {
				assert.Equal(t, []string{"lambda.amazonaws.com", "apigateway.amazonaws.com"}, s.Condition["StringEquals"]["iam:PassedToService"])
			}
			if slices.Contains(s.Action, "iam:CreateRole") || slices.Contains(s.Action, "iam:PutRolePolicy") {
				assert.Equal(t, []string{"arn:aws:iam::123456789012:policy/boundary"}, s.Condition["StringEquals"]["iam:PermissionsBoundary"],
					"a role without the boundary could do more than the deployer")
			}
			for _, r := range s.Resource {
				if strings.Contains(r, ":role/") && !strings.Contains(r, "aws-service-role") {
					assert.Regexp(t, `:role/eu-(central|west)-1-\*$`, r)
				}
			}
		}
	}
}

// granting are the statements of documents that allow an action on a resource.
func granting(documents map[string]policy.Document, action, resource string) []policy.Statement {
	var found []policy.Statement
	for _, d := range documents {
		for _, s := range d.Statement {
			if slices.Contains(s.Action, action) && slices.Contains(s.Resource, resource) {
				found = append(found, s)
			}
		}
	}
	return found
}

// TestRightsGoByTheTag: what AWS gives no name to choose is removed and changed
// only if it has the stack's tag, and what is new is read without waiting for it.
func TestRightsGoByTheTag(t *testing.T) {
	const key, certificate = "arn:aws:kms:eu-west-1:123456789012:key/*", "arn:aws:acm:eu-west-1:123456789012:certificate/*"
	const profile = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/*"
	const api, domain = "arn:aws:apigateway:eu-west-1::/restapis/*", "arn:aws:apigateway:eu-west-1::/domainnames/*"
	got := documents(t, "testdata", "all")
	for _, row := range []struct {
		action, resource string
		tagged           bool
	}{
		{"kms:PutKeyPolicy", key, true},
		{"kms:ScheduleKeyDeletion", key, true},
		{"kms:EnableKeyRotation", key, false},
		{"kms:DescribeKey", key, false},
		{"acm:DeleteCertificate", certificate, true},
		{"acm:DescribeCertificate", certificate, false},
		{"bedrock:DeleteInferenceProfile", profile, true},
		{"bedrock:UntagResource", profile, true},
		{"bedrock:GetInferenceProfile", profile, false},
		{"apigateway:DELETE", api, true},
		{"apigateway:POST", api, true},
		{"apigateway:GET", api, false},
		{"apigateway:PATCH", domain, true},
	} {
		t.Run(row.action+" "+row.resource, func(t *testing.T) {
			statements := granting(got, row.action, row.resource)
			require.Len(t, statements, 1)
			want := map[string]map[string][]string(nil)
			if row.tagged {
				want = map[string]map[string][]string{"StringEquals": {"aws:ResourceTag/crossregion:stack": {"all"}}}
			}
			assert.Equal(t, want, statements[0].Condition)
		})
	}
}

// TestRightsThatAWSAsksBesides: on other resources than the one that is made, or
// on none.
func TestRightsThatAWSAsksBesides(t *testing.T) {
	got := documents(t, "testdata", "all")
	for _, action := range []string{"wafv2:CreateWebACL", "wafv2:UpdateWebACL"} {
		assert.Len(t, granting(got, action, "arn:aws:wafv2:eu-west-1:123456789012:regional/managedruleset/*"), 1, action)
	}
	for _, action := range []string{"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"} {
		assert.Len(t, granting(got, action, "*"), 1, action)
	}
}

// made notes the ARNs of all that is created.
type made struct {
	deploy.Target

	mu   sync.Mutex
	arns map[string]string // tokens by ARN
}

// Create implements deploy.Target, without a boundary, which is no resource of
// the embedded cloud.
func (m *made) Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	inputs = maps.Clone(inputs)
	delete(inputs, "permissionsBoundary")
	state, err := m.Target.Create(ctx, token, region, name, inputs)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, output := range []string{"arn", "dashboardArn"} {
		if arn, ok := state.Outputs[output].(string); ok {
			m.arns[arn] = token
		}
	}
	return state, err
}

// changeable reports whether the policies allow changing what has the ARN, by an
// action of its service on a resource that is more than "*".
func changeable(documents map[string]policy.Document, arn string) bool {
	changes := func(action string) bool {
		return policy.Changes(action) && strings.HasPrefix(action, strings.Split(arn, ":")[2]+":")
	}
	matches := func(resource string) bool {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(resource), `\*`, ".*")
		return resource != "*" && regexp.MustCompile("^"+pattern+"$").MatchString(arn)
	}
	for _, d := range documents {
		for _, s := range d.Statement {
			if slices.ContainsFunc(s.Action, changes) && slices.ContainsFunc(s.Resource, matches) {
				return true
			}
		}
	}
	return false
}

// TestWhatIsMadeIsCovered: the names that the policies spell are those that the
// stack's resources get.
func TestWhatIsMadeIsCovered(t *testing.T) {
	stack, err := deploy.Load("testdata", "all")
	require.NoError(t, err)
	a, err := account.Open(account.Config{Port: "0", Viewer: "eu-west-1", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	stack.Prepare(a)
	m := &made{Target: a, arns: map[string]string{}}
	_, err = stack.Deploy(t.Context(), m, func(deploy.Resource) {})
	require.NoError(t, err)
	assert.Greater(t, len(m.arns), 100)
	got := documents(t, "testdata", "all")
	for arn, token := range m.arns {
		assert.True(t, changeable(got, arn), "%s %s", token, arn)
	}
}

// TestReadingChangesNothing: a preview's policy is a part of the deployment's.
func TestReadingChangesNothing(t *testing.T) {
	got, err := policy.Documents(t.Context(), policy.Options{
		Root: filepath.Join("..", ".."), Stack: "eu", Account: "123456789012", ReadOnly: true, StateBucket: "states",
	})
	require.NoError(t, err)
	var all []string
	for name, d := range got {
		assert.Regexp(t, `^preview(-2)?$`, name)
		for _, s := range d.Statement {
			all = append(all, s.Action...)
		}
	}
	for _, a := range all {
		assert.Regexp(t, `^[a-z0-9]+:(Get|List|Describe|GET$)`, a)
	}
	assert.Contains(t, all, "dynamodb:DescribeTable")
	assert.Contains(t, all, "s3:GetObject")
	assert.NotContains(t, all, "dynamodb:GetItem", "what tenants said is no configuration")
}

// TestEveryTypeHasItsRights: what the embedded cloud stands in for, the program
// may come to register.
func TestEveryTypeHasItsRights(t *testing.T) {
	a, err := account.Open(account.Config{Port: "0", Viewer: "eu-west-1", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	for _, r := range slices.Concat(a.IAM.Resources(), a.KMS.Resources(), a.DynamoDB.Resources(), a.Bedrock.Resources(), a.Lambda.Resources(),
		a.Route53.Resources(), a.ACM.Resources(), a.APIGateway.Resources(), a.WAFV2.Resources(), a.SNS.Resources(), a.CloudWatch.Resources()) {
		assert.True(t, policy.Known(r.Token), "add %s to the table of local/policy", r.Token)
	}
	for _, f := range slices.Concat([]cloud.Function{}, a.DynamoDB.Functions(), a.IAM.Functions(), a.Bedrock.Functions(), a.Route53.Functions(), a.Quotas.Functions()) {
		assert.True(t, policy.Known(f.Token), "add %s to the table of local/policy", f.Token)
	}
	_, err = policy.DocumentsFor("aws:sqs/queue:Queue")
	assert.ErrorContains(t, err, "aws:sqs/queue:Queue: its rights are not known: add to the table of local/policy")
}

// TestPoliciesAreForOneAccount: that of the settings, if they name one.
func TestPoliciesAreForOneAccount(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"Pulumi.yaml", "Pulumi.all.yaml"} {
		content, err := os.ReadFile(filepath.Join("testdata", file))
		require.NoError(t, err)
		own := strings.ReplaceAll(string(content), "123456789012", "210987654321")
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(own), 0o600))
	}
	got, err := policy.Documents(t.Context(), policy.Options{Root: root, Stack: "all"})
	require.NoError(t, err)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	assert.Contains(t, string(text), "arn:aws:iam::210987654321:role/")
	assert.NotContains(t, string(text), "123456789012")

	_, err = policy.Documents(t.Context(), policy.Options{Root: root, Stack: "all", Account: "123456789012"})
	assert.ErrorContains(t, err, "--account 123456789012: the settings of stack all allow only 210987654321; leave --account out")
	_, err = policy.Documents(t.Context(), policy.Options{Root: filepath.Join("..", ".."), Stack: "eu", Account: "12"})
	assert.ErrorContains(t, err, "--account 12: give the 12 digits")
}

func TestCommand(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	var out bytes.Buffer
	require.NoError(t, policy.Command(t.Context(), []string{"--stack", "eu", "--account", "123456789012"}, &out))
	var got map[string]policy.Document
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Len(t, got, 3)
	assert.ErrorContains(t, policy.Command(t.Context(), []string{"--stack", "eu"}, &out), "give --account")
	assert.ErrorContains(t, policy.Command(t.Context(), []string{"--stack", "eu", "--account", "123456789012", "--state-key", "alias/pulumi"}, &out),
		"--state-key alias/pulumi: give the key's ARN")
	assert.ErrorContains(t, policy.Command(t.Context(), []string{"more"}, &out), "takes no argument")
	require.NoError(t, policy.Command(t.Context(), []string{"-h"}, &out))
	assert.Contains(t, out.String(), "usage: go run ./local policy")
}
