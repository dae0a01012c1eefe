package engine_test

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
	leaves   string   // a region
}

// TestUpdates makes each kind of change to each stack while clients ask, and
// finds them all answered, with at most one retry.
func TestUpdates(t *testing.T) {
	needsEngine(t)
	for _, j := range journeys {
		t.Run(j.stack, j.travel)
	}
}

func (j journey) travel(t *testing.T) {
	r, err := up.Start(t.Context(), up.Options{Root: root, Stack: j.stack, Listen: "127.0.0.1:0", State: t.TempDir(), Speed: 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	c := ask(t, r, j.home, j.partner, j.leaving)
	settings, alterations := map[string]any{}, []func(string, any){}
	for _, ch := range j.changes(t, r) {
		t.Run(ch.name, func(t *testing.T) {
			maps.Copy(settings, ch.settings)
			if ch.alter != nil {
				alterations = append(alterations, ch.alter)
			}
			if ch.before != nil {
				ch.before()
			}
			stack := load(t, j.stack, settings)
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
			if ch.leaves != "" {
				recordsGoFirst(t, got, ch.leaves)
			}
		})
	}
	t.Run("the new region serves", func(t *testing.T) { serves(t, r, j.joining) })
	t.Run("nothing is left to do", func(t *testing.T) { settled(t, r.Engine) })
	t.Run("another cloud takes the state over", func(t *testing.T) { j.movesOn(t, r) })
	t.Run("the home stays", func(t *testing.T) { j.keepsHome(t, r) })
}

// changes are what happens to the stack, in that order.
func (j journey) changes(t *testing.T, r *up.Running) []change {
	invoker, health, key := j.partner+"-invoker-fn", j.partner+"-health-fn", j.partner+"-encryption-key"
	return []change{
		{
			name: "retention", settings: map[string]any{"logs": map[string]any{"retentionDays": 7}},
			updated: []string{j.partner + "-invoker-logs"},
		},
		{name: "code", updated: []string{invoker, j.partner + "-invoker-alias"}, alter: rotated(t)},
		{
			name: "the OpenAPI document", alter: retitle(j.title),
			updated: []string{j.partner + "-gateway-api", j.partner + "-gateway-stage"}, replaced: "*-gateway-deployment",
		},
		{
			name: "a model more", settings: map[string]any{"models": j.models()},
			created: "*-inference-claude-haiku", updated: []string{invoker, j.partner + "-invoker-role-invoke-models"},
		},
		{
			name: "a region more", settings: map[string]any{"regions": j.four(j.leaving)},
			created: "*" + j.joining + "*", updated: []string{key, health},
		},
		{
			name: "a partner less", settings: map[string]any{"regions": j.four(j.joining)}, before: func() { j.drain(t, r) },
			created: "*-alarms-*-to-" + j.joining, deleted: "*-alarms-*-to-" + j.leaving, updated: []string{invoker},
		},
		{
			name: "a region less", settings: map[string]any{"regions": j.three()}, before: func() { j.unguard(t, r) },
			deleted: "*" + j.leaving + "*", updated: []string{key, health}, leaves: j.leaving,
		},
	}
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
}

// recordsGoFirst finds that clients were led to a region no more before what
// serves there went.
func recordsGoFirst(t *testing.T, got record, region string) {
	t.Helper()
	for _, record := range []string{"latency", "primary", "own"} {
		gone := got.index("delete", "routing-"+region+"-"+record)
		require.GreaterOrEqual(t, gone, 0)
		for _, part := range []string{"shared-mapping", "stage", "api"} {
			assert.Less(t, gone, got.index("delete", region+"-gateway-"+part), "clients are led to %s no more before %s goes", region, part)
		}
	}
}

// rotated gives functions a zip that another build would have made.
func rotated(t *testing.T) func(string, any) {
	made := map[string]string{} // by the zip that was built
	return func(_ string, args any) {
		fn, ok := args.(*lambda.FunctionArgs)
		if !ok {
			return
		}
		built := fn.Code.(pulumi.Archive).Path()
		if made[built] == "" {
			made[built] = rotate(t, built)
		}
		fn.Code = pulumi.NewFileArchive(made[built])
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
func retitle(title string) func(string, any) {
	return func(_ string, args any) {
		switch a := args.(type) {
		case *apigateway.RestApiArgs:
			a.Body = a.Body.ToStringPtrOutput().ApplyT(func(body *string) *string {
				changed := strings.Replace(*body, title, "another title", 1)
				return &changed
			}).(pulumi.StringPtrOutput)
		case *apigateway.DeploymentArgs:
			a.Triggers = a.Triggers.ToStringMapOutput().ApplyT(func(triggers map[string]string) map[string]string {
				triggers["document"] += "-retitled"
				return triggers
			}).(pulumi.StringMapOutput)
		}
	}
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
func (j journey) movesOn(t *testing.T, r *up.Running) {
	t.Helper()
	a, err := account.Open(account.Config{Port: "0", Viewer: j.home, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	load(t, j.stack, nil).Prepare(a)
	state, err := r.Engine.Export(t.Context())
	require.NoError(t, err)
	require.NoError(t, provider.Restore(t.Context(), a, state.Deployment))
	assert.Equal(t, r.Account.Resources(), a.Resources())
}

// keepsHome asks for another home, and then for a stack without it: both are
// refused before anything is changed.
func (j journey) keepsHome(t *testing.T, r *up.Running) {
	t.Helper()
	for _, list := range [][]any{j.three(), j.homeless()} {
		stack := load(t, j.stack, map[string]any{"models": j.models(), "regions": list, "conversations": map[string]any{"home": j.partner}})
		require.NoError(t, r.Engine.Configure(t.Context(), stack))
		r.Engine.Workspace().SetProgram(stack.Program())
		got, err := update(t, r.Engine)
		require.Error(t, err)
		assert.Contains(t, strings.Join(got.warnings, "\n"), fmt.Sprintf("%q is not the home that the tables were created in, %q", j.partner, j.home))
		for _, s := range got.steps {
			assert.NotContains(t, []string{"delete", "create-replacement"}, s.op, s.name)
		}
	}
}
