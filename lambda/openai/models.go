package openai

import (
	"net/http"

	"github.com/crossregion/crossregion/contract"
)

// model is one entry of the list of models.
// Source: https://platform.openai.com/docs/api-reference/models/object
type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"` // 0: a name in a stack's settings has no birthday
	OwnedBy string `json:"owned_by"`
}

func describe(m contract.Model) model {
	return model{ID: m.Name, Object: "model", OwnedBy: "crossregion"}
}

func (s *server) listModels(w http.ResponseWriter, _ *http.Request, _ *record) error {
	data := make([]model, len(s.Models))
	for i, m := range s.Models {
		data[i] = describe(m)
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
	return nil
}

func (s *server) retrieveModel(w http.ResponseWriter, r *http.Request, rec *record) error {
	m, err := s.model(r.PathValue("model"))
	if err != nil {
		return err
	}
	rec.model = m.Name
	writeJSON(w, http.StatusOK, describe(m))
	return nil
}

func (s *server) model(name string) (contract.Model, error) {
	m, ok := s.models[name]
	if !ok {
		return m, modelNotFound(name)
	}
	return m, nil
}
