package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	embedded "github.com/crossregion/crossregion/local/engine"
	"github.com/crossregion/crossregion/local/place"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// host runs the program for the CLI, as Go's language host would run its binary.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	program pulumi.RunFunc
}

// Run implements pulumirpc.LanguageRuntimeServer.
func (h *host) Run(ctx context.Context, r *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	pctx, err := pulumi.NewContext(ctx, pulumi.RunInfo{
		EngineAddr: r.GetArgs()[0], MonitorAddr: r.GetMonitorAddress(), Config: r.GetConfig(), ConfigSecretKeys: r.GetConfigSecretKeys(),
		Project: r.GetProject(), Stack: r.GetStack(), Parallel: r.GetParallel(), DryRun: r.GetDryRun(), Organization: r.GetOrganization(),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = pctx.Close() }()
	if err := pulumi.RunWithContext(pctx, h.program); err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

// GetRequiredPlugins implements pulumirpc.LanguageRuntimeServer.
func (h *host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// GetPluginInfo implements pulumirpc.LanguageRuntimeServer.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

// real is a stack under Pulumi's own CLI, in the embedded cloud.
type real struct {
	t        *testing.T
	root     string // of the project
	engine   *embedded.Engine
	cloud    *account.Account
	cfg      aws.Config
	clock    *fakeClock
	out      *strings.Builder
	down     string         // the region whose control planes do not answer
	denied   string         // type of resource that nobody may create or change
	dataLoss bool           // the option
	asked    map[string]int // health endpoints, by host
}

// half is a cloud of which one region's control planes may be down.
type half struct {
	*account.Account
	real *real
}

func (h half) refuse(region, token string) error {
	switch {
	case region == h.real.down:
		return fmt.Errorf("the control planes of %s do not answer", region)
	case token != "" && token == h.real.denied:
		return fmt.Errorf("AccessDenied: %s", token)
	}
	return nil
}

// Create implements provider.Cloud, as all below.
func (h half) Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	if err := h.refuse(region, token); err != nil {
		return cloud.State{}, err
	}
	return h.Account.Create(ctx, token, region, name, inputs)
}

func (h half) Call(ctx context.Context, token, region string, args map[string]any) (map[string]any, error) {
	if err := h.refuse(region, ""); err != nil {
		return nil, err
	}
	return h.Account.Call(ctx, token, region, args)
}

func (h half) Read(token, region, id string) (cloud.Existing, bool, error) {
	if err := h.refuse(region, ""); err != nil {
		return cloud.Existing{}, false, err
	}
	return h.Account.Read(token, region, id)
}

func (h half) Update(ctx context.Context, token, region, id string, inputs map[string]any) (cloud.State, error) {
	if err := h.refuse(region, token); err != nil {
		return cloud.State{}, err
	}
	return h.Account.Update(ctx, token, region, id, inputs)
}

func (h half) Delete(ctx context.Context, token, region, id string) error {
	if err := h.refuse(region, ""); err != nil {
		return err
	}
	return h.Account.Delete(ctx, token, region, id)
}

// load reads stack eu in a project's folder, with other settings over its own.
func load(t *testing.T, root string, over map[string]any) *deploy.Stack {
	t.Helper()
	stack, err := deploy.Load(root, "eu")
	require.NoError(t, err)
	require.NoError(t, stack.Override(over))
	stack.ForThisMachine()
	return stack
}

// begin makes a stack's engine, and puts a pulumi on PATH that asks it.
func begin(t *testing.T, stack *deploy.Stack) *real {
	t.Helper()
	a, err := account.Open(account.Config{Port: "0", Viewer: "eu-west-1", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	stack.Prepare(a)
	r := &real{t: t, root: stack.Root, cloud: a, clock: &fakeClock{now: begun}}
	e, err := embedded.Open(t.Context(), embedded.Options{Stack: stack, Cloud: half{a, r}, Dir: t.TempDir(), Progress: func(step string) { t.Log(step) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })

	cancel := make(chan bool)
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: cancel, Init: func(s *grpc.Server) error {
		pulumirpc.RegisterLanguageRuntimeServer(s, &host{program: stack.Program()})
		return nil
	}})
	require.NoError(t, err)
	t.Cleanup(func() {
		close(cancel)
		require.NoError(t, <-server.Done)
	})
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\ncase $1 in up|preview) set -- \"$@\" --client=127.0.0.1:%d ;; esac\nexec %s \"$@\"\n", server.Port, binary(t, stack.Root))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "pulumi"), []byte(script), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("PULUMI_HOME", e.Workspace().PulumiHome())
	for key, value := range e.Workspace().GetEnvVars() {
		t.Setenv(key, value)
	}
	owner := a.IAM.Operator()
	r.engine, r.cfg = e, aws.Config{BaseEndpoint: aws.String(a.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(owner.AccessKeyID, owner.SecretAccessKey, "")}
	return r
}

// binary is the CLI that the engine uses: its own build, or the one on PATH.
func binary(t *testing.T, root string) string {
	t.Helper()
	command, err := embedded.CLI(t.Context(), root, func(string) {})
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	built := filepath.Join(cache, "crossregion", "pulumi-"+command.Version().String(), "bin", "pulumi")
	if _, err := os.Stat(built); err == nil {
		return built
	}
	onPath, err := exec.LookPath("pulumi")
	require.NoError(t, err)
	return onPath
}

// RoundTrip asks what the cloud's DNS leads to. The cloud has no TLS.
func (r *real) RoundTrip(request *http.Request) (*http.Response, error) {
	r.asked[request.URL.Host]++
	plain := request.Clone(request.Context())
	plain.URL.Scheme = "http"
	const viewer = "eu-west-1"
	at := place.New(place.Config{Place: viewer, DNS: r.cloud.DNS(), Speed: 1, Dial: r.cloud.DialContext})
	return at.Client().Transport.RoundTrip(plain)
}

// roll gives the stack settings over those of its file, and rolls them out.
func (r *real) roll(over map[string]any) error {
	r.t.Helper()
	require.NoError(r.t, r.engine.Configure(r.t.Context(), load(r.t, r.root, over)))
	r.out, r.asked = &strings.Builder{}, map[string]int{}
	err := (&rollout{
		engine: r.cli(), out: r.out,
		watch: watcher{alarms: cloudWatch{r.cfg}, client: &http.Client{Transport: r}, clock: r.clock, every: 15e9},
	}).run(r.t.Context(), options{stack: "eu", bake: -1, dataLoss: r.dataLoss})
	r.t.Log(r.out)
	return err
}

func (r *real) cli() cli {
	return cli{stack: "eu", dir: r.engine.Workspace().WorkDir(), out: r.out}
}

// steps are the titles of the rollout's steps.
func (r *real) steps() []string {
	var titles []string
	for line := range strings.Lines(r.out.String()) {
		if _, title, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "step ") {
			titles = append(titles, strings.TrimSpace(title))
		}
	}
	return titles
}

// drain writes or removes the flag that drains a region, as the runbook does it
// without the operator's commands.
func (r *real) drain(region string, on bool) {
	r.t.Helper()
	outputs, err := r.engine.Outputs(r.t.Context())
	require.NoError(r.t, err)
	table := aws.String(outputs["controlTable"].Value.(string))
	key := map[string]dynamodbtypes.AttributeValue{
		"pk": &dynamodbtypes.AttributeValueMemberS{Value: contract.DrainPartition(region)}, "sk": &dynamodbtypes.AttributeValueMemberS{Value: contract.DrainSort},
	}
	client := dynamodb.NewFromConfig(r.cfg, func(o *dynamodb.Options) { o.Region = region })
	if on {
		_, err = client.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: table, Item: key})
	} else {
		_, err = client.DeleteItem(r.t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: key})
	}
	require.NoError(r.t, err)
}

func (r *real) ring(region, role string, state types.StateValue) {
	d, err := r.cli().State(r.t.Context())
	require.NoError(r.t, err)
	i := slices.IndexFunc(d.alarms, func(a alarm) bool { return a.name == region+"-alarms-"+role })
	require.GreaterOrEqual(r.t, i, 0)
	_, err = cloudwatch.NewFromConfig(r.cfg, func(o *cloudwatch.Options) { o.Region = region }).SetAlarmState(r.t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: &d.alarms[i].id, StateValue: state, StateReason: aws.String("a test"),
	})
	require.NoError(r.t, err)
}
