package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/crossregion/crossregion/contract"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// generation is one response in the making.
type generation struct {
	*server
	req      responseRequest
	tenant   string
	model    contract.Model
	key      string     // the idempotency key, "" for none
	digest   string     // of the request
	estimate estimate   // of the tokens that it will take
	turn     state.Turn // what will be stored
	response response
	// held is the hold on key that is to be given back after a failure, nil for
	// none. found is that of another request, which has been or is being answered.
	held, found *state.Claim
	stored      bool
	// earlier are the inference calls whose question was too long.
	earlier []failover.Attempt
}

// createResponse answers with one response. It reads what it needs in one step,
// all at once, before it asks the model, and writes in one step before it says
// that the response is complete.
func (s *server) createResponse(w http.ResponseWriter, r *http.Request, rec *record) error {
	g, err := s.newGeneration(w, r)
	if err != nil {
		return err
	}
	rec.model = g.model.Name
	defer g.giveBack(r.Context())
	if err := g.load(r.Context(), rec); err != nil {
		return err
	}
	if g.found != nil {
		return g.repeat(w, r, rec)
	}
	held, done := g.hold(r.Context())
	defer done()
	answer := g.whole
	if g.req.stream {
		answer = g.streamed
	}
	err = answer(w, r.WithContext(held), rec)
	switch cause := context.Cause(held); {
	case err != nil && errors.Is(cause, state.ErrClaimLost):
		return stillGenerating()
	case err != nil && errors.Is(cause, errPanic):
		return cause
	}
	return err
}

// newGeneration checks the request and names what it will store.
func (s *server) newGeneration(w http.ResponseWriter, r *http.Request) (*generation, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	g := &generation{server: s}
	if g.req, err = decodeResponse(body); err != nil {
		return nil, err
	}
	if g.model, err = s.chatModel(r.Context(), g.req.name); err != nil {
		return nil, err
	}
	g.estimate = estimateBody(body, g.req.question.MaxTokens)
	if g.tenant, err = tenant(r.Context()); err != nil {
		return nil, err
	}
	if g.key, g.digest, err = idempotency(r, body); err != nil {
		return nil, err
	}
	if !g.req.store {
		g.key = "" // there will be nothing to find under it
	}
	g.turn.Parent, g.turn.InConversation = g.req.previous, g.req.conversation != state.ConversationID{}
	if g.turn.InConversation {
		g.turn.ID, err = s.Store.NewConversationTurn(g.req.conversation, nil)
	} else {
		g.turn.ID, err = s.Store.NewTurn(g.req.previous)
	}
	return g, stateError(err, notFound("response"))
}

// responseParameters are the names in responses of what a model may be unable
// to do.
var responseParameters = parameters{
	converse.FeatureTools: "tools", converse.FeatureToolChoice: "tool_choice", converse.FeatureSingle: "parallel_tool_calls",
	converse.FeatureFormat: "text.format", converse.FeatureEffort: "reasoning.effort",
	converse.FeatureMaxTokens: "max_output_tokens", converse.FeatureTemperature: "temperature",
	converse.FeatureTopP: "top_p", converse.FeatureMessages: "input",
}

// prepare puts the question together, and the head of the response.
func (g *generation) prepare(history []item, rec *record) error {
	d, err := newDialogue(g.model.Base, g.req.instructions, history, g.req.input)
	if err != nil {
		return err
	}
	g.req.question.System = d.system
	if err := g.fit(d.messages); err != nil {
		return err
	}
	for i := range g.req.input {
		g.req.input[i].name(g.turn.ID, i)
	}
	g.response = response{
		ID: prefixResponse + g.turn.ID.String(), Object: "response", CreatedAt: rec.started.Unix(), Status: statusInProgress,
		Model: g.model.Name, Output: []item{}, Store: g.req.store, ServiceTier: "default", echo: g.req.echo,
	}
	if g.turn.InConversation {
		g.response.Conversation = &conversationRef{ID: prefixConversation + g.req.conversation.String()}
	}
	return nil
}

// fit takes as many of the messages as the model can be shown, if truncation is
// wanted, and otherwise all.
func (g *generation) fit(messages []converse.Message) error {
	for {
		g.req.question.Messages = messages
		fitted, err := fit(g.req.question, g.model, responseParameters)
		var unfit *converse.Unfit
		if g.req.truncate && errors.As(err, &unfit) && unfit.Crowded {
			if messages = shortened(messages); messages != nil {
				continue
			}
		}
		if err == nil {
			g.req.question = fitted
		}
		return err
	}
}

// whole answers at once.
func (g *generation) whole(w http.ResponseWriter, r *http.Request, rec *record) error {
	var answer converse.Answer
	err := g.ask(func(q converse.Request) (report failover.Report, err error) {
		answer, report, err = g.Engine.Answer(r.Context(), g.model.Targets, q)
		return report, err
	}, w, rec)
	if err != nil {
		return err
	}
	rec.use(r.Context(), g.server, answer.Usage, rec.report)
	g.response.end(answer.End, g.Now())
	for i, p := range answer.Parts {
		if _, err := g.output(p, i == len(answer.Parts)-1); err != nil {
			return err
		}
	}
	stored, err := g.complete(r.Context())
	if err != nil {
		return err
	}
	if g.req.store {
		rec.replicated(w.Header(), stored)
	}
	writeJSON(w, http.StatusOK, g.response)
	return nil
}

// maxCuts bounds how often a question that is too long is shortened. Each time
// at least a quarter goes.
const maxCuts = 8

// ask tries the question, and, if that is wanted, shorter ones while it does not
// fit into the model's context window.
func (g *generation) ask(try func(converse.Request) (failover.Report, error), w http.ResponseWriter, rec *record) error {
	q := g.req.question
	for cuts := 0; ; cuts++ {
		g.earlier = rec.report.Attempts
		report, err := try(q)
		report.Attempts = slices.Concat(g.earlier, report.Attempts)
		rec.attempted(w.Header(), report)
		if !isTooLong(err) {
			return responseParameters.blame(err)
		}
		shorter := shortened(q.Messages)
		if !g.req.truncate || cuts == maxCuts || shorter == nil {
			return responseParameters.blame(err)
		}
		q.Messages = shorter
	}
}

func isTooLong(err error) bool {
	var none *failover.Error
	return errors.As(err, &none) && none.Class == converse.TooLong
}

// output adds a part of the model's answer to the response's output. The last
// one was cut off if the response has ended incomplete.
func (g *generation) output(p converse.Part, last bool) (item, error) {
	it, err := outputItem(p, g.model.Base, g.req.summary)
	if err != nil {
		return item{}, err
	}
	if last && g.response.Status == statusIncomplete && it.Status != "" {
		it.Status = statusIncomplete
	}
	number := len(g.req.input) + len(g.response.Output)
	if number > state.MaxItem {
		return item{}, &apiError{status: http.StatusInternalServerError, kind: kindServer, code: "too_many_items", final: true,
			message: "The model's answer has more items than a response can have."}
	}
	it.name(g.turn.ID, number)
	g.response.Output = append(g.response.Output, it)
	return it, nil
}

// complete stores the response, unless the caller does not want that. Until it
// has returned, nobody may be told that the response is complete.
func (g *generation) complete(ctx context.Context) (state.Stored, error) {
	if !g.req.store {
		return state.Stored{}, nil
	}
	var err error
	if g.turn.Body, err = encode(turnBody{Input: g.req.input, Response: &g.response}); err != nil {
		return state.Stored{}, fmt.Errorf("encode a turn: %w", err)
	}
	_, stored, err := g.Store.Append(ctx, g.tenant, g.turn)
	if err != nil {
		return state.Stored{}, stateError(err, notFound("response"))
	}
	g.stored = true
	return stored, nil
}

// shortened leaves out the beginning of a conversation, at least a quarter of
// its messages, up to where the user says something by itself: a call and its
// output stay together. It is nil if nothing would be left.
func shortened(messages []converse.Message) []converse.Message {
	for i := max(1, len(messages)/4); i < len(messages); i++ {
		if m := messages[i]; m.Role == converse.User && m.Parts[0].ToolResult == nil {
			return messages[i:]
		}
	}
	return nil
}
