package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/contract"
)

// Place is one place where content is processed or stored.
type Place struct {
	What   string // e.g. "model claude-sonnet"
	How    string // "processed" or "stored"
	Region string // where
	Why    string // why that is inside the jurisdiction
}

// Residency is the evidence that a stack stays inside its jurisdiction.
type Residency struct {
	Stack        string
	Jurisdiction string
	Allowed      []string // regions of the jurisdiction
	Places       []Place
}

// Outside returns the places that are not inside the jurisdiction. A preview
// that found any has failed, so a deployed stack has none.
func (r Residency) Outside() []Place {
	return slices.DeleteFunc(slices.Clone(r.Places), func(p Place) bool { return slices.Contains(r.Allowed, p.Region) })
}

// Markdown renders the evidence for a data-protection officer.
func (r Residency) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Residency of stack %s\n\n", r.Stack)
	fmt.Fprintf(&b, "Jurisdiction **%s**: %s.\n\n", r.Jurisdiction, strings.Join(r.Allowed, ", "))
	if outside := r.Outside(); len(outside) > 0 {
		fmt.Fprintf(&b, "**%d places are outside it.**\n\n", len(outside))
	} else {
		fmt.Fprintf(&b, "All %d places below are inside it.\n\n", len(r.Places))
	}
	b.WriteString("| what | content is | region | inside | why |\n|---|---|---|---|---|\n")
	for _, p := range r.Places {
		inside := "yes"
		if !slices.Contains(r.Allowed, p.Region) {
			inside = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", p.What, p.How, p.Region, inside, p.Why)
	}
	b.WriteString("\nWhat this table cannot show stands in docs/residency.md under \"Limits\".\n")
	return b.String()
}

// residency collects the evidence, as AWS has answered in this run.
func (s *stack) residency() Residency {
	r := Residency{Stack: s.ctx.Stack(), Jurisdiction: s.settings.Jurisdiction, Allowed: JurisdictionRegions(s.settings.Jurisdiction)}
	if Unbounded(r.Jurisdiction) {
		r.Allowed = append(r.Allowed, contract.AnyRegion)
	}
	add := func(what, how, region, why string) { r.Places = append(r.Places, Place{what, how, region, why}) }
	for _, region := range s.settings.Regions {
		const listed = "a region of the stack, which the settings may only take from the jurisdiction"
		add("API and functions", "processed", region.Name, listed)
		add("conversation table", "stored", region.Name, listed+"; encrypted with a key of the region")
		add("control table (keys, drain flags)", "stored", region.Name, listed+"; holds no content")
		add("restore points of both tables", "stored", region.Name, "DynamoDB keeps them beside the replica")
		add("logs", "stored", region.Name, "written by functions of the region; they hold no content")
		if s.settings.Logs.Access {
			add("access logs", "stored", region.Name, "written by the API of the region; they hold no content")
		}
		if s.settings.Firewall != nil {
			add("firewall", "processed", region.Name, "inspects requests at the API of the region, and keeps none")
		}
		if s.settings.Tracing {
			add("traces", "stored", region.Name, "sent to X-Ray of the region; they hold no content")
		}
		for _, d := range s.regions[region.Name].profiles.GuardrailDestinations() {
			add("guardrail "+s.settings.Guardrail[region.Name].ID, "processed", d, "where AWS evaluates it for "+region.Name)
		}
	}
	for _, region := range s.settings.Regions {
		for _, m := range s.settings.Models {
			why := fmt.Sprintf("AWS names it as a destination of %s called from %s", m.Profile, region.Name)
			if m.Model != "" {
				why = "invoked in the region itself, without a cross-region profile"
			}
			if region.Offline {
				why = "the catalogue lists it; AWS was not asked, since the region is offline"
			}
			for _, d := range s.regions[region.Name].profiles.ModelDestinations(m.Name) {
				add("model "+m.Name+", called from "+region.Name, "processed", d, why)
			}
		}
	}
	return r
}
