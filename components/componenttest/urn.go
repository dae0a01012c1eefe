package componenttest

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// URN is how the engine tells the resource from all others of its stack, and
// knows it again: under another URN it is another resource.
func (g Registration) URN() resource.URN { return urn(g.Parent, g.Type, g.Name) }

func urn(parent resource.URN, kind, name string) resource.URN {
	stack, project, below := tokens.QName("test"), tokens.PackageName("crossregion"), tokens.Type("")
	if parent != "" {
		stack, project = parent.Stack(), parent.Project()
		if parent.QualifiedType() != resource.RootStackType {
			below = parent.QualifiedType()
		}
	}
	return resource.NewURN(stack, project, below, tokens.Type(kind), name)
}

// URNs returns those of all that was registered, sorted, and for each that an
// alias gives a resource besides its own, the resource's own.
func (r *Recorder) URNs() (own []resource.URN, aliases map[resource.URN]resource.URN) {
	aliases, by := map[resource.URN]resource.URN{}, map[resource.URN]Registration{}
	for _, g := range r.regs {
		by[g.URN()] = g
	}
	for now, g := range by {
		own = append(own, now)
		for _, was := range former(g, by) {
			aliases[was] = now
		}
	}
	slices.Sort(own)
	return own, aliases
}

// former are the URNs that a resource had by its aliases and by those of its
// parents: where a parent was renamed, a child named after it was too.
// Source: https://www.pulumi.com/docs/iac/concepts/resources/options/aliases/
func former(g Registration, by map[resource.URN]Registration) []resource.URN {
	parents := []resource.URN{g.Parent}
	if parent, ok := by[g.Parent]; ok {
		parents = append(parents, former(parent, by)...)
	}
	var urns []resource.URN
	for _, parent := range parents {
		name := g.Name
		if rest, named := strings.CutPrefix(name, g.Parent.Name()); named && g.Parent != "" {
			name = parent.Name() + rest
		}
		inherited := Registration{Type: g.Type, Name: name, Parent: parent}
		urns = append(urns, inherited.URN())
		for _, alias := range g.Aliases {
			urns = append(urns, aliased(inherited, alias))
		}
	}
	return slices.DeleteFunc(urns, func(u resource.URN) bool { return u == g.URN() })
}

// aliased is the URN that an alias gives a resource.
func aliased(g Registration, alias *pulumirpc.Alias) resource.URN {
	if alias.GetUrn() != "" {
		return resource.URN(alias.GetUrn())
	}
	spec := alias.GetSpec()
	if spec.GetName() != "" {
		g.Name = spec.GetName()
	}
	if spec.GetType() != "" {
		g.Type = spec.GetType()
	}
	switch {
	case spec.GetNoParent():
		g.Parent = ""
	case spec.GetParentUrn() != "":
		g.Parent = resource.URN(spec.GetParentUrn())
	}
	return g.URN()
}
