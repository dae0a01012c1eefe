package converse_test

import (
	"encoding/json"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrefixesAreKept(t *testing.T) {
	turns := func(n int) converse.Request {
		return to(sonnet45, func(r *converse.Request) {
			for range n - 1 {
				r.Messages = append(r.Messages,
					converse.Message{Role: converse.Assistant, Parts: []converse.Part{{Text: "a"}}},
					converse.Message{Role: converse.User, Parts: []converse.Part{{Text: "q"}}})
			}
			r.Tools, r.System = []converse.Tool{weather, weather}, []converse.Part{{Text: "s"}}
		})
	}
	const spec = `{"toolSpec":{"name":"weather","description":"tells it","inputSchema":{"json":{"type":"object","z":12345678901234567890,"a":1}}}}`
	const point = `{"cachePoint":{"type":"default"}}`
	tests := []struct {
		name          string
		in            converse.Request
		tools, system string
		first, last   string
	}{
		{"a single question keeps tools and instructions", converse.KeepPrefixes(turns(1)),
			`[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"}]`, `[{"text":"hello"}]`},
		{"a conversation keeps its last two questions", converse.KeepPrefixes(turns(2)),
			`[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"},` + point + `]`, `[{"text":"q"},` + point + `]`},
		{"no others", converse.KeepPrefixes(turns(3)),
			`[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"}]`, `[{"text":"q"},` + point + `]`},
		{"Nova keeps no tools", func() converse.Request { r := turns(2); r.Model = novaPro; return converse.KeepPrefixes(r) }(),
			`[` + spec + `,` + spec + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"},` + point + `]`, `[{"text":"q"},` + point + `]`},
		{"a model that keeps nothing", func() converse.Request {
			r := turns(2)
			r.Model = "mistral.mistral-large-2407-v1:0"
			return converse.KeepPrefixes(r)
		}(),
			`[` + spec + `,` + spec + `]`, `[{"text":"s"}]`, `[{"text":"hello"}]`, `[{"text":"q"}]`},
		{"more points than Bedrock takes, and one at the beginning", func() converse.Request {
			r := converse.KeepPrefixes(turns(2))
			r.System = append([]converse.Part{{Cache: true}}, r.System...)
			r.Messages[0].Parts = append(r.Messages[0].Parts, converse.Part{Text: "more"}, converse.Part{Cache: true})
			return r
		}(), `[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`,
			`[{"text":"hello"},` + point + `,{"text":"more"},` + point + `]`, `[{"text":"q"}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, body := wire(t, tt.in)
			var got struct {
				System     json.RawMessage
				ToolConfig struct{ Tools json.RawMessage }
				Messages   []struct{ Content json.RawMessage }
			}
			require.NoError(t, json.Unmarshal([]byte(body), &got))
			assert.JSONEq(t, tt.tools, string(got.ToolConfig.Tools))
			assert.JSONEq(t, tt.system, string(got.System))
			assert.JSONEq(t, tt.first, string(got.Messages[0].Content))
			assert.JSONEq(t, tt.last, string(got.Messages[len(got.Messages)-1].Content))
		})
	}
}

func TestKeepingPrefixesLeavesTheQuestionAsItWas(t *testing.T) {
	r := afterTool(sonnet45)
	r.Tools, r.System = []converse.Tool{weather}, make([]converse.Part, 1, 2)
	r.Messages[2].Parts = append(make([]converse.Part, 0, 2), told)
	converse.KeepPrefixes(r)
	assert.False(t, r.Tools[0].Cache)
	assert.False(t, r.System[:2][1].Cache)
	assert.Len(t, r.Messages[2].Parts, 1)
	assert.False(t, r.Messages[2].Parts[:2][1].Cache)
}
