package bedrock

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"unicode/utf8"
)

// embedders answer InvokeModel, by the ID of the model.
var embedders = map[string]func(id string, body io.Reader) (vectors, error){
	"amazon.titan-embed-text-v1":   embedTitan1,
	"amazon.titan-embed-text-v2:0": embedTitan2,
	"cohere.embed-english-v3":      embedCohere3,
	"cohere.embed-multilingual-v3": embedCohere3,
	"cohere.embed-v4:0":            embedCohere4,
}

// Limits on what Titan reads.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html
const (
	titanCharacters = 50_000
	titanTokens     = 8192
)

// embedTitan1 is "Titan Embeddings G1 - Text", which has no parameters.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
func embedTitan1(id string, body io.Reader) (vectors, error) {
	var in struct {
		InputText string `json:"inputText"`
	}
	if err := decodeBody(body, &in); err != nil {
		return vectors{}, err
	}
	return titanAnswer(id, in.InputText, 1536, false)
}

func embedTitan2(id string, body io.Reader) (vectors, error) {
	var in struct {
		InputText  string `json:"inputText"`
		Dimensions *int   `json:"dimensions"`
	}
	if err := decodeBody(body, &in); err != nil {
		return vectors{}, err
	}
	dimensions := 1024
	if in.Dimensions != nil {
		dimensions = *in.Dimensions
	}
	if !slices.Contains([]int{256, 512, 1024}, dimensions) {
		return vectors{}, invalid("Malformed input request: #/dimensions: %d is not a valid enum value, please reformat your input and try again.", dimensions)
	}
	return titanAnswer(id, in.InputText, dimensions, true)
}

func titanAnswer(id, text string, dimensions int, byType bool) (vectors, error) {
	characters, tokens := utf8.RuneCountInString(text), len(tokenize(text))
	switch {
	case characters == 0:
		return vectors{}, invalid("Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again.")
	case characters > titanCharacters:
		return vectors{}, invalid("Malformed input request: expected maxLength: %d, actual: %d, please reformat your input and try again.", titanCharacters, characters)
	case tokens > titanTokens:
		return vectors{}, invalid("Too many input tokens. Max input tokens: %d, request input token count: %d", titanTokens, tokens)
	}
	v := vector(id, text, dimensions)
	out := map[string]any{"embedding": v, "inputTextTokenCount": tokens}
	if byType {
		out["embeddingsByType"] = map[string]any{"float": v}
	}
	return vectors{body: out, tokens: tokens}, nil
}

// Limits of one request to a Cohere model.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
const (
	cohereTexts      = 96
	cohereCharacters = 2048 // of version 3
)

// cohereInput is what all versions know.
type cohereInput struct {
	Texts     []string `json:"texts"`
	InputType string   `json:"input_type"`
	Truncate  string   `json:"truncate"`
}

func embedCohere3(id string, body io.Reader) (vectors, error) {
	var in cohereInput
	if err := decodeBody(body, &in); err != nil {
		return vectors{}, err
	}
	for i, text := range in.Texts {
		if n := utf8.RuneCountInString(text); n > cohereCharacters {
			return vectors{}, invalid("Malformed input request: #/texts/%d: expected maxLength: %d, actual: %d, please reformat your input and try again.",
				i, cohereCharacters, n)
		}
	}
	return in.answer(id, 1024)
}

func embedCohere4(id string, body io.Reader) (vectors, error) {
	var in struct {
		cohereInput
		Dimensions *int `json:"output_dimension"`
	}
	if err := decodeBody(body, &in); err != nil {
		return vectors{}, err
	}
	dimensions := 1536
	if in.Dimensions != nil {
		dimensions = *in.Dimensions
	}
	if !slices.Contains([]int{256, 512, 1024, 1536}, dimensions) {
		return vectors{}, invalid("Malformed input request: output_dimension %d is not one of 256, 512, 1024, 1536.", dimensions)
	}
	return in.answer(id, dimensions)
}

// answer refuses to cut texts, which it could not do as the model does.
func (in cohereInput) answer(id string, dimensions int) (vectors, error) {
	if len(in.Texts) == 0 || len(in.Texts) > cohereTexts {
		return vectors{}, invalid("Malformed input request: %d texts are not between 1 and %d.", len(in.Texts), cohereTexts)
	}
	if !slices.Contains([]string{"search_document", "search_query", "classification", "clustering"}, in.InputType) {
		return vectors{}, invalid("Malformed input request: input_type %q is not valid.", in.InputType)
	}
	if in.Truncate != "" && in.Truncate != "NONE" {
		return vectors{}, invalid("truncate %q is not known to this stand-in for Bedrock, which cuts nothing", in.Truncate)
	}
	all, tokens := make([][]float32, len(in.Texts)), 0
	for i, text := range in.Texts {
		all[i] = vector(id+" "+in.InputType, text, dimensions)
		tokens += len(tokenize(text))
	}
	body := map[string]any{"id": fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(in.Texts)))), "response_type": "embeddings_floats",
		"embeddings": all, "texts": in.Texts}
	return vectors{body: body, tokens: tokens}, nil
}

// vector is one of length 1 that depends on the model and the text alone.
func vector(model, text string, dimensions int) []float32 {
	seed := sha256.Sum256([]byte(model + "\x00" + text))
	random := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:]), binary.LittleEndian.Uint64(seed[8:])))
	v, sum := make([]float64, dimensions), 0.0
	for i := range v {
		v[i] = random.NormFloat64()
		sum += v[i] * v[i]
	}
	unit := make([]float32, dimensions)
	for i := range v {
		unit[i] = float32(v[i] / math.Sqrt(sum))
	}
	return unit
}
