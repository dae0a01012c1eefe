package openai_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// narrow is an engine whose model takes so many messages at most.
type narrow struct {
	*engine
	takes int
	asked [][]converse.Message
}

func (n *narrow) Answer(ctx context.Context, targets []contract.Target, q converse.Request) (converse.Answer, failover.Report, error) {
	n.asked = append(n.asked, spoken(q.Messages))
	if len(q.Messages) > n.takes {
		tooLong := none(converse.TooLong, "input is too long")
		return converse.Answer{}, tooLong.report, tooLong.err
	}
	return n.engine.Answer(ctx, targets, q)
}

func TestTruncation(t *testing.T) {
	const call = `{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"},`
	const input = `[{"role":"developer","content":"rule"},{"role":"user","content":"1"},` + call + `{"role":"assistant","content":"2"},{"role":"user","content":"3"},{"role":"assistant","content":"4"},{"role":"user","content":"5"}]`
	body := func(truncation string) string { return `{"model":"claude-sonnet","input":` + input + truncation + `}` }
	t.Run("disabled", func(t *testing.T) {
		for _, truncation := range []string{"", `,"truncation":"disabled"`} {
			n := &narrow{engine: hello(), takes: 3}
			url, _ := api(t, n)
			resp, got := do(t, http.MethodPost, url+"/v1/responses", "application/json", body(truncation))
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			assert.Contains(t, got, `"param":"input","code":"context_length_exceeded"`)
			assert.Len(t, n.asked, 1)
		}
	})
	t.Run("of files", func(t *testing.T) {
		turn := `{"role":"user","content":[{"type":"input_file","file_data":"` + note + `"}]},{"role":"assistant","content":"a"},`
		files := `{"model":"claude-sonnet","input":[` + strings.Repeat(turn, 7) + `{"role":"user","content":"b"}]`
		e := hello()
		url, _ := api(t, e)
		resp, got := do(t, http.MethodPost, url+"/v1/responses", "application/json", files+`}`)
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
		assert.Contains(t, got, "There are more than 5 files, those of earlier turns included.")
		resp, got = do(t, http.MethodPost, url+"/v1/responses", "application/json", files+`,"truncation":"auto"}`)
		require.Equal(t, http.StatusOK, resp.StatusCode, got)
		assert.Len(t, e.question.Messages, 11, "the two oldest turns are gone")
	})
	t.Run("auto", func(t *testing.T) {
		n := &narrow{engine: hello(), takes: 3}
		url, log := api(t, n)
		resp, got := do(t, http.MethodPost, url+"/v1/responses", "application/json", body(`,"truncation":"auto"`))
		require.Equal(t, http.StatusOK, resp.StatusCode, got)
		require.Len(t, n.asked, 2)
		assert.Equal(t, []converse.Message{said(converse.User, "3"), said(converse.Assistant, "4"), said(converse.User, "5")}, n.asked[1])
		assert.Equal(t, []converse.Part{{Text: "rule"}, {Cache: true}}, n.question.System)
		assert.Equal(t, "3", resp.Header.Get(contract.HeaderAttempts))
		assert.Len(t, log.line(t)["attempts"], 3)
	})
	t.Run("auto, and still too long", func(t *testing.T) {
		n := &narrow{engine: hello()}
		url, _ := api(t, n)
		resp, got := do(t, http.MethodPost, url+"/v1/responses", "application/json", body(`,"truncation":"auto"`))
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
		assert.Contains(t, got, `"code":"context_length_exceeded"`)
		assert.Equal(t, []converse.Message{said(converse.User, "5")}, n.asked[len(n.asked)-1])
	})
}

func TestCutsAreBounded(t *testing.T) {
	n := &narrow{engine: hello()}
	url, _ := api(t, n)
	turn := `{"role":"user","content":"a"},{"role":"assistant","content":"b"},`
	resp, _ := do(t, http.MethodPost, url+"/v1/responses", "application/json",
		`{"model":"claude-sonnet","truncation":"auto","input":[`+strings.Repeat(turn, 400)+`{"role":"user","content":"c"}]}`)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Len(t, n.asked, 9)
}

func TestMoreItemsThanATurnCanHave(t *testing.T) {
	for _, stream := range []bool{false, true} {
		e, m := hello(), newMemory()
		for i := range 101 {
			e.events = append(e.events, converse.Event{Tool: &converse.ToolDelta{Index: i, ID: fmt.Sprint(i), Name: "f"}})
		}
		url, log := stateful(t, e, m)
		input := strings.TrimSuffix(strings.Repeat(`{"role":"user","content":"a"},`, 900), ",")
		_, body := do(t, http.MethodPost, url+"/v1/responses", "application/json", fmt.Sprintf(`{"model":"claude-sonnet","stream":%t,"input":[%s]}`, stream, input))
		assert.Contains(t, body, `"code":"too_many_items"`)
		assert.Equal(t, "too_many_items", log.line(t)["error"])
		assert.Empty(t, m.turns)

		e.events = e.events[:len(e.events)-2]
		_, body = do(t, http.MethodPost, url+"/v1/responses", "application/json", fmt.Sprintf(`{"model":"claude-sonnet","stream":%t,"input":[%s]}`, stream, input))
		assert.Contains(t, body, `999eu-west-1"`)
		assert.Len(t, m.turns, 1)
	}
}

func TestReferencesAreBounded(t *testing.T) {
	url, _ := api(t, hello())
	const reference = `{"type":"item_reference","id":"msg_%s%020d000eu-west-1"},`
	ask := func(references string) (*http.Response, string) {
		return do(t, http.MethodPost, url+"/v1/responses", "application/json", `{"model":"claude-sonnet","input":[`+references+`{"role":"user","content":"a"}]}`)
	}
	var many strings.Builder
	for i := range 101 {
		fmt.Fprintf(&many, reference, threadOne, i)
	}
	resp, body := ask(many.String())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Contains(t, body, "lead to 101 turns, more than 100")

	resp, body = ask(fmt.Sprintf(`{"role":"user","content":%q},`, strings.Repeat("a", contract.MaxBodyBytes/2)))
	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	large := fmt.Sprintf(reference, "00000000000000000003", 4)
	resp, body = ask(large)
	assert.Equal(t, http.StatusOK, resp.StatusCode, body)
	resp, body = ask(strings.Repeat(large, 3))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Contains(t, body, "what it refers to is over")
}

// busy is a store whose turns are not there before all that ask are told so.
type busy struct {
	*memory
	asked chan struct{}
	leave chan struct{}
}

func (b busy) Turn(context.Context, string, state.TurnID) (state.Turn, error) {
	b.asked <- struct{}{}
	<-b.leave
	return state.Turn{}, state.ErrNotFound
}

func TestFewTurnsAreReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := busy{newMemory(), make(chan struct{}, 100), make(chan struct{})}
		h, err := openai.New(openai.Config{Stack: "eu", Region: "eu-west-1", Models: models, Engine: hello(), Store: b, Budget: &ledger{}, Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		var input strings.Builder
		for i := range 40 {
			fmt.Fprintf(&input, `{"type":"item_reference","id":"msg_%s%020d000eu-west-1"},`, threadOne, i)
		}
		ev := events.APIGatewayProxyRequest{HTTPMethod: http.MethodPost, Path: "/v1/responses", Headers: map[string]string{"Content-Type": "application/json"},
			Body: `{"model":"claude-sonnet","input":[` + strings.TrimSuffix(input.String(), ",") + `]}`}
		ev.RequestContext.Authorizer = map[string]any{contract.ContextTenant: "acme"}
		status := make(chan int, 1)
		go func() {
			resp, err := apigw.Handler(h, slog.New(slog.DiscardHandler))(t.Context(), ev)
			assert.NoError(t, err)
			assert.NoError(t, resp.Close())
			status <- resp.StatusCode
		}()
		synctest.Wait()
		assert.Len(t, b.asked, 16)
		close(b.leave)
		assert.Equal(t, http.StatusNotFound, <-status)
		assert.Len(t, b.asked, 40)
	})
}

// telling is an engine whose streams tell at their end how they went.
type telling struct{ *engine }

type told struct{ converse.Stream }

func (e telling) Open(ctx context.Context, targets []contract.Target, q converse.Request) (converse.Stream, failover.Report, error) {
	s, _, err := e.engine.Open(ctx, targets, q)
	return told{s}, failover.Report{}, err
}

func (told) Report() failover.Report { return hello().report }

func TestLogOfAStreamedResponse(t *testing.T) {
	e, log, now := hello(), &logged{}, time.Unix(1_700_000_000, 0)
	e.events = append([]converse.Event{{Wait: true}}, e.events...)
	h, err := openai.New(openai.Config{
		Stack: "eu", Region: "eu-west-1", Models: models, Engine: telling{e}, Store: newMemory(), Budget: &ledger{}, Log: slog.New(slog.NewJSONHandler(log, nil)),
		Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	require.NoError(t, err)
	server := httptest.NewServer(gateway(t, apigw.Handler(h, slog.New(slog.DiscardHandler))))
	defer server.Close()
	do(t, http.MethodPost, server.URL+"/v1/responses", "application/json", `{"model":"claude-sonnet","stream":true,"input":"a"}`)
	line := log.line(t)
	assert.Equal(t, 1000.0, line["TimeToFirstToken"], "the first content, not the last")
	assert.Equal(t, "eu-central-1", line["target"])
	assert.Len(t, line["attempts"], 2)
	assert.Equal(t, 3.0, line["OutputTokens"])
}
