package bedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

type getModelInputs struct {
	ModelID string `json:"modelId"`
}

// getModel answers as GetFoundationModel does in the given region.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetFoundationModel.html
func getModel(_ context.Context, region string, in getModelInputs) (map[string]any, error) {
	m, ok := findModel(in.ModelID)
	served := ""
	for _, r := range m.routes {
		if contains(r.sources, region) || contains(r.destinations, region) {
			served = "INFERENCE_PROFILE"
		}
	}
	if contains(m.onDemand, region) {
		served = "ON_DEMAND"
	}
	if !ok || served == "" {
		return nil, invalidIdentifier(region, in.ModelID)
	}
	output := "TEXT"
	if m.embeds {
		output = "EMBEDDING"
	}
	provider, _, _ := strings.Cut(m.name, " ")
	return map[string]any{
		"id": m.id, "modelId": m.id, "modelArn": modelARN(region, m.id), "modelName": m.name, "providerName": provider,
		"customizationsSupporteds": []any{}, "inferenceTypesSupporteds": []any{served},
		"inputModalities": []any{"TEXT"}, "outputModalities": []any{output}, "responseStreamingSupported": !m.embeds,
	}, nil
}

// invoked reads the model of an InvokeModel from a request's path.
func invoked(r *http.Request) (modelID string, ok bool) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if r.Method != http.MethodPost || len(path) != 3 || path[0] != "model" || path[2] != "invoke" {
		return "", false
	}
	modelID, err := url.PathUnescape(path[1])
	return modelID, err == nil
}

// serveInvoke answers one InvokeModel.
func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request, c cloud.Caller, modelID string) {
	v, err := s.invoke(r, c, Call{ModelID: modelID, Principal: c.ARN})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.deliver(w, v.fault, func(w http.ResponseWriter) error {
		first, _ := s.pace(v.fault)
		if err := s.cfg.World.Clock.Sleep(r.Context(), first); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-Bedrock-Input-Token-Count", strconv.Itoa(v.tokens))
		return json.NewEncoder(w).Encode(v.body)
	})
}

// vectors is the answer of a model that makes embeddings.
type vectors struct {
	body   any
	tokens int
	fault  Fault
}

// invoke does all that comes before the answer. Headers that would change it,
// as those of guardrails do, are not modelled.
func (s *Service) invoke(r *http.Request, c cloud.Caller, call Call) (vectors, error) {
	t, err := s.resolve(c.Region, call.ModelID)
	if err != nil {
		return vectors{}, err
	}
	if err := s.authorize(c, "bedrock:InvokeModel", t); err != nil {
		return vectors{}, err
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amzn-Bedrock-") {
			return vectors{}, invalid("header %s is not known to this stand-in for Bedrock", name)
		}
	}
	embed, ok := embedders[t.model.id]
	if !ok {
		return vectors{}, invalid("InvokeModel of %s is not known to this stand-in for Bedrock, which answers it for text embeddings", t.model.id)
	}
	if r.Header.Get("Content-Type") != "application/json" {
		return vectors{}, invalid("The content type %q is not application/json.", r.Header.Get("Content-Type"))
	}
	v, err := embed(t.model.id, r.Body)
	if err != nil {
		return vectors{}, err
	}
	call.Source, call.At = c.Region, s.cfg.World.Clock.Now()
	v.fault = s.arrive(call, false)
	if err := v.fault.before(false); err != nil {
		return vectors{}, err
	}
	s.route(t, call)
	return v, nil
}

// decodeBody reads a model's request into into, which must know each of its
// properties.
func decodeBody(body io.Reader, into any) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return invalid("The request could not be read: %v", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return invalid("Malformed input request: %v, please reformat your input and try again.", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return invalid("Malformed input request: something follows the JSON object, please reformat your input and try again.")
	}
	return nil
}
