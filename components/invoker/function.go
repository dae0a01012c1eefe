// Package invoker puts the project's Go handlers on Lambda: it builds their
// zips and registers each function with its own role, log group and alias, and
// with no permission that was not asked for.
package invoker

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// functionType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const functionType = "crossregion:invoker:Function"

// Function is one handler on Lambda. It may write its own log group and do
// what FunctionArgs.Policies say.
type Function struct {
	pulumi.ResourceState

	// Arn is the ARN of the function's alias: what callers invoke.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// Name is the function's name, without alias.
	Name pulumi.StringOutput `pulumi:"name"`
	// Qualifier is the alias's name.
	Qualifier pulumi.StringOutput `pulumi:"qualifier"`
}

// FunctionArgs are the arguments of [NewFunction].
type FunctionArgs struct {
	// Code is a zip from [Build]. Not a folder: Pulumi's own zip drops the
	// executable bit. Required.
	Code pulumi.Archive
	// Platform is what Code was built for. Required.
	Platform Platform
	// Environment is what the handler finds in its environment; contract.Encode
	// makes it. What is over Lambda's limit is refused as soon as it is known.
	// Required.
	Environment pulumi.StringMapInput
	// MemoryMiB is 128 to 10240. CPU grows with it: 1,769 MiB is one core.
	// Default: 512.
	MemoryMiB int
	// TimeoutSeconds bounds one invocation, 1 to 900. Default: 10.
	TimeoutSeconds int
	// LogRetentionDays is a value that CloudWatch Logs knows. Default: 30.
	LogRetentionDays int
	// QuietLogs leaves out Lambda's own lines about invocations that end well.
	// Those that fail, and all that the handler writes, are logged. Default: off.
	QuietLogs bool
	// LogKeyArn is the ARN of the key that encrypts the log group, whose policy
	// must let CloudWatch Logs use it. Default: a key that AWS owns.
	LogKeyArn pulumi.StringPtrInput
	// Role is what the function runs as. Default: a role of its own, without
	// permissions boundary.
	Role *Role
	// Policies are documents from package policy that the role is allowed, by
	// the part that they play. Default: none.
	Policies map[string]pulumi.StringInput
	// ReservedConcurrency keeps as many of the region's concurrent executions
	// for this function, and limits it to them: 1 or more. Default: it shares
	// what the region has left.
	ReservedConcurrency *int
	// Tracing sends a trace of each invocation to X-Ray of the region. Default:
	// off.
	Tracing bool
	// Canary keeps a former version in service. Default: none, the newest has
	// all calls.
	Canary *Canary
	// After are what must be well before the function and its rights are changed:
	// an update that fails in them stops before it. Default: nothing.
	After []pulumi.Resource
}

func (a *FunctionArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	if a.Code == nil {
		errs = append(errs, errors.New("missing Code"))
	}
	if a.Environment == nil {
		errs = append(errs, errors.New("missing Environment"))
	}
	if n := a.ReservedConcurrency; n != nil && *n < 1 {
		errs = append(errs, fmt.Errorf("ReservedConcurrency is %d: the function could never run; give 1 or more, or none", *n))
	}
	_, err := a.Platform.architecture()
	return errors.Join(append(errs, err, a.Canary.validate())...)
}

// NewFunction registers a Function and its children.
func NewFunction(ctx *pulumi.Context, name string, args *FunctionArgs, opts ...pulumi.ResourceOption) (*Function, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("invoker.Function %s: %w", name, err)
	}
	f := &Function{}
	inputs := pulumi.Map{
		"platform":       pulumi.String(args.Platform.String()),
		"memoryMiB":      pulumi.Int(cmp.Or(args.MemoryMiB, 512)),
		"timeoutSeconds": pulumi.Int(cmp.Or(args.TimeoutSeconds, 10)),
	}
	if err := ctx.RegisterComponentResourceV2(functionType, name, inputs, f, opts...); err != nil {
		return nil, err
	}
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-logs", &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(cmp.Or(args.LogRetentionDays, 30)),
		KmsKeyId:        args.LogKeyArn,
	}, pulumi.Parent(f))
	if err != nil {
		return nil, fmt.Errorf("log group of %s: %w", name, err)
	}
	role := args.Role
	if role == nil {
		if role, err = NewRole(ctx, name+"-role", nil, pulumi.Parent(f)); err != nil {
			return nil, err
		}
	}
	role = role.of(f, name)
	if err := grant(ctx, role, args, logs); err != nil {
		return nil, err
	}
	if err := f.newFunction(ctx, name, args, function{logs, role}); err != nil {
		return nil, err
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"arn": f.Arn, "name": f.Name, "qualifier": f.Qualifier})
}

// grant allows the role what the function asks for, and what it needs besides.
// Rights change with the function and no sooner: what it calls now, such as the
// profile of a model that is to have another, it would be refused meanwhile.
func grant(ctx *pulumi.Context, role *Role, args *FunctionArgs, logs *cloudwatch.LogGroup) error {
	policies := map[string]pulumi.StringInput{"write-logs": logs.Arn.ApplyT(logPolicy).(pulumi.StringOutput)}
	if args.Tracing {
		document, err := policy.Document(policy.Trace())
		if err != nil {
			return fmt.Errorf("traces of %s: %w", role.name, err)
		}
		policies["write-traces"] = pulumi.String(document)
	}
	maps.Copy(policies, args.Policies)
	for _, id := range slices.Sorted(maps.Keys(policies)) {
		if err := role.allow(ctx, id, policies[id], args.After); err != nil {
			return err
		}
	}
	return nil
}

// logPolicy allows writing to one log group. The group exists already, so
// creating it is not allowed.
func logPolicy(group string) (string, error) {
	return policy.Document(policy.Statement{
		Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		Resources: []string{group + ":log-stream:*"},
	})
}

// function is what a Lambda function is made of.
type function struct {
	logs *cloudwatch.LogGroup
	role *Role
}

// newFunction registers the function and its alias. It waits for the grants:
// a function that starts without them fails its first calls.
func (f *Function) newFunction(ctx *pulumi.Context, name string, args *FunctionArgs, parts function) error {
	architecture, err := args.Platform.architecture()
	if err != nil {
		return err
	}
	mode := "PassThrough"
	if args.Tracing {
		mode = "Active"
	}
	fn, err := lambda.NewFunction(ctx, name+"-fn", &lambda.FunctionArgs{
		Architectures: pulumi.StringArray{pulumi.String(architecture)},
		Code:          args.Code,
		Environment:   lambda.FunctionEnvironmentArgs{Variables: checked(name, args.Environment)},
		Handler:       pulumi.String("bootstrap"),
		LoggingConfig: logging(parts.logs, args.QuietLogs),
		MemorySize:    pulumi.Int(cmp.Or(args.MemoryMiB, 512)),
		Publish:       pulumi.Bool(true),
		Role:          parts.role.Arn,
		Runtime:       pulumi.String("provided.al2023"),
		Timeout:       pulumi.Int(cmp.Or(args.TimeoutSeconds, 10)),
		TracingConfig: lambda.FunctionTracingConfigArgs{Mode: pulumi.String(mode)},

		ReservedConcurrentExecutions: pulumi.IntPtrFromPtr(args.ReservedConcurrency),
	}, pulumi.Parent(f), pulumi.DependsOn(slices.Concat(parts.role.grants, args.After)))
	if err != nil {
		return fmt.Errorf("function %s: %w", name, err)
	}
	alias, err := newAlias(ctx, name+"-alias", fn, args.Canary, pulumi.Parent(f))
	if err != nil {
		return fmt.Errorf("alias of %s: %w", name, err)
	}
	f.Arn, f.Name, f.Qualifier = alias.Arn, fn.Name, alias.Name
	return nil
}

// logging is how a function logs. At WARN, Lambda leaves out the start and the
// report of an invocation unless it fails.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func logging(logs *cloudwatch.LogGroup, quiet bool) lambda.FunctionLoggingConfigArgs {
	config := lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: logs.Name}
	if quiet {
		config.SystemLogLevel = pulumi.String("WARN")
	}
	return config
}

// checked is the environment, or an error once it is known to be over what
// Lambda takes.
func checked(name string, environment pulumi.StringMapInput) pulumi.StringMapOutput {
	return environment.ToStringMapOutput().ApplyT(func(variables map[string]string) (map[string]string, error) {
		size := 0
		for k, v := range variables {
			size += len(k) + len(v)
		}
		if size > contract.MaxEnvironmentBytes {
			return nil, fmt.Errorf("environment of %s is %d bytes, over Lambda's limit of %d: "+
				"use fewer models or regions, or shorter names", name, size, contract.MaxEnvironmentBytes)
		}
		return variables, nil
	}).(pulumi.StringMapOutput)
}
