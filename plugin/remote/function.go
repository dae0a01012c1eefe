package remote

import (
	"fmt"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type roleArgs struct {
	PermissionsBoundary string `pulumi:"permissionsBoundary,optional"`
}

// Annotate implements infer.Annotated.
func (r *roleArgs) Annotate(a infer.Annotator) {
	a.Describe(&r.PermissionsBoundary, "ARN of a managed policy. Default: none.")
}

func newRole(ctx *pulumi.Context, name string, args roleArgs, opts ...pulumi.ResourceOption) (*invoker.Role, error) {
	return invoker.NewRole(ctx, name, &invoker.RoleArgs{PermissionsBoundary: args.PermissionsBoundary}, opts...)
}

// role is what a function needs of its role: the outputs of that.
type role struct {
	Arn  pulumi.StringInput `pulumi:"arn"`
	Name pulumi.StringInput `pulumi:"name"`
}

// Annotate implements infer.Annotated.
func (r *role) Annotate(a infer.Annotator) {
	a.SetToken("invoker", "FunctionRole")
	a.Describe(&r, "Outputs of a Role, or an IAM role that Lambda may assume.")
}

func (r *role) of() *invoker.Role {
	if r == nil {
		return nil
	}
	return &invoker.Role{Arn: r.Arn.ToStringOutput(), Name: r.Name.ToStringOutput()}
}

type canary struct {
	Version string `pulumi:"version"`
	Percent int    `pulumi:"percent"`
}

// Annotate implements infer.Annotated.
func (c *canary) Annotate(a infer.Annotator) {
	a.SetToken("invoker", "Canary")
	a.Describe(&c, "A former version that stays in service beside a new one.")
	a.Describe(&c.Version, "The former one, e.g. \"7\".")
	a.Describe(&c.Percent, "How many calls in a hundred go to the new version, 0 to 99.")
}

func (c *canary) of() *invoker.Canary {
	if c == nil {
		return nil
	}
	return &invoker.Canary{Version: c.Version, Percent: c.Percent}
}

type functionArgs struct {
	Code                any                           `pulumi:"code"` // a pulumi.Archive, which infer cannot express
	Platform            string                        `pulumi:"platform,optional"`
	Environment         pulumi.StringMapInput         `pulumi:"environment"`
	MemoryMiB           int                           `pulumi:"memoryMiB,optional"`
	TimeoutSeconds      int                           `pulumi:"timeoutSeconds,optional"`
	LogRetentionDays    int                           `pulumi:"logRetentionDays,optional"`
	QuietLogs           bool                          `pulumi:"quietLogs,optional"`
	LogKeyArn           pulumi.StringPtrInput         `pulumi:"logKeyArn,optional"`
	Role                *role                         `pulumi:"role,optional"`
	Policies            map[string]pulumi.StringInput `pulumi:"policies,optional"`
	ReservedConcurrency *int                          `pulumi:"reservedConcurrency,optional"`
	Tracing             bool                          `pulumi:"tracing,optional"`
	Canary              *canary                       `pulumi:"canary,optional"`
}

// Annotate implements infer.Annotated.
func (f *functionArgs) Annotate(a infer.Annotator) {
	a.Describe(&f.Code, "Archive: a zip with an executable \"bootstrap\" at its root. Not a folder: Pulumi's own zip drops the executable bit.")
	a.Describe(&f.Platform, "What the code was built for, \"linux/arm64\" or \"linux/amd64\". Default: \"linux/arm64\".")
	a.Describe(&f.Environment, "What the handler finds in its environment.")
	a.Describe(&f.MemoryMiB, "Memory in MiB, 128 to 10240. Default: 512.")
	a.Describe(&f.TimeoutSeconds, "Bound of one invocation, 1 to 900. Default: 10.")
	a.Describe(&f.LogRetentionDays, "A value that CloudWatch Logs knows. Default: 30.")
	a.Describe(&f.QuietLogs, "Leave out Lambda's own lines about invocations that end well. Default: off.")
	a.Describe(&f.LogKeyArn, "ARN of the key that encrypts the log group. Default: a key that AWS owns.")
	a.Describe(&f.Role, "What the function runs as. Default: a role of its own.")
	a.Describe(&f.Policies, "IAM policy documents that the role is allowed, by the part that they play. Default: none.")
	a.Describe(&f.ReservedConcurrency, "Concurrent executions that are kept for this function and limit it. Default: none.")
	a.Describe(&f.Tracing, "Sends a trace of each invocation to X-Ray. Default: off.")
	a.Describe(&f.Canary, "Keeps a former version in service. Default: none, the newest has all calls.")
}

func newFunction(ctx *pulumi.Context, name string, args functionArgs, opts ...pulumi.ResourceOption) (*invoker.Function, error) {
	platform := invoker.DefaultPlatform
	if args.Platform != "" {
		var err error
		if platform, err = invoker.ParsePlatform(args.Platform); err != nil {
			return nil, err
		}
	}
	code, ok := args.Code.(pulumi.Archive)
	if !ok {
		return nil, fmt.Errorf("invoker.Function %s: code is %T: give an archive, such as a FileArchive", name, args.Code)
	}
	return invoker.NewFunction(ctx, name, &invoker.FunctionArgs{
		Code: code, Platform: platform, Environment: args.Environment,
		MemoryMiB: args.MemoryMiB, TimeoutSeconds: args.TimeoutSeconds,
		LogRetentionDays: args.LogRetentionDays, QuietLogs: args.QuietLogs, LogKeyArn: args.LogKeyArn,
		Role: args.Role.of(), Policies: args.Policies,
		ReservedConcurrency: args.ReservedConcurrency, Tracing: args.Tracing, Canary: args.Canary.of(),
	}, opts...)
}
