package converse

import (
	"encoding/json"
	"testing"

	"github.com/crossregion/crossregion/contract"
)

func BenchmarkInput(b *testing.B) {
	r := Request{
		Model: "anthropic.claude-sonnet-4-5-20250929-v1:0", System: []Part{{Text: "be brief"}},
		Tools: []Tool{{Name: "f", Schema: json.RawMessage(anyObject)}},
	}
	for range 20 {
		r.Messages = append(r.Messages,
			Message{Role: User, Parts: []Part{{Text: "What is the weather?"}}},
			Message{Role: Assistant, Parts: []Part{{ToolUse: &ToolUse{ID: "u", Name: "f", Input: json.RawMessage(`{"a":1}`)}}}},
			Message{Role: User, Parts: []Part{{ToolResult: &ToolResult{ID: "u", Parts: []Part{{Text: "rain"}}}}}})
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(r); err != nil {
			b.Fatal(err)
		}
		translate(KeepPrefixes(r)).input(contract.Target{ID: "a"})
	}
}
