package openai

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

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
	if chat.question, err = fit(chat.question, m, chat.names); err != nil {
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
		return chat.names.blame(err)
	}
	rec.use(r.Context(), s, answer.Usage, report)
	writeJSON(w, http.StatusOK, newCompletion(head, answer))
	return nil
}

// charsets are what JSON may say that it is written in.
// Source: https://www.rfc-editor.org/rfc/rfc8259#section-8.1
var charsets = []string{"", "utf-8", "utf8", "us-ascii"}

// readBody refuses what is no plain JSON by its declaration, or too large.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" || !slices.Contains(charsets, strings.ToLower(params["charset"])) {
		return nil, &apiError{status: http.StatusUnsupportedMediaType, kind: kindInvalid, code: "unsupported_content_type",
			message: "The request's Content-Type must be application/json, and its charset UTF-8."}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, &apiError{status: http.StatusUnsupportedMediaType, kind: kindInvalid, code: "unsupported_content_encoding",
			message: "The request body must not be compressed: send it without Content-Encoding."}
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
