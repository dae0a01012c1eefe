package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Targets share few sets of destinations and one guardrail per region, which
// would take most of an environment's 4 KB if each target repeated them. In JSON
// an Invoker lists both once, and its targets refer to them by number.

// plainInvoker is an Invoker that encodes field by field.
type plainInvoker Invoker

type compactInvoker struct {
	plainInvoker
	Models       []compactModel `json:"models"` // hides that of plainInvoker
	Destinations [][]string     `json:"destinations"`
	Guardrails   []Guardrail    `json:"guardrails,omitempty"`
}

type compactModel struct {
	Name    string          `json:"name"`
	Base    string          `json:"base"`
	Targets []compactTarget `json:"targets"`
}

type compactTarget struct {
	Region       string `json:"region"`
	ID           string `json:"id"`
	Destinations int    `json:"to"`
	Guardrail    *int   `json:"guardrail,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (c Invoker) MarshalJSON() ([]byte, error) {
	compact := compactInvoker{plainInvoker: plainInvoker(c)}
	for _, m := range c.Models {
		model := compactModel{Name: m.Name, Base: m.Base}
		for _, t := range m.Targets {
			model.Targets = append(model.Targets, compact.shorten(t))
		}
		compact.Models = append(compact.Models, model)
	}
	return json.Marshal(compact)
}

func (c *compactInvoker) shorten(t Target) compactTarget {
	short := compactTarget{Region: t.Region, ID: t.ID}
	short.Destinations = slices.IndexFunc(c.Destinations, func(set []string) bool { return slices.Equal(set, t.Destinations) })
	if short.Destinations < 0 {
		short.Destinations = len(c.Destinations)
		c.Destinations = append(c.Destinations, t.Destinations)
	}
	if t.Guardrail != nil {
		at := slices.Index(c.Guardrails, *t.Guardrail)
		if at < 0 {
			at = len(c.Guardrails)
			c.Guardrails = append(c.Guardrails, *t.Guardrail)
		}
		short.Guardrail = &at
	}
	return short
}

// UnmarshalJSON implements [json.Unmarshaler]. It refuses unknown fields.
func (c *Invoker) UnmarshalJSON(data []byte) error {
	var compact compactInvoker
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&compact); err != nil {
		return err
	}
	*c = Invoker(compact.plainInvoker)
	for _, m := range compact.Models {
		model := Model{Name: m.Name, Base: m.Base}
		for _, short := range m.Targets {
			t, err := compact.restore(short)
			if err != nil {
				return fmt.Errorf("model %s: %w", m.Name, err)
			}
			model.Targets = append(model.Targets, t)
		}
		c.Models = append(c.Models, model)
	}
	return nil
}

func (c *compactInvoker) restore(short compactTarget) (Target, error) {
	t := Target{Region: short.Region, ID: short.ID}
	if short.Destinations < 0 || short.Destinations >= len(c.Destinations) {
		return t, fmt.Errorf("target %s refers to destinations %d of %d", t.Region, short.Destinations, len(c.Destinations))
	}
	t.Destinations = slices.Clone(c.Destinations[short.Destinations])
	if at := short.Guardrail; at != nil {
		if *at < 0 || *at >= len(c.Guardrails) {
			return t, fmt.Errorf("target %s refers to guardrail %d of %d", t.Region, *at, len(c.Guardrails))
		}
		guardrail := c.Guardrails[*at]
		t.Guardrail = &guardrail
	}
	return t, nil
}
