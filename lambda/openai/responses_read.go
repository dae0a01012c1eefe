package openai

import (
	"net/http"
	"slices"

	state "github.com/crossregion/crossregion/lambda/conversation"
)

// named returns the tenant and the turn that a request's path names.
func named(r *http.Request) (string, state.TurnID, error) {
	owner, err := tenant(r.Context())
	if err != nil {
		return "", state.TurnID{}, err
	}
	id, err := parseResponseID(r.PathValue("response_id"))
	return owner, id, stateError(err, notFound("response"))
}

// retrieveResponse answers with a stored response, as JSON or as the events that
// led to it.
func (s *server) retrieveResponse(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := named(r)
	if err != nil {
		return err
	}
	q, err := decodeQuery(r, "stream", "include_obfuscation", "starting_after")
	if err != nil {
		return err
	}
	if q.Has("starting_after") {
		return unsupported("starting_after", "A stored response is streamed from its beginning.")
	}
	if obfuscation := q.Get("include_obfuscation"); obfuscation != "" && obfuscation != "false" {
		return unsupported("include_obfuscation", "This service does not support it.")
	}
	stream := q.Get("stream")
	if !slices.Contains([]string{"", "true", "false"}, stream) {
		return invalid("stream", "invalid_type", "Invalid 'stream': expected true or false.")
	}
	stored, err := s.readResponse(r.Context(), owner, id)
	if err != nil {
		return stateError(err, notFound("response"))
	}
	if stream == "true" {
		newResponseEvents(w).repeat(stored)
		return nil
	}
	writeJSON(w, http.StatusOK, stored)
	return nil
}

func (s *server) deleteResponse(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := named(r)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteTurn(r.Context(), owner, id); err != nil {
		return stateError(err, notFound("response"))
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": prefixResponse + id.String(), "object": "response", "deleted": true})
	return nil
}

// listInputItems lists what the response was asked for, without its history.
func (s *server) listInputItems(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := named(r)
	if err != nil {
		return err
	}
	p, err := decodePage(r)
	if err != nil {
		return err
	}
	t, err := s.Store.Turn(r.Context(), owner, id)
	if err != nil {
		return stateError(err, notFound("response"))
	}
	b, err := readTurn(t)
	if err != nil {
		return err
	}
	if b.Response == nil {
		return notFound("response")
	}
	b.Response = nil
	list, err := p.of(b.visible(t.Deleted))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}
