package openai_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhereATurnStandsIsTold to the client, in a header or before a stream's last
// event, and to the stack's metrics if it stands nowhere else.
func TestWhereATurnStandsIsTold(t *testing.T) {
	const whole, streamed = `{"model":"claude-sonnet","input":"hello"}`, `{"model":"claude-sonnet","input":"hello","stream":true}`
	alone := state.Stored{Regions: []string{"eu-west-1"}, Short: true}
	tests := []struct {
		name, body string
		stored     state.Stored
		header     string
		comment    string
		single     any // in the log's line
	}{
		{"in two regions", whole, state.Stored{}, "2", "", nil},
		{"in one, for want of another", whole, alone, "1", "", 1.0},
		{"in one, as the settings want it", whole, state.Stored{Regions: []string{"eu-west-1"}}, "1", "", nil},
		{"of a stream, in two regions", streamed, state.Stored{}, "", "2", nil},
		{"of a stream, in one", streamed, alone, "", "1", 1.0},
		{"nothing is stored", strings.Replace(whole, "}", `,"store":false}`, 1), alone, "", "", nil},
		{"nothing is stored of a stream", strings.Replace(streamed, "}", `,"store":false}`, 1), alone, "", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory()
			m.stored = tt.stored
			url, log := stateful(t, hello(), m)
			resp, body := do(t, http.MethodPost, url+"/v1/responses", "application/json", tt.body)
			require.Equal(t, http.StatusOK, resp.StatusCode, body)
			assert.Equal(t, tt.header, resp.Header.Get(contract.HeaderReplicas))
			assert.Equal(t, tt.single, log.line(t)["SingleCopies"])
			comment := ": " + contract.HeaderReplicas + ": "
			if tt.comment == "" {
				assert.NotContains(t, body, comment)
			} else {
				assert.Contains(t, body, comment+tt.comment+"\n\nevent: response.completed\n")
			}
		})
	}
}
