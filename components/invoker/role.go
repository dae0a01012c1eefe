package invoker

import (
	"fmt"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// roleType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const roleType = "crossregion:invoker:Role"

// Role is what a function may do. It stands apart from its [Function] because
// others name it before the function can exist: the key of the function's logs
// and tables says who may use it. A new Role may do nothing. One that has an Arn
// and a Name and is not from [NewRole] stands for a role that exists elsewhere;
// what it is allowed belongs to the [Function] that asks for it.
type Role struct {
	pulumi.ResourceState

	// Arn is the role's ARN.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// Name is the role's name.
	Name pulumi.StringOutput `pulumi:"name"`

	name   string          // of the component
	parent pulumi.Resource // of its grants
	grants []pulumi.Resource
}

// RoleArgs are the arguments of [NewRole]. Nil means all defaults.
type RoleArgs struct {
	// PermissionsBoundary is the ARN of a managed policy. Default: none.
	PermissionsBoundary string
}

// NewRole registers a Role and its children. Only Lambda can assume it.
func NewRole(ctx *pulumi.Context, name string, args *RoleArgs, opts ...pulumi.ResourceOption) (*Role, error) {
	if args == nil {
		args = &RoleArgs{}
	}
	r := &Role{name: name}
	r.parent = r
	inputs := pulumi.Map{"permissionsBoundary": pulumi.String(args.PermissionsBoundary)}
	if err := ctx.RegisterComponentResourceV2(roleType, name, inputs, r, opts...); err != nil {
		return nil, err
	}
	boundary := pulumi.StringPtrInput(nil)
	if args.PermissionsBoundary != "" {
		boundary = pulumi.String(args.PermissionsBoundary)
	}
	role, err := iam.NewRole(ctx, name+"-iam", &iam.RoleArgs{
		AssumeRolePolicy:    pulumi.String(policy.Trust("lambda.amazonaws.com")),
		PermissionsBoundary: boundary,
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("role of %s: %w", name, err)
	}
	r.Arn, r.Name = role.Arn, role.Name
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{"arn": r.Arn, "name": r.Name})
}

// Allow lets the role do what a document of package policy says. The id is the
// part that the document plays; it becomes part of a resource's name. A function
// waits for what its role was allowed before the function was made.
func (r *Role) Allow(ctx *pulumi.Context, id string, document pulumi.StringInput) error {
	return r.allow(ctx, id, document, nil)
}

// allow is Allow, once something else is well.
func (r *Role) allow(ctx *pulumi.Context, id string, document pulumi.StringInput, after []pulumi.Resource) error {
	grant, err := iam.NewRolePolicy(ctx, r.name+"-"+id, &iam.RolePolicyArgs{Role: r.Name, Policy: document},
		pulumi.Parent(r.parent), pulumi.DependsOn(after))
	if err != nil {
		return fmt.Errorf("grant %s to %s: %w", id, r.name, err)
	}
	r.grants = append(r.grants, grant)
	return nil
}

// of is r, or a role that exists elsewhere on behalf of f.
func (r *Role) of(f *Function, name string) *Role {
	if r.parent != nil {
		return r
	}
	return &Role{Arn: r.Arn, Name: r.Name, name: name, parent: f}
}
