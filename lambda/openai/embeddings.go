package openai

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// maxInputs is OpenAI's limit on the texts of one request.
const maxInputs = 2048

// createEmbedding answers with a vector for each text. One target makes all of
// them: vectors of two models would not compare.
func (s *server) createEmbedding(w http.ResponseWriter, r *http.Request, rec *record) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	in, err := decodeEmbedding(body)
	if err != nil {
		return err
	}
	m, err := s.model(r.Context(), in.model)
	if err != nil {
		return err
	}
	rec.model = m.Name
	if err := in.check(m.Base); err != nil {
		return err
	}
	if err := s.reserve(r.Context(), rec, estimate{prompt: int64(len(body) / bytesPerToken)}); err != nil {
		return err
	}
	answer, report, err := s.Engine.Answer(r.Context(), m.Targets, converse.Request{Model: m.Base, Embed: &in.embed})
	rec.attempted(w.Header(), report)
	if err != nil {
		return embeddingError(err)
	}
	rec.use(r.Context(), s, answer.Usage, report)
	writeJSON(w, http.StatusOK, newEmbeddings(m.Name, answer, in.base64))
	return nil
}

// embeddingRequest is a request that was found to be right, but for what
// depends on its model.
type embeddingRequest struct {
	model  string
	base64 bool
	embed  converse.Embed
}

// decodeEmbedding reads a request for embeddings. "input_type" is no parameter
// of OpenAI's: it is Cohere's, whose models need to know whether a text is
// stored or searched for.
// Source: https://platform.openai.com/docs/api-reference/embeddings/create
func decodeEmbedding(body []byte) (embeddingRequest, error) {
	o, err := parse(body)
	if err != nil {
		return embeddingRequest{}, err
	}
	r := embeddingRequest{model: modelName(o)}
	r.embed = converse.Embed{Texts: inputs(o), Purpose: value[string](o, "input_type", "a string")}
	if n := integer(o, "dimensions"); n != nil {
		if *n < 1 {
			o.invalid("dimensions", "it is not positive")
		}
		r.embed.Dimensions = int(*n)
	}
	r.base64 = oneOf(o, "encoding_format", "float", "base64") == "base64"
	if len(value[string](o, "user", "a string")) > maxHint {
		o.invalid("user", "it is over %d bytes long", maxHint)
	}
	o.finish()
	return r, o.err
}

// inputs are the texts. Tokens are refused, since they are those of another
// model's vocabulary.
func inputs(o *object) []string {
	raw := o.take("input")
	if raw == nil {
		o.missing("input")
		return nil
	}
	var one string
	var all []string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		all = []string{one}
	case json.Unmarshal(raw, &all) == nil:
	case tokens(raw):
		o.set(unsupported("input", "Send text in place of tokens, which every model numbers in its own way."))
	default:
		o.wrongType("input", "a string or an array of strings")
	}
	if len(all) == 0 || len(all) > maxInputs {
		o.invalid("input", "%d texts are not between 1 and %d", len(all), maxInputs)
	}
	for i, text := range all {
		if text == "" {
			o.invalid(inputName(i), "the text is empty")
		}
	}
	return all
}

func inputName(i int) string { return fmt.Sprintf("input[%d]", i) }

// tokens tells an array of integers, or of arrays of them.
func tokens(raw json.RawMessage) bool {
	var one []int64
	var all [][]int64
	return json.Unmarshal(raw, &one) == nil || json.Unmarshal(raw, &all) == nil
}

// check refuses what the model with the given ID cannot do.
func (r embeddingRequest) check(base string) error {
	o := &object{fault: &fault{}}
	m, ok := converse.FindEmbedder(base)
	if !ok {
		return invalid("model", "unsupported_model", "The model '%s' makes no embeddings. Use it with /v1/chat/completions.", r.model)
	}
	if n := r.embed.Dimensions; n != 0 && !slices.Contains(m.Dimensions, n) {
		o.invalid("dimensions", "the model's vectors have %s dimensions, not %d",
			strings.ReplaceAll(strings.Trim(fmt.Sprint(m.Dimensions), "[]"), " ", ", "), n)
	}
	switch p := r.embed.Purpose; {
	case p == "" || slices.Contains(m.Purposes, p):
	case len(m.Purposes) == 0:
		o.set(unsupported("input_type", "The model makes no difference between types."))
	default:
		o.invalid("input_type", "expected one of %s", strings.Join(m.Purposes, ", "))
	}
	for i, text := range r.embed.Texts {
		if n := utf8.RuneCountInString(text); m.MaxCharacters > 0 && n > m.MaxCharacters {
			o.invalid(inputName(i), "%d characters are more than the %d that the model reads", n, m.MaxCharacters)
		}
	}
	return o.err
}

// chatModel finds a model that chats.
func (s *server) chatModel(ctx context.Context, name string) (contract.Model, error) {
	m, err := s.model(ctx, name)
	if err == nil && contract.Embeds(m.Base) {
		return m, invalid("model", "unsupported_model", "The model '%s' makes embeddings only. Use it with /v1/embeddings.", m.Name)
	}
	return m, err
}

// embeddingError puts into terms of embeddings what is said in those of chats.
func embeddingError(err error) error {
	if errors.Is(err, failover.ErrWhole) {
		e := notWhole()
		e.message = "The vectors were not complete in time. Send fewer texts at once."
		return e
	}
	return parameters{converse.FeatureMessages: "input"}.blame(err)
}

type embeddings struct {
	Object string       `json:"object"`
	Data   []embedding  `json:"data"`
	Model  string       `json:"model"`
	Usage  embeddingUse `json:"usage"`
}

type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"` // numbers, or in base64
}

type embeddingUse struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

func newEmbeddings(model string, answer converse.Answer, inBase64 bool) embeddings {
	out := embeddings{Object: "list", Data: make([]embedding, len(answer.Vectors)), Model: model,
		Usage: embeddingUse{PromptTokens: answer.Usage.Input, TotalTokens: answer.Usage.Total()}}
	for i, v := range answer.Vectors {
		out.Data[i] = embedding{Object: "embedding", Index: i, Embedding: v}
		if inBase64 {
			out.Data[i].Embedding = packed(v)
		}
	}
	return out
}

// packed is base64 of the numbers' four bytes each, the lowest first.
func packed(v []float32) string {
	var b bytes.Buffer
	for _, x := range v {
		b.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
