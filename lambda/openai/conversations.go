package openai

import (
	"encoding/json"
	"net/http"

	state "github.com/crossregion/crossregion/lambda/conversation"
)

// conversationObject is a conversation as callers see it.
// Source: https://platform.openai.com/docs/api-reference/conversations/object
type conversationObject struct {
	ID        string          `json:"id"`
	Object    string          `json:"object"`
	CreatedAt int64           `json:"created_at"`
	Metadata  json.RawMessage `json:"metadata"`
}

func describeConversation(c state.Conversation) conversationObject {
	return conversationObject{ID: prefixConversation + c.ID.String(), Object: "conversation", CreatedAt: c.Created.Unix(), Metadata: c.Meta}
}

// owned returns the tenant and the conversation that a request's path names.
func owned(r *http.Request) (string, state.ConversationID, error) {
	owner, err := tenant(r.Context())
	if err != nil {
		return "", state.ConversationID{}, err
	}
	id, err := parseConversationID(r.PathValue("conversation_id"))
	return owner, id, stateError(err, notFound("conversation"))
}

// createConversation creates a conversation, then adds the items that it is to
// begin with. If those cannot be stored, nobody learns of the conversation, and
// it goes when it expires.
func (s *server) createConversation(w http.ResponseWriter, r *http.Request, rec *record) error {
	owner, err := tenant(r.Context())
	if err != nil {
		return err
	}
	o, err := readObject(w, r)
	if err != nil {
		return err
	}
	meta := writtenMetadata(o)
	items := givenItems(o)
	o.finish()
	if o.err != nil {
		return o.err
	}
	if err := s.resolve(r.Context(), owner, "items", items); err != nil {
		return err
	}
	c, stored, err := s.Store.CreateConversation(r.Context(), owner, meta)
	if err != nil {
		return stateError(err, notFound("conversation"))
	}
	if len(items) > 0 {
		if stored, err = s.addItems(r.Context(), owner, c, nil, items); err != nil {
			return err
		}
	}
	rec.replicated(w.Header(), stored)
	writeJSON(w, http.StatusOK, describeConversation(c))
	return nil
}

func readObject(w http.ResponseWriter, r *http.Request) (*object, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	return parse(body)
}

// writtenMetadata takes metadata as it was written, {} if there is none.
func writtenMetadata(o *object) json.RawMessage {
	raw := o.fields["metadata"]
	metadata(o)
	if raw == nil || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}

func (s *server) retrieveConversation(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := owned(r)
	if err != nil {
		return err
	}
	c, err := s.Store.Conversation(r.Context(), owner, id)
	if err != nil {
		return stateError(err, notFound("conversation"))
	}
	writeJSON(w, http.StatusOK, describeConversation(c))
	return nil
}

// updateConversation replaces a conversation's metadata.
func (s *server) updateConversation(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := owned(r)
	if err != nil {
		return err
	}
	o, err := readObject(w, r)
	if err != nil {
		return err
	}
	if _, given := o.fields["metadata"]; !given {
		return invalid("metadata", "missing_required_parameter", "Missing required parameter: 'metadata'.")
	}
	meta := writtenMetadata(o)
	o.finish()
	if o.err != nil {
		return o.err
	}
	c, err := s.Store.UpdateConversation(r.Context(), owner, id, meta)
	if err != nil {
		return stateError(err, notFound("conversation"))
	}
	writeJSON(w, http.StatusOK, describeConversation(c))
	return nil
}

// deleteConversation deletes a conversation with all that was said in it.
func (s *server) deleteConversation(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := owned(r)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteConversation(r.Context(), owner, id); err != nil {
		return stateError(err, notFound("conversation"))
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": prefixConversation + id.String(), "object": "conversation.deleted", "deleted": true})
	return nil
}
