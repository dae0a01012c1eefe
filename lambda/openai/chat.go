package openai

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
)

// createChatCompletion answers one chat. Until the model's first content
// nothing is written, so a failure has its own status.
func (s *server) createChatCompletion(w http.ResponseWriter, r *http.Request, rec *record) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	chat, err := decodeChat(body)
	if err != nil {
		return err
	}
	m, err := s.chatModel(r.Context(), chat.model)
	if err != nil {
		return err
	}
	rec.model = m.Name
	if chat.question, err = fit(chat.question, m, chatParameters); err != nil {
		return err
	}
	if err := s.reserve(r.Context(), rec, estimateQuestion(chat.question)); err != nil {
		return err
	}
	head := completionHead{
		ID: "chatcmpl-" + apigw.RequestID(r.Context()), Created: rec.started.Unix(), Model: m.Name,
	}
	if chat.stream {
		return s.stream(w, r, rec, streamed{head: head, chat: chat, targets: m.Targets})
	}
	answer, report, err := s.Engine.Answer(r.Context(), m.Targets, chat.question)
	rec.attempted(w.Header(), report)
	if err != nil {
		return err
	}
	rec.use(r.Context(), s, answer.Usage, report)
	writeJSON(w, http.StatusOK, newCompletion(head, answer))
	return nil
}

// readBody refuses what is no JSON by its declaration, or too large.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return nil, &apiError{status: http.StatusUnsupportedMediaType, kind: kindInvalid, code: "unsupported_content_type",
			message: "The request's Content-Type must be application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, contract.MaxBodyBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &apiError{status: http.StatusRequestEntityTooLarge, kind: kindInvalid, code: "request_too_large",
			message: fmt.Sprintf("The request body is too large: the limit is %d bytes.", contract.MaxBodyBytes)}
	case err != nil:
		return nil, invalid("", "", "The request body could not be read.")
	default:
		return body, nil
	}
}
