package openai_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var withKey = option.WithHeader("Idempotency-Key", "k")

func TestRepeatedRequestGetsTheSameResponse(t *testing.T) {
	e := hello()
	e.events = append(e.events, converse.Event{Reasoning: &converse.Reasoning{Text: "Hm."}}, converse.Event{Reasoning: &converse.Reasoning{Signature: "s"}},
		converse.Event{Tool: &converse.ToolDelta{ID: "c", Name: "f"}})
	url, log := api(t, e)
	p := request1("hello")
	p.Reasoning.Summary, p.Reasoning.Effort, p.MaxOutputTokens = "auto", "low", sdk.Int(9000)
	for _, stream := range []bool{false, true} {
		key := option.WithHeader("Idempotency-Key", fmt.Sprint(stream))
		if !stream {
			first, err := newSDK(url).Responses.New(t.Context(), p, key)
			require.NoError(t, err)
			second, err := newSDK(url).Responses.New(t.Context(), p, key)
			require.NoError(t, err)
			assert.Equal(t, first.RawJSON(), second.RawJSON())
			continue
		}
		first, err := collect(t, url, p, key)
		require.NoError(t, err)
		second, err := collect(t, url, p, key)
		require.NoError(t, err)
		assert.Equal(t, accumulated(t, first).RawJSON(), accumulated(t, second).RawJSON())
		assert.Len(t, second, len(first)-1, "all events, but the text in one piece")
	}
	assert.Equal(t, 2, strings.Count(log.String(), `"OutputTokens":3`), "generated once each")
	assert.Equal(t, 4, strings.Count(log.String(), "\n"))
}

func TestKeys(t *testing.T) {
	m := newMemory()
	url, _ := stateful(t, hello(), m)
	_, err := newSDK(url).Responses.New(t.Context(), request1("hello"), withKey)
	require.NoError(t, err)

	_, err = newSDK(url).Responses.New(t.Context(), request1("another"), withKey)
	assertError(t, err, http.StatusUnprocessableEntity, "idempotency_key_reused", "Another request")

	_, err = newSDK(url).Responses.New(t.Context(), request1("another"), withKey, option.WithHeader("Test-Tenant", "other"))
	require.NoError(t, err, "keys are the tenant's own")

	_, err = newSDK(url).Responses.New(t.Context(), request1("hello"), option.WithHeader("Idempotency-Key", strings.Repeat("k", 256)))
	assertError(t, err, http.StatusBadRequest, "invalid_value", "over 255 bytes")

	for id := range m.turns {
		delete(m.turns, id)
	}
	_, err = newSDK(url).Responses.New(t.Context(), request1("hello"), withKey)
	assertError(t, err, http.StatusConflict, "idempotency_key_in_use", "still being answered")
}

func TestRepeatedRequestNeedsItsHistoryNoMore(t *testing.T) {
	url, _ := api(t, hello())
	first := ask(t, url, request1("one"), false)
	p := request1("two")
	p.PreviousResponseID = sdk.String(first.ID)
	want, err := newSDK(url).Responses.New(t.Context(), p, withKey)
	require.NoError(t, err)
	require.NoError(t, newSDK(url).Responses.Delete(t.Context(), first.ID))
	got, err := newSDK(url).Responses.New(t.Context(), p, withKey)
	require.NoError(t, err)
	assert.Equal(t, want.RawJSON(), got.RawJSON())
}

func TestNothingStoredNothingClaimed(t *testing.T) {
	m := newMemory()
	url, _ := stateful(t, hello(), m)
	p := request1("hello")
	p.Store = sdk.Bool(false)
	_, err := newSDK(url).Responses.New(t.Context(), p, withKey)
	require.NoError(t, err)
	_, err = newSDK(url).Responses.New(t.Context(), request1("hello"))
	require.NoError(t, err)
	assert.NotContains(t, m.calls, "claim")
}

func TestFailureGivesTheKeyBack(t *testing.T) {
	e, m := none(converse.Throttled, "x"), newMemory()
	url, _ := stateful(t, e, m)
	_, err := newSDK(url).Responses.New(t.Context(), request1("hello"), withKey)
	assertError(t, err, http.StatusTooManyRequests, "rate_limit_exceeded", "")
	p := request1("hello")
	p.PreviousResponseID = sdk.String("resp_" + firstID)
	_, err = newSDK(url).Responses.New(t.Context(), p, withKey)
	assertError(t, err, http.StatusNotFound, "previous_response_not_found", "")
	assert.Empty(t, m.claims)

	e.events, e.err = hello().events, nil
	_, err = newSDK(url).Responses.New(t.Context(), request1("hello"), withKey)
	require.NoError(t, err)
	assert.Len(t, m.claims, 1, "a success keeps it")
}

func TestClaimWhoseReplyWasLostIsGivenBack(t *testing.T) {
	m := newMemory()
	m.claimLost = errStore
	url, _ := stateful(t, hello(), m)
	_, err := newSDK(url).Responses.New(t.Context(), request1("hello"), withKey)
	assertError(t, err, http.StatusServiceUnavailable, "state_unavailable", "Please retry")
	_, err = newSDK(url).Responses.New(t.Context(), request1("hello"), withKey)
	require.NoError(t, err)
}

// TestStateIsReadInOneStepAndWrittenInOne: nothing is asked of the store
// after its answers but what needs them.
func TestStateIsReadInOneStepAndWrittenInOne(t *testing.T) {
	m := newMemory()
	url, _ := stateful(t, hello(), m)
	c := conversationWith(t, url)
	gate := &gated{memory: m, arrived: make(chan string), leave: make(chan struct{})}
	url, _ = stateful(t, hello(), gate)
	reference := `{"type":"item_reference","id":"` + c.item + `"}`
	done := make(chan string)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/responses",
			strings.NewReader(`{"model":"claude-sonnet","conversation":"`+c.id+`","input":[`+reference+`,{"role":"user","content":"b"}]}`))
		if !assert.NoError(t, err) {
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		resp, err := http.DefaultClient.Do(r)
		if assert.NoError(t, err) {
			done <- resp.Status
			assert.NoError(t, resp.Body.Close())
		}
	}()
	together := []string{<-gate.arrived, <-gate.arrived, <-gate.arrived}
	assert.ElementsMatch(t, []string{"claim", "history", "turn"}, together)
	close(gate.leave)
	assert.Equal(t, "200 OK", <-done)
	assert.Equal(t, "append", m.calls[len(m.calls)-1])
}

func TestTurnBehindAClockThatIsAhead(t *testing.T) {
	m := newMemory()
	url, _ := stateful(t, hello(), m)
	c := conversationWith(t, url)
	for key, turn := range m.turns {
		delete(m.turns, key)
		turn.ID.Turn = "z0000000000000000000"
		m.turns["acme"+turn.ID.String()] = turn
	}
	body := `{"model":"claude-sonnet","conversation":"` + c.id + `","input":"b"}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/responses", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusConflict, resp.StatusCode)
	assert.Equal(t, "1", resp.Header.Get("Retry-After"))
	assert.Empty(t, m.claims)

	r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/responses", strings.NewReader(strings.Replace(body, "{", `{"store":false,`, 1)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	resp, err = http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode, "nothing is claimed")

	_, got := do(t, http.MethodPost, url+"/v1/responses", "application/json", body)
	assert.Contains(t, got, `"id":"resp_`+c.thread+`z00000000000000z0000eu-west-1"`, "it sorts behind")
	var last state.Turn
	for _, turn := range m.turns {
		if turn.ID.Turn > last.ID.Turn {
			last = turn
		}
	}
	assert.Contains(t, string(last.Body), `"text":"b"`)
}

// patient is an engine that answers once nobody waits any more.
type patient struct{ *engine }

func (p patient) Answer(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Answer, failover.Report, error) {
	<-ctx.Done()
	return converse.Answer{}, failover.Report{}, &failover.Error{Class: converse.Canceled}
}

// TestWhoLosesItsKeyGivesUp: another request answers in its place.
func TestWhoLosesItsKeyGivesUp(t *testing.T) {
	m := newMemory()
	m.taken = true
	url, _ := stateful(t, patient{hello()}, m)
	_, err := newSDK(url).Responses.New(t.Context(), request1("hello"), withKey)
	assertError(t, err, http.StatusConflict, "idempotency_key_in_use", "still being answered")
	assert.Empty(t, m.turns)
}

// endless is an engine whose stream begins, and breaks once nobody waits any more.
type endless struct{ *engine }

func (e endless) Open(ctx context.Context, _ []contract.Target, _ converse.Request) (converse.Stream, failover.Report, error) {
	return &endlessStream{ctx: ctx}, failover.Report{Target: "eu-west-1"}, nil
}

type endlessStream struct {
	ctx   context.Context
	begun bool
}

func (s *endlessStream) Next() (converse.Event, error) {
	if !s.begun {
		s.begun = true
		return converse.Event{Text: "Hel"}, nil
	}
	<-s.ctx.Done()
	return converse.Event{}, &failover.Error{Class: converse.Canceled}
}

func (s *endlessStream) Close() error { return nil }

// TestAStreamThatLosesItsKeySaysSoOnce, with the error of the key in place of that
// of the inference which was given up for it.
func TestAStreamThatLosesItsKeySaysSoOnce(t *testing.T) {
	m := newMemory()
	m.taken = true
	url, log := stateful(t, endless{hello()}, m)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/responses", strings.NewReader(`{"model":"claude-sonnet","input":"x","stream":true}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 1, strings.Count(string(body), "event: error"), string(body))
	assert.Contains(t, string(body), "idempotency_key_in_use")
	assert.Equal(t, "idempotency_key_in_use", log.line(t)["error"])
	assert.Empty(t, m.turns)
}

// late is a store that loses its claims while it stores.
type late struct {
	*memory
	lost chan struct{}
}

func (l late) Append(ctx context.Context, tenant string, turn state.Turn) (state.Turn, state.Stored, error) {
	defer func() {
		close(l.lost)
		<-ctx.Done()
	}()
	return l.memory.Append(ctx, tenant, turn)
}

func (l late) Hold(ctx context.Context, tenant, key string, c state.Claim) error {
	<-l.lost
	return state.ErrClaimLost
}

// TestWhoLosesItsKeyTooLateAnswersOnce: what is stored is complete.
func TestWhoLosesItsKeyTooLateAnswersOnce(t *testing.T) {
	for _, stream := range []bool{false, true} {
		t.Run(fmt.Sprintf("stream is %t", stream), func(t *testing.T) {
			url, log := stateful(t, hello(), late{newMemory(), make(chan struct{})})
			got := ask(t, url, request1("hello"), stream, withKey)
			assert.EqualValues(t, "completed", got.Status)
			assert.Empty(t, log.line(t)["error"])
		})
	}
}
