package drill

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/talk"
)

// gateway answers as a stack does, unless a test makes it do otherwise.
type gateway struct {
	turns  int
	items  []string
	answer func(turn int, question string) string // the text of an answer; it may be "" for a stream that breaks off
	forget bool                                   // what was said is not read back
	asked  []map[string]any
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(contract.HeaderRegion, "eu-west-1")
	w.Header().Set(contract.HeaderTarget, "eu-north-1")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/conversations":
		fmt.Fprint(w, `{"id": "conv_1"}`)
	case strings.HasSuffix(r.URL.Path, "/items"):
		var data []string
		for _, text := range g.items {
			data = append(data, fmt.Sprintf(`{"type": "message", "id": "m", "role": "user", "content": [{"type": "input_text", "text": %q}]}`, text))
		}
		fmt.Fprintf(w, `{"object": "list", "has_more": false, "data": [%s]}`, strings.Join(data, ","))
	default:
		g.respond(w, r)
	}
}

func (g *gateway) respond(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.asked = append(g.asked, body)
	g.turns++
	question := body["input"].(string)
	text := g.answer(g.turns, question)
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "event: response.output_text.delta\ndata: {\"type\": \"response.output_text.delta\", \"delta\": %q}\n\n", text+" ")
	if text == "" {
		return
	}
	if !g.forget {
		g.items = append(g.items, question, text+" ")
	}
	fmt.Fprintf(w, "event: response.completed\ndata: {\"type\": \"response.completed\", \"response\": {\"id\": \"resp_%d\"}}\n\n", g.turns)
}

func whole(turn int, question string) string {
	return fmt.Sprintf("Turn %d. You said: %q. a b c d e f g h", turn, question)
}

func TestAClientHoldsItsConversation(t *testing.T) {
	tests := []struct {
		name   string
		thread bool
		gateway
		requests int
		want     string // what is wrong with the last of them
		failures []string
	}{
		{"whole answers", false, gateway{answer: whole}, 3, "", nil},
		{"a conversation that is read back", true, gateway{answer: whole}, 5, "", nil},
		{"a turn is forgotten", false, gateway{answer: func(_ int, q string) string { return whole(1, q) }}, 2, `turn 2 was answered as "Turn 1. You "`, nil},
		{"another's turns are known", false, gateway{answer: func(_ int, q string) string { return whole(2, q) }}, 1, `turn 1 was answered as "Turn 2. You "`, nil},
		{"a part passes for the whole", false, gateway{answer: func(n int, q string) string { return strings.TrimSuffix(whole(n, q), "h") }}, 1, "ended as if whole", nil},
		{"an answer to something else", false, gateway{answer: func(n int, _ string) string { return whole(n, "what?") }}, 1, "ended as if whole", nil},
		{"a conversation loses a turn", true, gateway{answer: whole, forget: true}, 3, "was read back as 0 texts", nil},
		{"a stream without an end, and a whole one at the retry", false, gateway{answer: func(n int, q string) string {
			if n == 1 {
				return ""
			}
			return whole(1, q)
		}}, 1, talk.ErrNoEnd.Error(), []string{talk.ErrNoEnd.Error()}},
		{"a stream without an end", false, gateway{answer: func(int, string) string { return "" }}, 1, talk.ErrNoEnd.Error(), []string{talk.ErrNoEnd.Error(), talk.ErrNoEnd.Error()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(&tt.gateway)
			defer s.Close()
			c := &client{place: "here", thread: tt.thread, model: "m", words: 8, patience: patience{answer: time.Minute},
				sdk: openai.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey("k"), option.WithMaxRetries(0))}
			var last sample
			for n := range tt.requests {
				last = c.next(t.Context())
				if n < tt.requests-1 {
					assert.Empty(t, last.wrong)
				}
			}
			assert.Equal(t, tt.failures, last.failures)
			if tt.want == "" {
				assert.Empty(t, last.wrong)
			}
			assert.Contains(t, last.wrong, tt.want)
			if !last.failed() {
				assert.Equal(t, "eu-west-1", last.region)
			}
		})
	}
}

func TestAClientBeginsAnotherConversationAfterTheLastTurn(t *testing.T) {
	g := &gateway{}
	g.answer = func(turn int, q string) string { return whole((turn-1)%turnsEach+1, q) }
	s := httptest.NewServer(g)
	defer s.Close()
	c := &client{model: "m", words: 8, most: 5, patience: patience{answer: time.Minute},
		sdk: openai.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey("k"), option.WithMaxRetries(0))}
	for range turnsEach + 1 {
		assert.Empty(t, c.next(t.Context()).wrong)
	}
	assert.Nil(t, g.asked[0]["previous_response_id"])
	assert.Equal(t, "resp_1", g.asked[1]["previous_response_id"])
	assert.Nil(t, g.asked[turnsEach]["previous_response_id"])
	assert.EqualValues(t, 5, g.asked[0]["max_output_tokens"])
}

// TestATurnIsCheckedOnce, by whatever tells last whether it is known.
func TestATurnIsCheckedOnce(t *testing.T) {
	tests := []struct {
		name   string
		thread bool
		words  int
		want   []bool // of each request
	}{
		{"answers that tell what they know", false, 8, []bool{true, true}},
		{"answers that tell nothing", false, 0, []bool{false, false}},
		{"a conversation that is read back", true, 8, []bool{false, false, true, false, true}},
		{"one whose answers tell nothing", true, 0, []bool{false, false, true, false, true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(&gateway{answer: whole})
			defer s.Close()
			c := &client{thread: tt.thread, model: "m", words: tt.words, patience: patience{answer: time.Minute},
				sdk: openai.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey("k"), option.WithMaxRetries(0))}
			var checked []bool
			for range tt.want {
				seen := c.next(t.Context())
				assert.Empty(t, seen.failures)
				assert.Empty(t, seen.wrong)
				checked = append(checked, seen.checked)
			}
			assert.Equal(t, tt.want, checked)
		})
	}
}
