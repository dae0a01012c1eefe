// Package invoker puts the project's Go handlers on Lambda: it builds their
// zips and registers each function with its own role, log group and alias, and
// with no permission that was not asked for.
package invoker

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// functionType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const functionType = "crossregion:invoker:Function"

// aliasName is the alias that callers invoke, so that a version can be moved
// under them.
const aliasName = "live"

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
	// makes it. Required.
	Environment pulumi.StringMapInput
	// MemoryMiB is 128 to 10240. CPU grows with it: 1,769 MiB is one core.
	// Default: 512.
	MemoryMiB int
	// TimeoutSeconds bounds one invocation, 1 to 900. Default: 10.
	TimeoutSeconds int
	// LogRetentionDays is a value that CloudWatch Logs knows. Default: 30.
	LogRetentionDays int
	// Policies are documents from package policy, by the role that they play,
	// which becomes part of a resource's name. Default: none.
	Policies map[string]pulumi.StringInput
	// PermissionsBoundary is the ARN of a managed policy. Default: none.
	PermissionsBoundary string
}

func (a *FunctionArgs) validate() error {
	switch {
	case a == nil || a.Code == nil:
		return errors.New("missing Code")
	case a.Environment == nil:
		return errors.New("missing Environment")
	}
	_, err := a.Platform.architecture()
	return err
}

// NewFunction registers a Function and its children.
func NewFunction(ctx *pulumi.Context, name string, args *FunctionArgs, opts ...pulumi.ResourceOption) (*Function, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("invoker.Function %s: %w", name, err)
	}
	f := &Function{}
	inputs := pulumi.Map{
		"platform":       pulumi.String(args.Platform.String()),
		"memoryMiB":      pulumi.Int(orInt(args.MemoryMiB, 512)),
		"timeoutSeconds": pulumi.Int(orInt(args.TimeoutSeconds, 10)),
	}
	if err := ctx.RegisterComponentResourceV2(functionType, name, inputs, f, opts...); err != nil {
		return nil, err
	}
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-logs", &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(orInt(args.LogRetentionDays, 30)),
	}, pulumi.Parent(f))
	if err != nil {
		return nil, fmt.Errorf("log group of %s: %w", name, err)
	}
	role, grants, err := f.newRole(ctx, name, args, logs)
	if err != nil {
		return nil, err
	}
	if err := f.newFunction(ctx, name, args, function{logs, role, grants}); err != nil {
		return nil, err
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"arn": f.Arn, "name": f.Name, "qualifier": f.Qualifier})
}

// newRole registers the function's role and what it may do.
func (f *Function) newRole(ctx *pulumi.Context, name string, args *FunctionArgs, logs *cloudwatch.LogGroup) (*iam.Role, []pulumi.Resource, error) {
	boundary := pulumi.StringPtrInput(nil)
	if args.PermissionsBoundary != "" {
		boundary = pulumi.String(args.PermissionsBoundary)
	}
	role, err := iam.NewRole(ctx, name+"-role", &iam.RoleArgs{
		AssumeRolePolicy:    pulumi.String(policy.Trust("lambda.amazonaws.com")),
		PermissionsBoundary: boundary,
	}, pulumi.Parent(f))
	if err != nil {
		return nil, nil, fmt.Errorf("role of %s: %w", name, err)
	}
	policies := maps.Clone(args.Policies)
	if policies == nil {
		policies = map[string]pulumi.StringInput{}
	}
	policies["write-logs"] = logs.Arn.ApplyT(logPolicy).(pulumi.StringOutput)
	var grants []pulumi.Resource
	for _, id := range slices.Sorted(maps.Keys(policies)) {
		grant, err := iam.NewRolePolicy(ctx, name+"-"+id, &iam.RolePolicyArgs{
			Role: role.Name, Policy: policies[id],
		}, pulumi.Parent(f))
		if err != nil {
			return nil, nil, fmt.Errorf("grant %s to %s: %w", id, name, err)
		}
		grants = append(grants, grant)
	}
	return role, grants, nil
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
	logs   *cloudwatch.LogGroup
	role   *iam.Role
	grants []pulumi.Resource
}

// newFunction registers the function and its alias. It waits for the grants:
// a function that starts without them fails its first calls.
func (f *Function) newFunction(ctx *pulumi.Context, name string, args *FunctionArgs, parts function) error {
	architecture, err := args.Platform.architecture()
	if err != nil {
		return err
	}
	fn, err := lambda.NewFunction(ctx, name+"-fn", &lambda.FunctionArgs{
		Architectures: pulumi.StringArray{pulumi.String(architecture)},
		Code:          args.Code,
		Environment:   lambda.FunctionEnvironmentArgs{Variables: args.Environment},
		Handler:       pulumi.String("bootstrap"),
		LoggingConfig: lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: parts.logs.Name},
		MemorySize:    pulumi.Int(orInt(args.MemoryMiB, 512)),
		Publish:       pulumi.Bool(true),
		Role:          parts.role.Arn,
		Runtime:       pulumi.String("provided.al2023"),
		Timeout:       pulumi.Int(orInt(args.TimeoutSeconds, 10)),
	}, pulumi.Parent(f), pulumi.DependsOn(parts.grants))
	if err != nil {
		return fmt.Errorf("function %s: %w", name, err)
	}
	alias, err := lambda.NewAlias(ctx, name+"-alias", &lambda.AliasArgs{
		FunctionName: fn.Name, FunctionVersion: fn.Version, Name: pulumi.String(aliasName),
	}, pulumi.Parent(f))
	if err != nil {
		return fmt.Errorf("alias of %s: %w", name, err)
	}
	f.Arn, f.Name, f.Qualifier = alias.Arn, fn.Name, alias.Name
	return nil
}

func orInt(given, otherwise int) int {
	if given == 0 {
		return otherwise
	}
	return given
}
