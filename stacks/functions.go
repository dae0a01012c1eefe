package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/components/encryption"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/components/policy"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Sizes of the functions. A stream holds its environment for the whole answer,
// hence the longest timeout that Lambda has; memory buys CPU.
const (
	invokerTimeoutSeconds = 900
	smallMemoryMiB        = 256
	smallTimeoutSeconds   = 5
)

// newFunctions registers a region's functions, by contract's names.
func (s *stack) newFunctions(r *region) (map[string]*invoker.Function, error) {
	inferencePolicy, err := s.inferencePolicy(r)
	if err != nil {
		return nil, fmt.Errorf("invoker of %s: %w", r.Name, err)
	}
	invokerEnvironment, err := s.invokerEnvironment(r)
	if err != nil {
		return nil, err
	}
	functions := map[string]*invoker.Function{}
	for _, f := range []struct {
		name string
		args *invoker.FunctionArgs
	}{
		{contract.FunctionInvoker, &invoker.FunctionArgs{
			Code: pulumi.NewFileArchive(s.zips.Invoker), Environment: invokerEnvironment, TimeoutSeconds: invokerTimeoutSeconds,
			Policies: map[string]pulumi.StringInput{"invoke-models": inferencePolicy, "keep-conversations": s.conversationsPolicy(), "count-usage": countPolicy(r)},
		}},
		{contract.FunctionHealth, &invoker.FunctionArgs{
			// Probes are most of what an idle stack logs, and all alike.
			QuietLogs: true,
			Code:      pulumi.NewFileArchive(s.zips.Invoker), MemoryMiB: smallMemoryMiB, TimeoutSeconds: smallTimeoutSeconds,
			Environment: environment(pulumi.StringMap{"table": r.tables.ControlName}, func(v map[string]string) (contract.Health, error) {
				return contract.Health{Stack: s.ctx.Stack(), Region: r.Name, Regions: s.settings.regionNames(), Table: v["table"]}, nil
			}),
			Policies: map[string]pulumi.StringInput{"read-drains": readPolicy(r, contract.DrainPartition("*"))},
		}},
		{contract.FunctionAuthorizer, &invoker.FunctionArgs{
			Code: pulumi.NewFileArchive(s.zips.Authorizer), MemoryMiB: smallMemoryMiB, TimeoutSeconds: smallTimeoutSeconds,
			Environment: s.authorizerEnvironment(r), Policies: s.authorizerPolicies(r),
		}},
	} {
		if !slices.Contains(s.functions(), f.name) {
			continue
		}
		f.args.Platform, f.args.Role, f.args.Tracing = s.platform, r.roles[f.name], s.settings.Tracing
		f.args.LogKeyArn, f.args.LogRetentionDays = r.key.Arn.ToStringPtrOutput(), s.settings.Logs.RetentionDays
		if n := s.reserved(f.name); n > 0 {
			f.args.ReservedConcurrency = &n
		}
		f.args.Canary, f.args.After = s.canary.of(r.Name+"-"+f.name), s.before(r)
		if functions[f.name], err = invoker.NewFunction(s.ctx, r.Name+"-"+f.name, f.args, pulumi.Provider(r.provider)); err != nil {
			return nil, err
		}
	}
	return functions, nil
}

// before is what must be changed before r's functions: the API of the region
// that the settings list before it. An update that fails in one region stops
// there.
func (s *stack) before(r *region) []pulumi.Resource {
	names := s.settings.regionNames()
	if i := slices.Index(names, r.Name); i > 0 {
		return s.regions[names[i-1]].api.Parts()
	}
	return nil
}

// reserved is how many environments a function has to itself, 0 for none. Where
// the invoker is bounded, the two that decide whether it is asked at all must
// not be starved by it, nor by anything else of the account.
func (s *stack) reserved(function string) int {
	const small = 20
	switch {
	case s.settings.ReservedConcurrency == 0:
		return 0
	case function == contract.FunctionInvoker:
		return s.settings.ReservedConcurrency
	default:
		return small
	}
}

// environment encodes a function's configuration once the values that it is
// made of are known.
func environment[C contract.Config](values pulumi.StringMap, config func(map[string]string) (C, error)) pulumi.StringMapInput {
	return values.ToStringMapOutput().ApplyT(func(values map[string]string) (map[string]string, error) {
		c, err := config(values)
		if err != nil {
			return nil, err
		}
		return contract.Encode(c)
	}).(pulumi.StringMapOutput)
}

// targets are the regions that r's invoker calls, in order: itself, then its
// partners.
func (s *stack) targets(r *region) []string { return append([]string{r.Name}, r.Failover...) }

// Keys of the values that an invoker's configuration is made of, besides its
// profiles' ARNs by region and model.
const (
	contentTable = "contentTable"
	controlTable = "controlTable"
)

// maxTableName bounds the names that Pulumi gives to tables: the longest name
// of a region, what this program appends, and seven random characters.
const maxTableName = len("ap-northeast-1-conversation-content-0000000")

// invokerEnvironment refuses at registration what Lambda would find too large:
// on a first preview no ARN is known, so their length stands in for them.
func (s *stack) invokerEnvironment(r *region) (pulumi.StringMapInput, error) {
	values, like := pulumi.StringMap{}, map[string]string{}
	for _, m := range s.settings.Models {
		for _, target := range s.targets(r) {
			key := target + "/" + m.Name
			values[key] = s.regions[target].profiles.Arns.MapIndex(pulumi.String(m.Name))
			like[key] = fmt.Sprintf("arn:aws:bedrock:%s:%012d:application-inference-profile/%012d", target, 0, 0)
		}
	}
	for key, name := range map[string]pulumi.StringInput{contentTable: r.tables.ContentName, controlTable: r.tables.ControlName} {
		values[key] = name
		like[key] = strings.Repeat("t", maxTableName)
	}
	config := s.invokerConfig(r)
	expected, err := config(like)
	if err == nil {
		_, err = contract.Encode(expected)
	}
	if err != nil {
		return nil, fmt.Errorf("invoker of %s: %w", r.Name, err)
	}
	return environment(values, config), nil
}

// invokerConfig is the configuration of r's invoker, given its tables'
// names and its profiles' ARNs by region and model.
func (s *stack) invokerConfig(r *region) func(map[string]string) (contract.Invoker, error) {
	return func(values map[string]string) (contract.Invoker, error) {
		c := contract.Invoker{
			Stack: s.ctx.Stack(), Jurisdiction: s.settings.Jurisdiction, Region: r.Name, Regions: s.settings.regionNames(),
			Allowed: s.allowed(), Failover: contract.Failover(s.settings.Failover),
			Conversations: contract.Conversations{
				Table: values[contentTable], Partners: s.partners(r), RetentionDays: s.settings.Conversations.retentionDays(),
				Unpaired: !s.settings.Conversations.pairWriting(), TieBreaker: s.settings.Conversations.tieBreaker(),
			},
			ControlTable: values[controlTable], UsageRetentionDays: s.settings.Usage.retentionDays(),
		}
		for _, m := range s.settings.Models {
			model := contract.Model{Name: m.Name, Base: r.profiles.Base(m.Name)}
			for _, target := range s.targets(r) {
				arn, ok := values[target+"/"+m.Name]
				if !ok {
					return c, fmt.Errorf("model %s has no profile in %s", m.Name, target)
				}
				model.Targets = append(model.Targets, s.regions[target].profiles.Target(m.Name, arn))
			}
			c.Models = append(c.Models, model)
		}
		return c, nil
	}
}

// partners are the other regions of the stack: those of r's failover first, in
// their order, then the rest.
func (s *stack) partners(r *region) []string {
	partners := slices.Clone(r.Failover)
	for _, name := range s.settings.regionNames() {
		if name != r.Name && !slices.Contains(partners, name) {
			partners = append(partners, name)
		}
	}
	return partners
}

// allowed are the regions to which the invoker may send a prompt.
func (s *stack) allowed() []string {
	if Unbounded(s.settings.Jurisdiction) {
		return []string{contract.AnyRegion}
	}
	return JurisdictionRegions(s.settings.Jurisdiction)
}

// inferencePolicy lets r's invoker call its own profiles and its partners'.
func (s *stack) inferencePolicy(r *region) (pulumi.StringInput, error) {
	var profiles []*inference.Profiles
	for _, target := range s.targets(r) {
		profiles = append(profiles, s.regions[target].profiles)
	}
	return inference.InvokePolicy(len(s.settings.Regions), profiles...)
}

// readPolicy allows reading single items of a region's control table, with
// partition keys like the given pattern, and the use of the key that encrypts
// the table.
func readPolicy(r *region, keys string) pulumi.StringOutput {
	return pulumi.All(r.tables.ControlArn, r.key.Arn).ApplyT(func(arns []any) (string, error) {
		read := leadingKeys([]string{arns[0].(string)}, "dynamodb:GetItem", keys)
		use, err := encryption.UseStatement(arns[1].(string))
		if err != nil {
			return "", err
		}
		return policy.Document(read, use)
	}).(pulumi.StringOutput)
}

// countPolicy allows counting what tenants use in a region's control table, and
// reading what they may use, there alone: each region counts for itself.
func countPolicy(r *region) pulumi.StringOutput {
	return pulumi.All(r.tables.ControlArn).ApplyT(func(arns []any) (string, error) {
		table := []string{arns[0].(string)}
		return policy.Document(
			leadingKeys(table, "dynamodb:UpdateItem", contract.UsagePartition("*")),
			leadingKeys(table, "dynamodb:GetItem", contract.TenantPartition("*")))
	}).(pulumi.StringOutput)
}

// conversationsPolicy allows keeping conversations in every region of the stack,
// and the use of the keys that encrypt their tables: a turn is written to two
// regions, and read wherever it is.
func (s *stack) conversationsPolicy() pulumi.StringOutput {
	var tables, keys pulumi.StringArray
	for _, name := range s.settings.regionNames() {
		tables, keys = append(tables, s.regions[name].tables.ContentArn), append(keys, s.regions[name].key.Arn)
	}
	return pulumi.All(tables.ToStringArrayOutput(), keys.ToStringArrayOutput()).ApplyT(func(arns []any) (string, error) {
		statements := []policy.Statement{{
			Actions:   []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"},
			Resources: arns[0].([]string),
		}}
		use, err := encryption.UseStatement(arns[1].([]string)...)
		if err != nil {
			return "", err
		}
		return policy.Document(append(statements, use)...)
	}).(pulumi.StringOutput)
}

// leadingKeys allows an action on items of the tables with partition keys like
// the given pattern.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
func leadingKeys(tables []string, action, keys string) policy.Statement {
	return policy.Statement{
		Actions: []string{action}, Resources: tables,
		Conditions: map[string]map[string][]string{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": {keys}}},
	}
}
