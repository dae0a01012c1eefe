package invoker_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func run(t *testing.T, args *invoker.FunctionArgs) (*componenttest.Recorder, error) {
	t.Helper()
	rec := componenttest.New(nil)
	err := rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		_, err = invoker.NewFunction(ctx, "test", args, pulumi.Provider(region))
		return err
	})
	return rec, err
}

func valid() *invoker.FunctionArgs {
	return &invoker.FunctionArgs{
		Code: pulumi.NewFileArchive("function.zip"), Platform: invoker.DefaultPlatform,
		Environment: pulumi.StringMap{"KEY": pulumi.String("value")},
	}
}

func TestFunction(t *testing.T) {
	args := valid()
	args.Policies = map[string]pulumi.StringInput{"read-keys": pulumi.String("{}")}
	rec, err := run(t, args)
	require.NoError(t, err)
	rec.CheckComponents(t)

	fn := rec.One(t, "aws:lambda/function:Function", "test-fn").Inputs
	assert.Equal(t, "provided.al2023", fn["runtime"].StringValue())
	assert.Equal(t, "arm64", fn["architectures"].ArrayValue()[0].StringValue())
	assert.Equal(t, 512.0, fn["memorySize"].NumberValue())
	assert.Equal(t, 10.0, fn["timeout"].NumberValue())
	assert.True(t, fn["publish"].BoolValue(), "an alias needs a version")
	assert.Equal(t, "PassThrough", fn["tracingConfig"].ObjectValue()["mode"].StringValue())
	assert.NotContains(t, fn, "reservedConcurrentExecutions")
	assert.Len(t, rec.Of("aws:iam/rolePolicy:RolePolicy"), 2)
	assert.Equal(t, "1", rec.One(t, "aws:lambda/alias:Alias", "test-alias").Inputs["functionVersion"].StringValue())
}

// TestAFunctionMayOnlyLog is R5 for a function that was granted nothing.
func TestAFunctionMayOnlyLog(t *testing.T) {
	rec, err := run(t, valid())
	require.NoError(t, err)
	policies := rec.Of("aws:iam/rolePolicy:RolePolicy")
	require.Len(t, policies, 1)
	group := rec.One(t, "aws:cloudwatch/logGroup:LogGroup", "test-logs")
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],
		"Resource":["arn:aws:test:eu-west-1:`+componenttest.Account+`:thing:`+group.Name+`:live:log-stream:*"]}]}`,
		policies[0].Inputs["policy"].StringValue())
}

func TestFunctionRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*invoker.FunctionArgs)
		want  string
	}{
		{"no code", func(a *invoker.FunctionArgs) { a.Code = nil }, "missing Code"},
		{"no environment", func(a *invoker.FunctionArgs) { a.Environment = nil }, "missing Environment"},
		{"no platform", func(a *invoker.FunctionArgs) { a.Platform = invoker.Platform{} }, "Lambda runs arm64 and amd64 only"},
		{"a concurrency of none", func(a *invoker.FunctionArgs) { a.ReservedConcurrency = new(int) }, "ReservedConcurrency is 0"},
		{"an environment over Lambda's limit", func(a *invoker.FunctionArgs) {
			a.Environment = pulumi.StringMap{"KEY": pulumi.String(strings.Repeat("x", 4094))}
		}, "environment of test is 4097 bytes, over Lambda's limit of 4096"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := valid()
			tt.spoil(args)
			rec, err := run(t, args)
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rec.Of("aws:lambda/function:Function"))
		})
	}
	_, err := run(t, nil)
	assert.ErrorContains(t, err, "no arguments")
}

func TestAFullEnvironmentIsTaken(t *testing.T) {
	args := valid()
	args.Environment = pulumi.StringMap{"KEY": pulumi.String(strings.Repeat("x", 4093))}
	_, err := run(t, args)
	assert.NoError(t, err)
}

func TestLogsAreKept(t *testing.T) {
	args := valid()
	args.LogRetentionDays, args.LogKeyArn = 90, pulumi.StringPtr("arn:aws:kms:eu-west-1:1:key/k")
	rec, err := run(t, args)
	require.NoError(t, err)
	group := rec.One(t, "aws:cloudwatch/logGroup:LogGroup", "test-logs").Inputs
	assert.Equal(t, 90.0, group["retentionInDays"].NumberValue())
	assert.Equal(t, "arn:aws:kms:eu-west-1:1:key/k", group["kmsKeyId"].StringValue())
}

// TestQuietLogs: Lambda leaves out what went well only where that is asked for.
func TestQuietLogs(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		args := valid()
		args.QuietLogs = quiet
		rec, err := run(t, args)
		require.NoError(t, err)
		logging := rec.One(t, "aws:lambda/function:Function", "test-fn").Inputs["loggingConfig"].ObjectValue()
		assert.Equal(t, "JSON", logging["logFormat"].StringValue())
		assert.NotContains(t, logging, "applicationLogLevel", "what the handler writes is kept")
		if !quiet {
			assert.NotContains(t, logging, "systemLogLevel")
			continue
		}
		assert.Equal(t, "WARN", logging["systemLogLevel"].StringValue())
	}
}

// TestTracing grants the two actions that traces need, only when it is on.
func TestTracing(t *testing.T) {
	args := valid()
	args.Tracing = true
	rec, err := run(t, args)
	require.NoError(t, err)
	fn := rec.One(t, "aws:lambda/function:Function", "test-fn").Inputs
	assert.Equal(t, "Active", fn["tracingConfig"].ObjectValue()["mode"].StringValue())
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Action":["xray:PutTraceSegments","xray:PutTelemetryRecords"],"Resource":["*"]}]}`,
		rec.One(t, "aws:iam/rolePolicy:RolePolicy", "test-role-write-traces").Inputs["policy"].StringValue())
}

func TestReservedConcurrency(t *testing.T) {
	args, reserved := valid(), 20
	args.ReservedConcurrency = &reserved
	rec, err := run(t, args)
	require.NoError(t, err)
	fn := rec.One(t, "aws:lambda/function:Function", "test-fn").Inputs
	assert.Equal(t, 20.0, fn["reservedConcurrentExecutions"].NumberValue())
}

// TestACanary: a share of the calls goes to what is new, and the rest to the
// version that is named.
func TestACanary(t *testing.T) {
	tests := []struct {
		name   string
		canary invoker.Canary
		weight float64 // of the newest version, which the recorder says is 1
	}{
		{"a share goes to the newest", invoker.Canary{Version: "0", Percent: 25}, 0.25},
		{"none goes to it", invoker.Canary{Version: "0"}, 0},
		{"nothing new was published", invoker.Canary{Version: "1", Percent: 25}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := valid()
			args.Canary = &tt.canary
			rec, err := run(t, args)
			require.NoError(t, err)
			alias := rec.One(t, "aws:lambda/alias:Alias", "test-alias").Inputs
			assert.Equal(t, tt.canary.Version, alias["functionVersion"].StringValue())
			routing, given := alias["routingConfig"]
			if tt.weight == 0 {
				assert.True(t, !given || routing.IsNull())
				return
			}
			weights := routing.ObjectValue()["additionalVersionWeights"].ObjectValue()
			assert.InDelta(t, tt.weight, weights["1"].NumberValue(), 1e-9)
		})
	}
	for _, c := range []invoker.Canary{{Percent: 5}, {Version: "1", Percent: 100}, {Version: "1", Percent: -1}} {
		args := valid()
		args.Canary = &c
		_, err := run(t, args)
		assert.ErrorContains(t, err, "canary", c)
	}
}

// TestRightsChangeWithTheFunction: an update that stops before the function
// leaves it what it may do.
func TestRightsChangeWithTheFunction(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		first, err := invoker.NewRole(ctx, "first", nil, pulumi.Provider(region))
		if err != nil {
			return err
		}
		args := valid()
		args.After, args.Policies = []pulumi.Resource{first}, map[string]pulumi.StringInput{"read-keys": pulumi.String("{}")}
		_, err = invoker.NewFunction(ctx, "test", args, pulumi.Provider(region))
		return err
	}))
	waiting := append(rec.Of("aws:iam/rolePolicy:RolePolicy"), rec.One(t, "aws:lambda/function:Function", "test-fn"))
	assert.Len(t, waiting, 3)
	for _, g := range waiting {
		assert.Contains(t, g.DependsOn, "first-iam", g.Name)
	}
}
