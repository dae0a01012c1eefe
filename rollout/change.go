package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// change is one resource that an update would change.
type change struct {
	urn     string
	op      operation
	needs   []string // URNs that it cannot do without
	reads   []string // those of them whose outputs are in its properties
	version string   // of an alias of a function: the one that it leads to before

	component bool     // nothing of its own in AWS
	differs   []string // names of properties
	replaces  []string // those of them for which it is replaced
}

// operation is what happens to a resource.
type operation int

const (
	create operation = iota
	update
	replace
	remove
)

// operations are Pulumi's names of what changes anything.
var operations = map[string]operation{
	"create": create, "import": create,
	"update": update, "replace": replace, "create-replacement": replace, "delete-replaced": replace,
	"delete": remove, "discard": remove,
}

// aliasType is what routes calls to a version of a function.
const aliasType = "aws:lambda/alias:Alias"

// profileType is by what a function calls a model.
const profileType = "aws:bedrock/inferenceProfile:InferenceProfile"

// name is the logical name in a URN.
func name(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	return parts[len(parts)-1]
}

// typeOf is the type in a URN, without those of its parents.
func typeOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}

// state is a resource as Pulumi prints it, as far as a plan needs it.
type state struct {
	URN                  string              `json:"urn"`
	Type                 string              `json:"type"`
	Custom               bool                `json:"custom"`
	ID                   string              `json:"id"`
	Parent               string              `json:"parent"`
	Provider             string              `json:"provider"`
	Dependencies         []string            `json:"dependencies"`
	PropertyDependencies map[string][]string `json:"propertyDependencies"`
	Outputs              json.RawMessage     `json:"outputs"`
}

func (s *state) needs() []string {
	if s == nil {
		return nil
	}
	needs := slices.Clone(s.Dependencies)
	if s.Parent != "" {
		needs = append(needs, s.Parent)
	}
	return append(needs, s.reads()...)
}

func (s *state) reads() []string {
	if s == nil {
		return nil
	}
	var reads []string
	for _, property := range slices.Sorted(maps.Keys(s.PropertyDependencies)) {
		reads = append(reads, s.PropertyDependencies[property]...)
	}
	return reads
}

func (s *state) component() bool { return s != nil && s.URN != "" && !s.Custom }

// version is the version that an alias leads to, "" of anything else.
func (s *state) version() string {
	if s == nil || s.Type != aliasType {
		return ""
	}
	var outputs struct{ FunctionVersion string }
	// Not an alias's shape: then there is no version to keep.
	if json.Unmarshal(s.Outputs, &outputs) != nil {
		return ""
	}
	return outputs.FunctionVersion
}

// preview is what pulumi preview --json prints.
type preview struct {
	Steps []struct {
		Op             string   `json:"op"`
		URN            string   `json:"urn"`
		OldState       *state   `json:"oldState"`
		NewState       *state   `json:"newState"`
		DiffReasons    []string `json:"diffReasons"`
		ReplaceReasons []string `json:"replaceReasons"`
	} `json:"steps"`
	Diagnostics []struct {
		Message  string `json:"message"`
		Severity string `json:"severity"`
	} `json:"diagnostics"`
}

// changes are all that the preview would change, each resource once, in
// Pulumi's order. Providers and the stack itself are part of every update.
func (p preview) changes() []change {
	var all []change
	at := map[string]int{}
	for _, s := range p.Steps {
		op, changes := operations[s.Op]
		t := typeOf(s.URN)
		if !changes || strings.HasPrefix(t, "pulumi:") {
			continue
		}
		if i, seen := at[s.URN]; seen {
			all[i].because(s.DiffReasons, s.ReplaceReasons)
			continue
		}
		at[s.URN] = len(all)
		all = append(all, change{
			urn: s.URN, op: op, needs: s.NewState.needs(), reads: s.NewState.reads(), version: s.OldState.version(),
			component: s.OldState.component() || s.NewState.component(), differs: s.DiffReasons, replaces: s.ReplaceReasons,
		})
	}
	return all
}

// because adds the reasons of a later part of the same change: a resource that
// is deleted before it is replaced is so without any.
func (c *change) because(differs, replaces []string) {
	if len(c.differs) == 0 {
		c.differs = differs
	}
	if len(c.replaces) == 0 {
		c.replaces = replaces
	}
}

// fault is what the preview failed for.
func (p preview) fault() error {
	var errs []error
	for _, message := range p.said("error") {
		errs = append(errs, errors.New(message))
	}
	return errors.Join(errs...)
}

// warnings are what the preview warns of.
func (p preview) warnings() []string { return p.said("warning") }

func (p preview) said(severity string) []string {
	var messages []string
	for _, d := range p.Diagnostics {
		if d.Severity == severity {
			// Some begin with their severity already.
			messages = append(messages, strings.TrimPrefix(strings.TrimSpace(d.Message), severity+": "))
		}
	}
	return messages
}

func parsePreview(raw []byte) (preview, error) {
	var p preview
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("read what pulumi preview --json prints: %w", err)
	}
	return p, nil
}
