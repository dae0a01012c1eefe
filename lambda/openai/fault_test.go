package openai

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDecodingStopsAtTheFirstFault compares what is allocated for a fault that
// comes first and for one that comes last.
func TestDecodingStopsAtTheFirstFault(t *testing.T) {
	const rest = 1000
	inMessages := func(elements string) string { return `{"messages":[` + elements + `]}` }
	inContent := func(elements string) string { return inMessages(`{"role":"user","content":[` + elements + `]}`) }
	tests := []struct {
		name, good, bad string
		in              func(elements string) string
	}{
		{"among the messages", `{"role":"user","content":"a"}`, `{"role":"robot"}`, inMessages},
		{"among the parts of one", `{"type":"text","text":"a"}`, `{"type":"image"}`, inContent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first := allocations(t, tt.in(tt.bad+strings.Repeat(","+tt.good, rest)))
			last := allocations(t, tt.in(strings.Repeat(tt.good+",", rest)+tt.bad))
			assert.Less(t, first, last/2)
		})
	}
}

// allocations are those of decoding the messages of a faulty body, without
// those of reading it.
func allocations(t *testing.T, body string) float64 {
	t.Helper()
	read := func() *object {
		o, err := parse([]byte(body))
		require.NoError(t, err)
		return o
	}
	all := testing.AllocsPerRun(1, func() {
		o := read()
		messages(o)
		require.Error(t, o.err)
	})
	return all - testing.AllocsPerRun(1, func() { read() })
}
