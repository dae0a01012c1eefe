// Package componenttest runs Pulumi programs against an in-process engine that
// records what they register. It answers with made-up outputs, so it proves
// what a program asks for, never that AWS would accept it.
package componenttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Registration is one resource as the engine would have received it.
type Registration struct {
	Type, Name string
	Parent     resource.URN
	Region     string // of the provider; empty for components and providers
	Component  bool
	Protect    bool
	DependsOn  []string // logical names of what must exist before it
	Aliases    []*pulumirpc.Alias
	Patience   string // how long its creation may take; empty: as the provider has it
	Inputs     resource.PropertyMap
}

// Call answers a provider function, asked through a region's provider.
type Call func(region string, args map[string]any) (map[string]any, error)

// Recorder is a pulumi.MockResourceMonitor. The SDK calls it from several
// goroutines.
type Recorder struct {
	calls map[string]Call

	mu      sync.Mutex
	regs    []Registration
	regions map[string]string // provider ID -> region
	asked   map[string]bool   // regions whose provider answered a function
	outputs int
}

// New returns a Recorder that answers the given functions by token, besides
// aws.GetPartition and aws.GetCallerIdentity.
func New(calls map[string]Call) *Recorder {
	return &Recorder{calls: calls, regions: map[string]string{}, asked: map[string]bool{}}
}

// Run executes program to completion. Every output has resolved when it
// returns, so callers assert on plain values.
func (r *Recorder) Run(program pulumi.RunFunc, opts ...pulumi.RunOption) error {
	return pulumi.RunErr(program, append([]pulumi.RunOption{pulumi.WithMocks("crossregion", "test", r)}, opts...)...)
}

// Account is the account in made-up ARNs.
const Account = "111122223333"

// NewResource implements pulumi.MockResourceMonitor.
func (r *Recorder) NewResource(a pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reg := Registration{
		Type: a.TypeToken, Name: a.Name, Component: !a.Custom, Inputs: a.Inputs,
		Parent: resource.URN(a.RegisterRPC.GetParent()), Protect: a.RegisterRPC.GetProtect(), Aliases: a.RegisterRPC.GetAliases(),
		Patience: a.RegisterRPC.GetCustomTimeouts().GetCreate(), Region: r.regions[a.Provider[strings.LastIndexByte(a.Provider, ':')+1:]],
	}
	for _, urn := range a.RegisterRPC.GetDependencies() {
		reg.DependsOn = append(reg.DependsOn, resource.URN(urn).Name())
	}
	r.regs = append(r.regs, reg)
	id := a.Name + "-id"
	if strings.HasPrefix(a.TypeToken, "pulumi:providers:") {
		r.regions[id] = a.Inputs["region"].StringValue()
	}
	return id, outputs(reg), nil
}

// outputs makes up what AWS would add to the inputs.
func outputs(reg Registration) resource.PropertyMap {
	arn := fmt.Sprintf("arn:aws:test:%s:%s:thing:%s:live", reg.Region, Account, reg.Name)
	out := reg.Inputs.Copy()
	for key, value := range map[resource.PropertyKey]string{
		"arn": arn, "name": reg.Name + "-1a2b3c4", "executionArn": arn, "version": "1", "fqdn": reg.Name + ".fqdn",
		"regionalDomainName": reg.Name + ".aws", "regionalZoneId": "ZAPI", "invokeUrl": "https://" + reg.Name + ".aws/live",
	} {
		if _, given := out[key]; !given {
			out[key] = resource.NewProperty(value)
		}
	}
	if reg.Type == "aws:acm/certificate:Certificate" {
		out["domainValidationOptions"] = resource.NewProperty([]resource.PropertyValue{resource.NewProperty(resource.PropertyMap{
			"resourceRecordName":  resource.NewProperty("_proof." + reg.Inputs["domainName"].StringValue()),
			"resourceRecordType":  resource.NewProperty("CNAME"),
			"resourceRecordValue": resource.NewProperty("_value.acm-validations.aws"),
		})})
	}
	return out
}

// Call implements pulumi.MockResourceMonitor.
func (r *Recorder) Call(a pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	region := r.regions[a.Provider[strings.LastIndexByte(a.Provider, ':')+1:]]
	r.asked[region] = true
	r.mu.Unlock()
	switch a.Token {
	case "aws:index/getPartition:getPartition":
		return resource.PropertyMap{"partition": resource.NewProperty("aws")}, nil
	case "aws:index/getCallerIdentity:getCallerIdentity":
		return resource.PropertyMap{
			"accountId": resource.NewProperty(Account),
			"arn":       resource.NewProperty("arn:aws:sts::" + Account + ":assumed-role/deployer/session"),
		}, nil
	}
	call, ok := r.calls[a.Token]
	if !ok {
		return nil, fmt.Errorf("unexpected call of %s", a.Token)
	}
	out, err := call(region, a.Args.Mappable())
	return resource.NewPropertyMapFromMap(out), err
}

// Asked returns the regions, sorted, whose provider answered a function.
func (r *Recorder) Asked() []string { return slices.Sorted(maps.Keys(r.asked)) }

// RegisterResourceOutputs counts completions; the SDK finds it by its shape.
func (r *Recorder) RegisterResourceOutputs() (*emptypb.Empty, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outputs++
	return &emptypb.Empty{}, nil
}

// Registrations returns all that was registered, in no particular order.
func (r *Recorder) Registrations() []Registration { return slices.Clone(r.regs) }

// Of returns the registrations of one type, sorted by name.
func (r *Recorder) Of(token string) []Registration {
	out := slices.DeleteFunc(r.Registrations(), func(g Registration) bool { return g.Type != token })
	slices.SortFunc(out, func(a, b Registration) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// One returns the only registration of the given type and name.
func (r *Recorder) One(t testing.TB, token, name string) Registration {
	t.Helper()
	for _, g := range r.Of(token) {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("no %s named %q in:\n%s", token, name, r.Tree())
	return Registration{}
}

// Tree renders the registrations sorted, one a line, for golden files.
func (r *Recorder) Tree() string {
	lines := make([]string, len(r.regs))
	for i, g := range r.regs {
		lines[i] = fmt.Sprintf("%s  %s  %s", g.Parent.Name(), g.Name, g.Type)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// CheckComponents reports what the engine or a reviewer would reject: a URN
// used twice (mocks let it pass), a cloud resource outside any component or
// without a provider of its own, a child not named after its parent, a type
// token without three parts, and a component that never completed.
func (r *Recorder) CheckComponents(t testing.TB) {
	t.Helper()
	components, seen := 0, map[resource.URN]bool{}
	for _, g := range r.regs {
		urn := g.URN()
		if seen[urn] {
			t.Errorf("%s is registered twice", urn)
		}
		seen[urn] = true
		if g.Component {
			components++
		}
		checkRegistration(t, g)
	}
	if want := components + 1; r.outputs != want { // the stack itself completes too
		t.Errorf("RegisterResourceOutputs was called %d times, want %d", r.outputs, want)
	}
}

func checkRegistration(t testing.TB, g Registration) {
	t.Helper()
	top := g.Parent.QualifiedType() == resource.RootStackType
	provider := strings.HasPrefix(g.Type, "pulumi:providers:")
	switch {
	case g.Component && strings.Count(g.Type, ":") != 2:
		t.Errorf("%s: type token %q is not package:module:Type", g.Name, g.Type)
	case top && !g.Component && !provider:
		t.Errorf("%s %s belongs to no component", g.Type, g.Name)
	case !top && !strings.HasPrefix(g.Name, g.Parent.Name()+"-"):
		t.Errorf("%s is not named after its parent %s", g.Name, g.Parent.Name())
	case !g.Component && !provider && g.Region == "":
		t.Errorf("%s %s has no provider, and would land in the default region", g.Type, g.Name)
	}
}
