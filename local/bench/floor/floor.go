// Package floor is the least that a gateway before Bedrock does: it reads a chat,
// signs and sends it with the AWS SDK, and writes the answer. It checks nothing,
// tries no second region, logs nothing and knows no tenant. What a gateway takes
// beyond it is the price of what the gateway does.
package floor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Handler answers chat completions in the shape of OpenAI's API.
type Handler struct{ client *bedrockruntime.Client }

// New returns a Handler that calls Bedrock with what Lambda's variables say.
// getenv is os.Getenv outside tests.
func New(getenv func(string) string) *Handler {
	return &Handler{bedrockruntime.New(bedrockruntime.Options{
		Region:       getenv("AWS_REGION"),
		BaseEndpoint: aws.String(getenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	})}
}

type chat struct {
	Model  string
	Stream bool
	// Collect asks for a whole answer that is collected from a stream.
	Collect  bool
	Messages []struct{ Role, Content string }
}

func (c chat) messages() []types.Message {
	out := make([]types.Message, len(c.Messages))
	for i, m := range c.Messages {
		out[i] = types.Message{
			Role:    types.ConversationRole(m.Role),
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: m.Content}},
		}
	}
	return out
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c chat
	err := json.NewDecoder(r.Body).Decode(&c)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case c.Stream:
		err = h.stream(r.Context(), w, c)
	default:
		err = h.whole(r.Context(), w, c)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func (h *Handler) whole(ctx context.Context, w http.ResponseWriter, c chat) error {
	body, err := h.Answer(ctx, c)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(body)
	return err
}

type message struct {
	Role    string `json:"role,omitempty"`
	Content string `json:"content"`
}

type choice struct {
	Index        int      `json:"index"`
	Message      *message `json:"message,omitempty"`
	Delta        *message `json:"delta,omitempty"`
	FinishReason *string  `json:"finish_reason"`
}

type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
}

// Answer returns a whole answer, encoded.
func (h *Handler) Answer(ctx context.Context, c chat) ([]byte, error) {
	ask := h.converse
	if c.Collect {
		ask = h.collect
	}
	text, err := ask(ctx, c)
	if err != nil {
		return nil, err
	}
	reason := "stop"
	return json.Marshal(completion{ID: "chatcmpl-1", Object: "chat.completion", Model: c.Model,
		Choices: []choice{{Message: &message{"assistant", text}, FinishReason: &reason}}})
}

func (h *Handler) converse(ctx context.Context, c chat) (string, error) {
	out, err := h.client.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &c.Model, Messages: c.messages()})
	if err != nil {
		return "", err
	}
	said, ok := out.Output.(*types.ConverseOutputMemberMessage)
	if !ok || len(said.Value.Content) != 1 {
		return "", errors.New("the answer is not one message with one text")
	}
	text, ok := said.Value.Content[0].(*types.ContentBlockMemberText)
	if !ok {
		return "", fmt.Errorf("the answer is a %T", said.Value.Content[0])
	}
	return text.Value, nil
}

// collect puts a streamed answer together.
func (h *Handler) collect(ctx context.Context, c chat) (string, error) {
	out, err := h.client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: &c.Model, Messages: c.messages()})
	if err != nil {
		return "", err
	}
	events := out.GetStream()
	var said strings.Builder
	for ev := range events.Events() {
		if delta, ok := ev.(*types.ConverseStreamOutputMemberContentBlockDelta); ok {
			if text, ok := delta.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				said.WriteString(text.Value)
			}
		}
	}
	return said.String(), errors.Join(events.Close(), events.Err())
}

func (h *Handler) stream(ctx context.Context, w http.ResponseWriter, c chat) error {
	out, err := h.client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: &c.Model, Messages: c.messages()})
	if err != nil {
		return err
	}
	events := out.GetStream()
	w.Header().Set("Content-Type", "text/event-stream")
	flusher := http.NewResponseController(w)
	encoder := json.NewEncoder(w)
	send := func(ch choice) error {
		if _, err := w.Write([]byte("data: ")); err != nil {
			return err
		}
		if err := encoder.Encode(completion{ID: "chatcmpl-1", Object: "chat.completion.chunk", Model: c.Model, Choices: []choice{ch}}); err != nil {
			return err
		}
		if _, err := w.Write([]byte("\n")); err != nil {
			return err
		}
		return flusher.Flush()
	}
	for ev := range events.Events() {
		switch ev := ev.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			if text, ok := ev.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				err = send(choice{Delta: &message{Content: text.Value}})
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			reason := "stop"
			err = send(choice{Delta: &message{}, FinishReason: &reason})
		}
		if err != nil {
			return errors.Join(err, events.Close())
		}
	}
	_, err = w.Write([]byte("data: [DONE]\n\n"))
	return errors.Join(err, events.Close(), events.Err())
}
