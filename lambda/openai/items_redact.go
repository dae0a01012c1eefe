package openai

import (
	"fmt"
	"slices"

	state "github.com/crossregion/crossregion/lambda/conversation"
)

// redact leaves nothing of the items of the given numbers but their ids and
// types.
func redact(body []byte, numbers []int) ([]byte, error) {
	b, err := readTurn(state.Turn{Body: body})
	if err != nil {
		return nil, err
	}
	items := b.items()
	for _, n := range numbers {
		if n < len(items) {
			items[n] = item{ID: items[n].ID, Type: items[n].Type}
		}
	}
	b.Input = items[:len(b.Input)]
	if b.Response != nil {
		b.Response.Output = items[len(b.Input):]
	}
	if body, err = encode(b); err != nil {
		return nil, fmt.Errorf("encode a turn: %w", err)
	}
	return body, nil
}

// hide takes the items of the given numbers out of the response's output.
func (b *turnBody) hide(deleted []int) {
	if b.Response == nil || len(deleted) == 0 {
		return
	}
	output := []item{}
	for i, it := range b.Response.Output {
		if !slices.Contains(deleted, len(b.Input)+i) {
			output = append(output, it)
		}
	}
	b.Response.Output = output
}
