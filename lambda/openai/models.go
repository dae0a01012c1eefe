package openai

import (
	"context"
	"net/http"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
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

func (s *server) listModels(w http.ResponseWriter, r *http.Request, _ *record) error {
	caller, data := apigw.Identity(r.Context()), []model{}
	for _, m := range s.Models {
		if caller.MayUse(m.Name) {
			data = append(data, describe(m))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
	return nil
}

func (s *server) retrieveModel(w http.ResponseWriter, r *http.Request, rec *record) error {
	m, err := s.model(r.Context(), r.PathValue("model"))
	if err != nil {
		return err
	}
	rec.model = m.Name
	writeJSON(w, http.StatusOK, describe(m))
	return nil
}

// model returns the model that callers name so. One that the caller's credential
// does not open does not exist for it.
func (s *server) model(ctx context.Context, name string) (contract.Model, error) {
	m, ok := s.models[name]
	if !ok || !apigw.Identity(ctx).MayUse(name) {
		return contract.Model{}, modelNotFound(name)
	}
	return m, nil
}
