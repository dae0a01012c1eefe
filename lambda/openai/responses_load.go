package openai

import (
	"context"
	"net/http"

	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/parallel"
)

// load reads the history and what the input refers to, claims the key and
// reserves tokens, all at once; those of the history are added once it is known. If another request has the key, found is set
// instead, whatever became of the history since.
func (g *generation) load(ctx context.Context, rec *record) error {
	var history []item
	var historyErr, referenceErr, claimErr, budgetErr error
	parallel.Do(
		func() { claimErr = g.claim(ctx) },
		func() { history, historyErr = g.history(ctx) },
		func() { referenceErr = g.resolve(ctx, g.tenant, "input", g.req.input) },
		func() { budgetErr = g.reserve(ctx, rec, g.estimate) },
	)
	switch {
	case claimErr != nil:
		return claimErr
	case g.found != nil:
		return nil // what was reserved is given back, as nothing is used
	case budgetErr != nil:
		return budgetErr
	case historyErr != nil:
		return historyErr
	case referenceErr != nil:
		return referenceErr
	}
	if err := g.prepare(history, rec); err != nil {
		return err
	}
	rec.raise(ctx, g.server, estimateQuestion(g.req.question))
	return nil
}

// history returns all that was said before, and makes the new turn part of it.
func (g *generation) history(ctx context.Context) ([]item, error) {
	var turns []state.Turn
	var err error
	switch {
	case g.turn.InConversation:
		turns, err = g.conversationHistory(ctx)
	case !g.req.previous.IsZero():
		turns, err = g.chain(ctx)
	}
	if err != nil {
		return nil, err
	}
	return visibleItems(turns)
}

func (g *generation) chain(ctx context.Context) ([]state.Turn, error) {
	turns, err := g.Store.Chain(ctx, g.tenant, g.req.previous)
	if err != nil {
		return nil, stateError(err, previousNotFound())
	}
	last := turns[len(turns)-1]
	if last.InConversation {
		return nil, invalid("previous_response_id", "invalid_value",
			"Invalid 'previous_response_id': the response belongs to a conversation. Pass its id as 'conversation' instead.")
	}
	g.turn.Expires = last.Expires
	return turns, nil
}

// conversationHistory also makes sure that the new turn sorts behind all others,
// though clocks of regions differ. A turn that is claimed already cannot get
// another name.
func (g *generation) conversationHistory(ctx context.Context) ([]state.Turn, error) {
	c, turns, err := g.Store.History(ctx, g.tenant, g.req.conversation)
	if err != nil {
		return nil, stateError(err, conversationNotFound("conversation"))
	}
	g.turn.Expires = c.Expires
	if len(turns) == 0 || turns[len(turns)-1].ID.Turn < g.turn.ID.Turn {
		return turns, nil
	}
	if g.key != "" {
		return nil, &apiError{status: http.StatusConflict, kind: kindServer, code: "conversation_ahead", retryAfter: retryUnavailable,
			message: "The conversation has just been continued in another region. Please retry."}
	}
	g.turn.ID, err = g.Store.NewConversationTurn(g.req.conversation, turns)
	return turns, stateError(err, conversationNotFound("conversation"))
}
