package converse

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/contract"
)

// wire is the form of a model's requests and answers.
type wire interface {
	request(m Embedder, e Embed) any
	answer(body []byte) ([][]float32, int, error)
}

// call makes one call. The end of ctx ends it.
func (m Embedder) call(ctx context.Context, client *bedrockruntime.Client, target contract.Target, e Embed) vectors {
	body, err := json.Marshal(m.wire.request(m, e))
	if err != nil {
		return vectors{err: &Error{Class: Invalid, Region: target.Region, Err: err}}
	}
	out, err := client.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(target.ID), Body: body,
		ContentType: aws.String("application/json"), Accept: aws.String("application/json"),
	})
	if err != nil {
		return vectors{err: newError(target.Region, err)}
	}
	all, tokens, err := m.wire.answer(out.Body)
	if err == nil {
		err = m.check(all, e)
	}
	if err != nil {
		return vectors{err: &Error{Class: ModelFailed, Region: target.Region, Err: err}}
	}
	return vectors{all: all, tokens: cmp.Or(tokens, counted(out))}
}

// check makes sure that there is a vector for each text, and nothing else.
func (m Embedder) check(all [][]float32, e Embed) error {
	if len(all) != len(e.Texts) {
		return fmt.Errorf("the model returned %d vectors for %d texts", len(all), len(e.Texts))
	}
	want := cmp.Or(e.Dimensions, m.Dimensions[0])
	if i := slices.IndexFunc(all, func(v []float32) bool { return len(v) != want }); i >= 0 {
		return fmt.Errorf("a vector has %d dimensions in place of %d", len(all[i]), want)
	}
	return nil
}

// counted is the number of tokens that Bedrock read, 0 if it did not say.
func counted(out *bedrockruntime.InvokeModelOutput) int {
	resp, ok := middleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(resp.Header.Get("X-Amzn-Bedrock-Input-Token-Count"))
	if err != nil {
		return 0 // usage is told where it is known
	}
	return n
}

// titan is how Amazon's text embedding models are asked: one text per call.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
type titan struct{}

func (titan) request(m Embedder, e Embed) any {
	r := struct {
		InputText  string `json:"inputText"`
		Dimensions int    `json:"dimensions,omitempty"`
	}{InputText: e.Texts[0]}
	if !m.fixed {
		r.Dimensions = e.Dimensions
	}
	return r
}

func (titan) answer(body []byte) ([][]float32, int, error) {
	var a struct {
		Embedding []float32 `json:"embedding"`
		Tokens    int       `json:"inputTextTokenCount"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, 0, fmt.Errorf("decode a vector: %w", err)
	}
	return [][]float32{a.Embedding}, a.Tokens, nil
}

// cohere is how Cohere's models are asked. What does not fit is refused, never
// cut. Tokens are counted in a header only.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
type cohere struct{}

func (cohere) request(m Embedder, e Embed) any {
	r := struct {
		Texts      []string `json:"texts"`
		InputType  string   `json:"input_type"`
		Truncate   string   `json:"truncate"`
		Dimensions int      `json:"output_dimension,omitempty"`
	}{Texts: e.Texts, InputType: cmp.Or(e.Purpose, m.Purposes[0]), Truncate: "NONE"}
	if !m.fixed {
		r.Dimensions = e.Dimensions
	}
	return r
}

// answer reads both shapes that AWS documents: a list of vectors, or lists by
// the type of their numbers.
func (cohere) answer(body []byte) ([][]float32, int, error) {
	var a struct {
		Embeddings json.RawMessage `json:"embeddings"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, 0, fmt.Errorf("decode vectors: %w", err)
	}
	var list [][]float32
	listErr := json.Unmarshal(a.Embeddings, &list)
	if listErr == nil {
		return list, 0, nil
	}
	var byType struct {
		Float [][]float32 `json:"float"`
	}
	if err := json.Unmarshal(a.Embeddings, &byType); err != nil {
		return nil, 0, fmt.Errorf("decode vectors: %w", errors.Join(listErr, err))
	}
	return byType.Float, 0, nil
}
