package openai

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/crossregion/crossregion/lambda/apigw"
	state "github.com/crossregion/crossregion/lambda/conversation"
)

// Store keeps what was said. [state.Store] is one, and tells what each of these
// does and how it fails.
type Store interface {
	NewTurn(parent state.TurnID) (state.TurnID, error)
	NewConversationTurn(id state.ConversationID, history []state.Turn) (state.TurnID, error)
	Append(ctx context.Context, tenant string, t state.Turn) (state.Turn, state.Stored, error)
	Chain(ctx context.Context, tenant string, id state.TurnID) ([]state.Turn, error)
	Turn(ctx context.Context, tenant string, id state.TurnID) (state.Turn, error)
	DeleteTurn(ctx context.Context, tenant string, id state.TurnID) error
	CreateConversation(ctx context.Context, tenant string, meta []byte) (state.Conversation, state.Stored, error)
	Conversation(ctx context.Context, tenant string, id state.ConversationID) (state.Conversation, error)
	UpdateConversation(ctx context.Context, tenant string, id state.ConversationID, meta []byte) (state.Conversation, error)
	DeleteConversation(ctx context.Context, tenant string, id state.ConversationID) error
	History(ctx context.Context, tenant string, id state.ConversationID) (state.Conversation, []state.Turn, error)
	DeleteItem(ctx context.Context, tenant string, id state.ConversationID, item state.ItemID, redact state.Redact) error
	Claim(ctx context.Context, tenant, key string, c state.Claim) (found state.Claim, won bool, err error)
	Hold(ctx context.Context, tenant, key string, c state.Claim) error
	Release(ctx context.Context, tenant, key string, c state.Claim) error
}

// tenant is whose data a request may see. Without one it sees none.
func tenant(ctx context.Context) (string, error) {
	if t := apigw.Identity(ctx).Tenant; t != "" {
		return t, nil
	}
	return "", &apiError{status: http.StatusForbidden, kind: kindPermission, code: "no_tenant",
		message: "The credential belongs to no tenant, which stored responses and conversations need."}
}

// Prefixes of the ids that callers see. What follows says where to find it.
const (
	prefixResponse     = "resp_"
	prefixConversation = "conv_"
	prefixMessage      = "msg_"
	prefixCall         = "fc_"
	prefixOutput       = "fco_"
	prefixReasoning    = "rs_"
)

// parseResponseID takes what is no id for one that nothing has.
func parseResponseID(s string) (state.TurnID, error) {
	return parseID(s, state.ParseTurnID, prefixResponse)
}

func parseConversationID(s string) (state.ConversationID, error) {
	return parseID(s, state.ParseConversationID, prefixConversation)
}

func parseItemID(s string) (state.ItemID, error) {
	return parseID(s, state.ParseItemID, prefixMessage, prefixCall, prefixOutput, prefixReasoning)
}

func parseID[ID any](s string, parse func(string) (ID, error), prefixes ...string) (ID, error) {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			if id, err := parse(rest); err == nil {
				return id, nil
			}
		}
	}
	var none ID
	return none, state.ErrNotFound
}

// notFound is the answer to an id that leads to nothing. What the caller wrote
// in its place is not repeated.
func notFound(what string) *apiError {
	return &apiError{status: http.StatusNotFound, kind: kindInvalid, code: "not_found",
		message: "No " + what + " has this id. It may have been deleted or have expired."}
}

// stateError turns an error of the [Store] into an answer, with missing for what
// does not exist.
func stateError(err error, missing *apiError) error {
	var answer *apiError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		return err
	case errors.Is(err, state.ErrNotFound):
		return missing
	case errors.Is(err, state.ErrNotArrived):
		return &apiError{status: http.StatusConflict, kind: kindServer, code: "conversation_not_arrived", retryAfter: retryUnavailable, cause: causes(err),
			message: "Not all of the conversation has arrived in this region yet. Please retry."}
	default:
		return &apiError{status: http.StatusServiceUnavailable, kind: kindServer, code: "state_unavailable", retryAfter: retryUnavailable, cause: causes(err),
			message: "Stored responses and conversations cannot be reached at the moment. Please retry."}
	}
}
