package policy

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// maxLength is that of a managed policy, in characters without white space.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxLength = 6144

// split divides the documents that are too long for a managed policy. The parts
// of "edge" are "edge", "edge-2" and so on.
func split(documents map[string]Document) (map[string]Document, error) {
	parts := map[string]Document{}
	for name, d := range documents {
		divided, err := divide(d)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		parts[name] = divided[0]
		for i, part := range divided[1:] {
			parts[fmt.Sprintf("%s-%d", name, i+2)] = part
		}
	}
	return parts, nil
}

// divide fills one document after the other with the statements of d.
func divide(d Document) ([]Document, error) {
	var parts []Document
	for _, s := range d.Statement {
		alone := Document{Version: d.Version, Statement: []Statement{s}}
		if n := length(alone); n > maxLength {
			return nil, fmt.Errorf("the statement on %s alone has %d characters, a managed policy at most %d", s.Action, n, maxLength)
		}
		if last := len(parts) - 1; last >= 0 {
			longer := Document{Version: d.Version, Statement: append(slices.Clip(parts[last].Statement), s)}
			if length(longer) <= maxLength {
				parts[last] = longer
				continue
			}
		}
		parts = append(parts, alone)
	}
	return parts, nil
}

// length is that of d as IAM counts it.
func length(d Document) int {
	text, err := json.Marshal(d)
	if err != nil { // cannot be: a document is made of strings
		return math.MaxInt
	}
	return len(text)
}
