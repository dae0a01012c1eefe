package openai

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"sync"

	"github.com/crossregion/crossregion/lambda/apigw"
	state "github.com/crossregion/crossregion/lambda/conversation"
)

// headerIdempotencyKey names a request, so that its repetition is recognized.
const headerIdempotencyKey = "Idempotency-Key"

// maxKey is how long an idempotency key may be, in bytes.
const maxKey = 255

// idempotency returns the request's key, "" for none, and what tells the request
// from others with the same key.
func idempotency(r *http.Request, body []byte) (key, digest string, err error) {
	key = r.Header.Get(headerIdempotencyKey)
	if len(key) > maxKey {
		return "", "", invalid("", "invalid_value", "The header %s is over %d bytes long.", headerIdempotencyKey, maxKey)
	}
	sum := sha256.Sum256(body)
	return key, hex.EncodeToString(sum[:]), nil
}

// claim holds the key for this generation, if there is one.
func (g *generation) claim(ctx context.Context) error {
	if g.key == "" {
		return nil
	}
	c := state.Claim{Digest: g.digest, Turn: g.turn.ID}
	found, won, err := g.Store.Claim(ctx, g.tenant, g.key, c)
	if err == nil && !won {
		g.found = &found
		return nil
	}
	g.held = &c // maybe, after an error
	return stateError(err, stillGenerating())
}

// hold keeps the key while the generation is at work, until done is called. The
// context that it returns ends if the key is lost all the same.
func (g *generation) hold(ctx context.Context) (held context.Context, done func()) {
	if g.held == nil {
		return ctx, func() {}
	}
	held, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		cancel(g.safely(ctx, func() error { return g.Store.Hold(held, g.tenant, g.key, *g.held) }))
	})
	return held, func() {
		cancel(nil)
		wg.Wait()
	}
}

// giveBack releases the key of a generation that came to nothing, so that the
// request can be repeated. It goes on though the client has hung up.
func (g *generation) giveBack(ctx context.Context) {
	if g.held == nil || g.stored {
		return
	}
	if err := g.Store.Release(context.WithoutCancel(ctx), g.tenant, g.key, *g.held); err != nil {
		g.Log.WarnContext(ctx, "an idempotency key is held until its time is over", "requestId", apigw.RequestID(ctx), "err", err)
	}
}

// repeat answers with what the request was answered with before.
func (g *generation) repeat(w http.ResponseWriter, r *http.Request, rec *record) error {
	if g.found.Digest != g.digest {
		return &apiError{status: http.StatusUnprocessableEntity, kind: kindInvalid, code: "idempotency_key_reused",
			message: "Another request was made with this " + headerIdempotencyKey + ". Use a new one."}
	}
	stored, err := g.readResponse(r.Context(), g.tenant, g.found.Turn)
	if errors.Is(err, state.ErrDeleted) {
		return notFound("response to this " + headerIdempotencyKey)
	}
	if err != nil {
		return stateError(err, stillGenerating())
	}
	if g.req.stream {
		newResponseEvents(w).repeat(stored)
		return nil
	}
	writeJSON(w, http.StatusOK, stored)
	return nil
}

func stillGenerating() *apiError {
	return &apiError{status: http.StatusConflict, kind: kindServer, code: "idempotency_key_in_use", retryAfter: retryThrottled,
		message: "A request with this " + headerIdempotencyKey + " is still being answered. Please retry for its result."}
}

// readResponse returns a stored response without what was deleted of its output,
// or [state.ErrNotFound] where a turn has none.
func (s *server) readResponse(ctx context.Context, tenant string, id state.TurnID) (*response, error) {
	t, err := s.Store.Turn(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	b, err := readTurn(t)
	if err == nil && b.Response == nil {
		err = state.ErrNotFound
	}
	b.hide(t.Deleted)
	return b.Response, err
}
