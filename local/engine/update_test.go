package engine_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/provider"
	"github.com/crossregion/crossregion/local/up"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A region that joins the stack, and one that leaves it.
const (
	joining = "eu-west-3"
	leaving = "eu-north-1"
)

func regions(failover map[string][]string, names ...string) []any {
	var list []any
	for _, name := range names {
		list = append(list, map[string]any{"name": name, "failover": failover[name]})
	}
	return list
}

var (
	models = []any{
		map[string]any{"name": "claude-sonnet", "profile": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		map[string]any{"name": "nova-pro", "profile": "eu.amazon.nova-pro-v1:0"},
		map[string]any{"name": "claude-haiku", "profile": "eu.anthropic.claude-haiku-4-5-20251001-v1:0"},
	}
	four = regions(map[string][]string{
		"eu-central-1": {"eu-west-1", leaving}, "eu-west-1": {"eu-central-1", leaving},
		leaving: {"eu-central-1", "eu-west-1"}, joining: {"eu-west-1", "eu-central-1"},
	}, "eu-central-1", "eu-west-1", leaving, joining)
	lonely = regions(map[string][]string{
		"eu-central-1": {"eu-west-1", joining}, "eu-west-1": {"eu-central-1", joining},
		leaving: {"eu-central-1", "eu-west-1"}, joining: {"eu-west-1", "eu-central-1"},
	}, "eu-central-1", "eu-west-1", leaving, joining)
	three = regions(map[string][]string{
		"eu-central-1": {"eu-west-1", joining}, "eu-west-1": {"eu-central-1", joining}, joining: {"eu-west-1", "eu-central-1"},
	}, "eu-central-1", "eu-west-1", joining)
	homeless = regions(map[string][]string{"eu-west-1": {joining}, joining: {"eu-west-1"}}, "eu-west-1", joining)
)

// stateful are types whose replacement loses something.
var stateful = []string{
	"aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica", "aws:kms/key:Key", "aws:cloudwatch/logGroup:LogGroup",
}

// change is one update of a deployed stack, on top of those before it.
type change struct {
	name     string
	settings map[string]any
	alter    func(name string, args any) // the program's resources
	before   func()
	created  string   // pattern of the names of what is created; nothing else is
	deleted  string   // likewise
	replaced string   // likewise, with the old one deleted after the new one is made
	updated  []string // some of what is changed in place
}

// TestUpdates makes each kind of change to one stack while clients ask, and
// finds them all answered, with at most one retry.
func TestUpdates(t *testing.T) {
	needsEngine(t)
	r, err := up.Start(t.Context(), up.Options{Root: root, Stack: "eu", Listen: "127.0.0.1:0", State: t.TempDir(), Speed: 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	rotated := map[string]string{} // by the zip that was built
	c := ask(t, r, "eu-central-1", "eu-west-1", leaving)
	changes := []change{
		{
			name: "retention", settings: map[string]any{"logs": map[string]any{"retentionDays": 7}},
			updated: []string{"eu-west-1-invoker-logs"},
		},
		{
			name: "code", updated: []string{"eu-west-1-invoker-fn", "eu-west-1-invoker-alias"},
			alter: func(_ string, args any) {
				if fn, ok := args.(*lambda.FunctionArgs); ok {
					built := fn.Code.(pulumi.Archive).Path()
					if rotated[built] == "" {
						rotated[built] = rotate(t, built)
					}
					fn.Code = pulumi.NewFileArchive(rotated[built])
				}
			},
		},
		{
			name: "the OpenAPI document", alter: retitle,
			updated: []string{"eu-west-1-gateway-api", "eu-west-1-gateway-stage"}, replaced: "*-gateway-deployment",
		},
		{
			name: "a model more", settings: map[string]any{"models": models},
			created: "*-inference-claude-haiku", updated: []string{"eu-west-1-invoker-fn", "eu-west-1-invoker-role-invoke-models"},
		},
		{
			name: "a region more", settings: map[string]any{"regions": four},
			created: "*" + joining + "*", updated: []string{"eu-west-1-encryption-key", "eu-west-1-health-fn"},
		},
		{
			name: "a partner less", settings: map[string]any{"regions": lonely}, before: func() { drain(t, r) },
			created: "*-alarms-*-to-" + joining, deleted: "*-alarms-*-to-" + leaving,
			updated: []string{"eu-west-1-invoker-fn"},
		},
		{
			name: "a region less", settings: map[string]any{"regions": three}, before: func() { unguard(t, r) },
			deleted: "*" + leaving + "*", updated: []string{"eu-west-1-encryption-key", "eu-west-1-health-fn"},
		},
	}
	settings, alterations := map[string]any{}, []func(string, any){}
	for _, ch := range changes {
		t.Run(ch.name, func(t *testing.T) {
			maps.Copy(settings, ch.settings)
			if ch.alter != nil {
				alterations = append(alterations, ch.alter)
			}
			if ch.before != nil {
				ch.before()
			}
			stack := load(t, "eu", settings)
			require.NoError(t, r.Engine.Configure(t.Context(), stack))
			transform(r.Engine, stack, func(name string, args any) {
				for _, alter := range alterations {
					alter(name, args)
				}
			})
			var got record
			answered, failures := c.during(func() { got, err = update(t, r.Engine) })
			require.NoError(t, err)
			t.Logf("%s: %d requests answered", got.took.Round(100_000_000), answered)
			assert.Empty(t, failures)
			assert.Positive(t, answered)
			ch.check(t, got)
		})
	}
	t.Run("the new region serves", func(t *testing.T) { serves(t, r, joining) })
	t.Run("nothing is left to do", func(t *testing.T) { settled(t, r.Engine) })
	t.Run("another cloud takes the state over", func(t *testing.T) { movesOn(t, r) })
	t.Run("the home stays", func(t *testing.T) { keepsHome(t, r) })
}

// check compares what was done with what the change may do.
func (ch change) check(t *testing.T, got record) {
	t.Helper()
	for op, pattern := range map[string]string{"create": ch.created, "delete": ch.deleted, "create-replacement": ch.replaced, "delete-replaced": ch.replaced} {
		names := got.of(op)
		assert.Equal(t, names, matching(names, pattern), "nothing else: %s", op)
		if pattern != "" {
			assert.NotEmpty(t, names, op)
		}
	}
	for _, name := range ch.updated {
		assert.Contains(t, got.of("update"), name)
	}
	for _, s := range got.steps {
		if slices.Contains(stateful, s.kind) {
			assert.NotContains(t, []string{"create-replacement", "delete-replaced", "replace"}, s.op, "%s loses its state", s.name)
		}
	}
	if ch.deleted == "*"+leaving+"*" {
		for _, record := range []string{"latency", "primary", "own"} {
			gone := got.index("delete", "routing-"+leaving+"-"+record)
			require.GreaterOrEqual(t, gone, 0)
			for _, part := range []string{"shared-mapping", "stage", "api"} {
				assert.Less(t, gone, got.index("delete", leaving+"-gateway-"+part), "clients are led to %s no more before %s goes", leaving, part)
			}
		}
	}
}

// rotate is a handler's zip as another build would make it.
func rotate(t *testing.T, built string) string {
	t.Helper()
	from, err := zip.OpenReader(built)
	require.NoError(t, err)
	defer from.Close()
	path := filepath.Join(t.TempDir(), filepath.Base(built))
	f, err := os.Create(path)
	require.NoError(t, err)
	to := zip.NewWriter(f)
	for _, file := range from.File {
		require.NoError(t, to.Copy(file))
	}
	w, err := to.Create("rotated")
	require.NoError(t, err)
	_, err = io.WriteString(w, "by a test")
	require.NoError(t, err)
	require.NoError(t, to.Close())
	require.NoError(t, f.Close())
	return path
}

// retitle changes the OpenAPI document, and its digest as the program would.
func retitle(_ string, args any) {
	switch a := args.(type) {
	case *apigateway.RestApiArgs:
		a.Body = a.Body.ToStringPtrOutput().ApplyT(func(body *string) *string {
			changed := strings.Replace(*body, "crossregion eu", "crossregion of Europe", 1)
			return &changed
		}).(pulumi.StringPtrOutput)
	case *apigateway.DeploymentArgs:
		a.Triggers = a.Triggers.ToStringMapOutput().ApplyT(func(triggers map[string]string) map[string]string {
			triggers["document"] += "-retitled"
			return triggers
		}).(pulumi.StringMapOutput)
	}
}

// drain takes the leaving region out of DNS, as an operator does, and waits
// until its clients are led elsewhere.
func drain(t *testing.T, r *up.Running) {
	t.Helper()
	operator := r.Account.IAM.Operator()
	table := dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(r.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(operator.AccessKeyID, operator.SecretAccessKey, operator.SessionToken),
	})
	_, err := table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(r.ControlTable), Item: map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.DrainPartition(leaving)},
		contract.SortKey:      &types.AttributeValueMemberS{Value: contract.DrainSort},
	}})
	require.NoError(t, err)
	n, err := newNear(r, leaving)
	require.NoError(t, err)
	own, err := n.resolver.LookupHost(t.Context(), leaving+"."+r.Domain+".")
	require.NoError(t, err)
	require.NoError(t, eventually(t.Context(), "DNS leads away from "+leaving, func() bool {
		now, err := n.resolver.LookupHost(t.Context(), r.Domain+".")
		return err == nil && !slices.Equal(now, own)
	}))
}

// unguard takes the guards off what holds the leaving region's data, as
// docs/operations.md says.
func unguard(t *testing.T, r *up.Running) {
	t.Helper()
	guarded := []string{leaving + "-conversation-content", leaving + "-conversation-control", leaving + "-encryption-key"}
	state, err := r.Engine.Export(t.Context())
	require.NoError(t, err)
	var known struct {
		Resources []struct {
			URN, Type, ID string
			Inputs        map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(state.Deployment, &known))
	for _, res := range known.Resources {
		if !slices.Contains(guarded, res.URN[strings.LastIndex(res.URN, "::")+2:]) {
			continue
		}
		if res.Type == "aws:dynamodb/tableReplica:TableReplica" {
			e, _, err := r.Account.Read(res.Type, leaving, res.ID)
			require.NoError(t, err)
			inputs := maps.Clone(e.Inputs)
			inputs["deletionProtectionEnabled"] = false
			_, err = r.Account.Update(t.Context(), res.Type, leaving, res.ID, inputs)
			require.NoError(t, err)
		}
		ws := r.Engine.Workspace()
		var env []string
		for k, v := range ws.GetEnvVars() {
			env = append(env, k+"="+v)
		}
		_, said, _, err := ws.PulumiCommand().Run(t.Context(), ws.WorkDir(), nil, nil, nil, env, "state", "unprotect", res.URN, "--yes", "--stack", "eu")
		require.NoError(t, err, said)
		guarded = slices.DeleteFunc(guarded, func(name string) bool { return strings.HasSuffix(res.URN, "::"+name) })
	}
	require.Empty(t, guarded)
}

// serves asks a region by its own name.
func serves(t *testing.T, r *up.Running, region string) {
	t.Helper()
	n, err := newNear(r, region)
	require.NoError(t, err)
	defer n.transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+region+"."+r.Domain+"/v1/models", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+r.APIKey)
	res, err := n.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, res.StatusCode, "%s", body)
	assert.Contains(t, string(body), "claude-haiku")
	assert.Equal(t, region, res.Header.Get(contract.HeaderRegion))
}

// movesOn makes all that the engine knows again, in a cloud of its own.
func movesOn(t *testing.T, r *up.Running) {
	t.Helper()
	a, err := account.Open(account.Config{Port: "0", Viewer: "eu-central-1", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	load(t, "eu", nil).Prepare(a)
	state, err := r.Engine.Export(t.Context())
	require.NoError(t, err)
	require.NoError(t, provider.Restore(t.Context(), a, state.Deployment))
	assert.Equal(t, r.Account.Resources(), a.Resources())
}

// keepsHome asks for another home, and then for a stack without it: both are
// refused before anything is changed.
func keepsHome(t *testing.T, r *up.Running) {
	t.Helper()
	for _, list := range [][]any{three, homeless} {
		stack := load(t, "eu", map[string]any{"models": models, "regions": list, "conversations": map[string]any{"home": "eu-west-1"}})
		require.NoError(t, r.Engine.Configure(t.Context(), stack))
		r.Engine.Workspace().SetProgram(stack.Program())
		got, err := update(t, r.Engine)
		require.Error(t, err)
		assert.Contains(t, strings.Join(got.warnings, "\n"), `"eu-west-1" is not the home that the tables were created in, "eu-central-1"`)
		for _, s := range got.steps {
			assert.NotContains(t, []string{"delete", "create-replacement"}, s.op, s.name)
		}
	}
}
