package converse_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/parallel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	titan    = "amazon.titan-embed-text-v2:0"
	cohereV3 = "cohere.embed-english-v3"
	cohereV4 = "cohere.embed-v4:0"
)

// numbers is a vector in JSON whose first number is x.
func numbers(x float64, dimensions int) string {
	return fmt.Sprintf("[%g%s]", x, strings.Repeat(",0", dimensions-1))
}

func lists(n, dimensions int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = numbers(float64(i), dimensions)
	}
	return "[" + strings.Join(all, ",") + "]"
}

func (r reply) body200(body string) {
	r.w.Header().Set("Content-Type", "application/json")
	_, err := io.WriteString(r.w, body)
	assert.NoError(r.t, err)
}

// embed asks for vectors and collects them.
func embed(ctx context.Context, c *converse.Client, model string, e converse.Embed) (converse.Answer, error) {
	s, err := c.Open(ctx, target, converse.Request{Model: model, Embed: &e})
	if err != nil {
		return converse.Answer{}, err
	}
	defer s.Close()
	var answer converse.Collector
	for {
		ev, err := s.Next()
		switch {
		case err != nil:
			return converse.Answer{}, err
		case ev.End != nil:
			if _, err := s.Next(); err != io.EOF {
				return converse.Answer{}, fmt.Errorf("after its end the stream has %w", err)
			}
			return answer.Answer(*ev.End), nil
		}
		answer.Add(ev)
	}
}

func TestEveryEmbeddingModelIsKnown(t *testing.T) {
	for _, id := range contract.EmbeddingModels {
		m, ok := converse.FindEmbedder(id)
		assert.True(t, ok, id)
		assert.NotEmpty(t, m.Dimensions, id)
	}
	_, ok := converse.FindEmbedder("amazon.titan-embed-image-v1")
	assert.False(t, ok)
}

func TestEmbedOnTheWire(t *testing.T) {
	tests := []struct {
		name, model  string
		in           converse.Embed
		answer, want string
	}{
		{"Titan 1 has no parameters", "amazon.titan-embed-text-v1", converse.Embed{Texts: []string{"a"}, Dimensions: 1536},
			`{"embedding":` + numbers(0, 1536) + `}`, `{"inputText":"a"}`},
		{"Titan 2 by default", titan, converse.Embed{Texts: []string{"a"}}, `{"embedding":` + numbers(0, 1024) + `}`, `{"inputText":"a"}`},
		{"Titan 2 of some dimensions", titan, converse.Embed{Texts: []string{"a"}, Dimensions: 256},
			`{"embedding":` + numbers(0, 256) + `}`, `{"inputText":"a","dimensions":256}`},
		{"Cohere 3 cuts nothing", cohereV3, converse.Embed{Texts: []string{"a", "b"}, Dimensions: 1024}, `{"embeddings":` + lists(2, 1024) + `}`,
			`{"texts":["a","b"],"input_type":"search_document","truncate":"NONE"}`},
		{"Cohere 4 for a purpose", cohereV4, converse.Embed{Texts: []string{"a"}, Dimensions: 512, Purpose: "search_query"},
			`{"embeddings":{"float":` + lists(1, 512) + `}}`,
			`{"texts":["a"],"input_type":"search_query","truncate":"NONE","output_dimension":512}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var path, sent string
			c := bedrock(t, func(r reply) {
				path, sent = r.r.URL.Path, string(r.body)
				r.body200(tt.answer)
			})
			got, err := embed(t.Context(), c, tt.model, tt.in)
			require.NoError(t, err)
			assert.Len(t, got.Vectors, len(tt.in.Texts))
			assert.Equal(t, "/model/"+target.ID+"/invoke", path)
			assert.JSONEq(t, tt.want, sent)
		})
	}
}

// TestVectorsComeInOrder: calls end in any order. Here the first ends last.
func TestVectorsComeInOrder(t *testing.T) {
	texts := make([]string, 20)
	for i := range texts {
		texts[i] = fmt.Sprint(i)
	}
	var busy, most int
	var mu sync.Mutex
	second := make(chan struct{})
	c := bedrock(t, func(r reply) {
		mu.Lock()
		busy++
		most = max(most, busy)
		mu.Unlock()
		defer func() { mu.Lock(); busy--; mu.Unlock() }()
		var in struct{ InputText string }
		assert.NoError(t, json.Unmarshal(r.body, &in))
		switch in.InputText {
		case "0":
			<-second
		case "1":
			defer close(second)
		}
		r.body200(fmt.Sprintf(`{"embedding":[%s%s],"inputTextTokenCount":3}`, in.InputText, strings.Repeat(",0", 1023)))
	})
	got, err := embed(t.Context(), c, titan, converse.Embed{Texts: texts})
	require.NoError(t, err)
	require.Len(t, got.Vectors, len(texts))
	for i, v := range got.Vectors {
		assert.Equal(t, float32(i), v[0])
	}
	assert.Equal(t, converse.Usage{Input: 60}, got.Usage)
	assert.LessOrEqual(t, most, 8, "so many calls at once")
}

func TestManyTextsGoIntoOneCall(t *testing.T) {
	texts := strings.Split(strings.Repeat("x,", 99)+"x", ",")
	var sizes sync.Map
	c := bedrock(t, func(r reply) {
		var in struct{ Texts []string }
		assert.NoError(t, json.Unmarshal(r.body, &in))
		sizes.Store(len(in.Texts), true)
		r.w.Header().Set("X-Amzn-Bedrock-Input-Token-Count", "7")
		r.body200(`{"embeddings":` + lists(len(in.Texts), 1024) + `}`)
	})
	got, err := embed(t.Context(), c, cohereV3, converse.Embed{Texts: texts})
	require.NoError(t, err)
	assert.Len(t, got.Vectors, 100)
	assert.Equal(t, 14, got.Usage.Input, "of two calls")
	for _, n := range []int{96, 4} {
		_, ok := sizes.Load(n)
		assert.True(t, ok, "a call with %d texts", n)
	}
}

func TestEmbedFailures(t *testing.T) {
	tests := []struct {
		name   string
		script func(reply)
		want   converse.Class
	}{
		{"not done", func(r reply) { r.refuse(429, "ThrottlingException", "slow down") }, converse.Throttled},
		{"done, and the reply lost", func(r reply) { r.cut() }, converse.Unavailable},
		{"a vector for one text of two", func(r reply) { r.body200(`{"embeddings":` + lists(1, 1024) + `}`) }, converse.ModelFailed},
		{"vectors of another size", func(r reply) { r.body200(`{"embeddings":` + lists(2, 4) + `}`) }, converse.ModelFailed},
		{"no vectors", func(r reply) { r.body200(`{"embeddings":{"int8":[[1],[2]]}}`) }, converse.ModelFailed},
		{"no JSON", func(r reply) { r.body200(`{`) }, converse.ModelFailed},
		{"words for vectors", func(r reply) { r.body200(`{"embeddings":"many"}`) }, converse.ModelFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := embed(t.Context(), bedrock(t, tt.script), cohereV3, converse.Embed{Texts: []string{"a", "b"}})
			assertClass(t, tt.want, err)
		})
	}
}

// TestOneFailedCallIsNoAnswer: what the other calls returned is given up.
func TestOneFailedCallIsNoAnswer(t *testing.T) {
	c := bedrock(t, func(r reply) {
		if strings.Contains(string(r.body), "bad") {
			r.refuse(503, "ServiceUnavailableException", "no")
			return
		}
		r.body200(`{"embedding":` + numbers(0, 1024) + `}`)
	})
	_, err := embed(t.Context(), c, titan, converse.Embed{Texts: []string{"good", "bad", "good"}})
	assertClass(t, converse.Unavailable, err)
}

func TestNobodyWaitsForVectors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := bedrock(t, func(r reply) {
		cancel()
		<-r.r.Context().Done()
	})
	_, err := embed(ctx, c, titan, converse.Embed{Texts: []string{"a"}})
	assertClass(t, converse.Canceled, err)
}

func TestAChatModelMakesNoEmbeddings(t *testing.T) {
	c := bedrock(t, func(reply) { t.Error("somebody was called") })
	_, err := embed(t.Context(), c, "amazon.nova-pro-v1:0", converse.Embed{Texts: []string{"a"}})
	assertClass(t, converse.Invalid, err)
}

// panicking is a client with a fault of its own.
type panicking struct{}

func (panicking) Do(*http.Request) (*http.Response, error) { panic("sesame") }

func TestAPanicIsThatOfTheReader(t *testing.T) {
	cfg := config(t, "http://127.0.0.1:1")
	cfg.HTTPClient = panicking{}
	s, err := converse.New(cfg, []string{region}).Open(t.Context(), target, converse.Request{Model: titan, Embed: &converse.Embed{Texts: []string{"a"}}})
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	caught := parallel.Catch(func() { _, _ = s.Next() })
	require.NotNil(t, caught)
	assert.Equal(t, "sesame", caught.Value)
	assert.Contains(t, string(caught.Stack), "panicking.Do", "where it happened")
}
