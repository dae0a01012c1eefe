package openai

import (
	"slices"
)

// Items of a conversation can be deleted one by one, and turns can be added to
// it at once. So a call in a history may have lost its output, or have it further
// down, which no model takes: what is shown of a history is mended first.

// withoutOrphans is the history, then the input. Of the history it leaves out
// outputs without a call before them, and calls without an output, unless nothing
// has been said since: those the caller has yet to answer.
func withoutOrphans(history, input []item) []item {
	all := slices.Concat(history, input)
	outputs, calls := pairs(all)
	said := len(history) // where nothing but calls and their outputs is left
	for said > 0 && history[said-1].Type != itemMessage {
		said--
	}
	kept := all[:0:0]
	for i, it := range all {
		_, isAnswered := outputs[i]
		_, isAnswer := calls[i]
		orphan := it.Type == itemOutput && !isAnswer || it.Type == itemCall && !isAnswered && (i < said || repeats(all[i+1:], it))
		if i >= len(history) || !orphan {
			kept = append(kept, it)
		}
	}
	return kept
}

// reunited moves calls whose output does not follow to right before it.
func reunited(items []item) []item {
	outputs, calls := pairs(items)
	moved := func(call, output int) bool { return apart(items[call+1 : output]) }
	all := items[:0:0]
	for i, it := range items {
		if output, ok := outputs[i]; ok && moved(i, output) {
			continue
		}
		if call, ok := calls[i]; ok && moved(call, i) {
			all = append(all, items[call])
		}
		all = append(all, it)
	}
	return all
}

// pairs are the indices of the outputs of calls, and of the calls of outputs.
func pairs(items []item) (outputs, calls map[int]int) {
	outputs, calls = map[int]int{}, map[int]int{}
	open := map[string]int{}
	for i, it := range items {
		switch it.Type {
		case itemCall:
			if it.Status != statusIncomplete { // one that was cut off was never made
				open[it.CallID] = i
			}
		case itemOutput:
			if call, ok := open[it.CallID]; ok {
				outputs[call], calls[i] = i, call
				delete(open, it.CallID)
			}
		}
	}
	return outputs, calls
}

// repeats tells whether the same call stands among items.
func repeats(items []item, call item) bool {
	return slices.ContainsFunc(items, func(it item) bool { return it.Type == itemCall && it.CallID == call.CallID })
}

// apart tells whether what stands between a call and its output keeps them from
// standing in neighbouring messages: something of the user's, or of the model's
// after an output.
func apart(between []item) bool {
	answered := false
	for _, it := range between {
		switch {
		case it.Type == itemOutput:
			answered = true
		case it.Role == "system" || it.Role == "developer":
		case answered || it.Role == "user":
			return true
		}
	}
	return false
}
