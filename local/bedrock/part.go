package bedrock

import "encoding/json"

// block is p as a whole answer carries it.
func (p part) block() map[string]any {
	switch p.kind {
	case "toolUse":
		// Arguments that a limit cut are no JSON; what the model meant is lost.
		input := json.RawMessage(p.text())
		if !json.Valid(input) {
			input = json.RawMessage("{}")
		}
		return map[string]any{"toolUse": toolUse{p.id, p.name, input}}
	case "reasoningContent":
		if p.redacted {
			return map[string]any{p.kind: map[string]any{"redactedContent": []byte(secretThoughts)}}
		}
		text := map[string]string{"text": p.text()}
		if p.proven {
			text["signature"] = sign(p.text())
		}
		return map[string]any{p.kind: map[string]any{"reasoningText": text}}
	default:
		return map[string]any{"text": p.text()}
	}
}

// streamed is one event of a stream.
type streamed struct {
	name    string
	payload any
}

// events are those of p as the block with that index. Text and thoughts have no
// start, as with Anthropic's models.
func (p part) events(index int) []streamed {
	var all []streamed
	if p.kind == "toolUse" {
		start := map[string]any{"toolUse": map[string]string{"toolUseId": p.id, "name": p.name}}
		all = append(all, streamed{"contentBlockStart", contentBlockStart{index, start}})
	}
	for _, d := range p.pieces() {
		all = append(all, streamed{"contentBlockDelta", contentBlockDelta{index, d}})
	}
	return append(all, streamed{"contentBlockStop", contentBlockStop{index}})
}

// events are those of all parts of a.
func (a answer) events() []streamed {
	var all []streamed
	for i, p := range a.parts {
		all = append(all, p.events(i)...)
	}
	return all
}

// pieces are the deltas of p.
func (p part) pieces() []map[string]any {
	if p.redacted {
		return []map[string]any{{p.kind: map[string]any{"redactedContent": []byte(secretThoughts)}}}
	}
	var all []map[string]any
	for _, d := range p.deltas() {
		switch p.kind {
		case "toolUse":
			all = append(all, map[string]any{p.kind: map[string]string{"input": d}})
		case "reasoningContent":
			all = append(all, map[string]any{p.kind: map[string]string{"text": d}})
		default:
			all = append(all, map[string]any{"text": d})
		}
	}
	if p.proven {
		all = append(all, map[string]any{p.kind: map[string]string{"signature": sign(p.text())}})
	}
	return all
}
