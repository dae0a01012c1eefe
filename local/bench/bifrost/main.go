// Command bifrost serves chat completions through Bifrost's core, on the listener
// that it inherits, with Bedrock as the only provider. It is a subject of the
// bench and no part of the product.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	bifrost "github.com/maximhq/bifrost/core"
	"github.com/maximhq/bifrost/core/schemas"
)

// account is the only one: its key opens every model of Bedrock.
type account struct{}

// GetConfiguredProviders implements [schemas.Account].
func (account) GetConfiguredProviders() ([]schemas.ModelProvider, error) {
	return []schemas.ModelProvider{schemas.Bedrock}, nil
}

// GetKeysForProvider implements [schemas.Account].
func (account) GetKeysForProvider(context.Context, schemas.ModelProvider) ([]schemas.Key, error) {
	return []schemas.Key{{ID: "1", Name: "bench", Models: schemas.WhiteList{"*"}, Weight: 1, BedrockKeyConfig: &schemas.BedrockKeyConfig{
		AccessKey: schemas.SecretVar{Val: os.Getenv("AWS_ACCESS_KEY_ID")}, SecretKey: schemas.SecretVar{Val: os.Getenv("AWS_SECRET_ACCESS_KEY")},
		Region: &schemas.SecretVar{Val: os.Getenv("AWS_REGION")},
	}}}, nil
}

// GetConfigForProvider implements [schemas.Account]. Concurrency and buffers are
// Bifrost's defaults.
func (account) GetConfigForProvider(schemas.ModelProvider) (*schemas.ProviderConfig, error) {
	c := &schemas.ProviderConfig{NetworkConfig: schemas.NetworkConfig{InsecureSkipVerify: true}}
	c.CheckAndSetDefaults()
	return c, nil
}

type server struct{ *bifrost.Bifrost }

type chat struct {
	Model    string                `json:"model"`
	Stream   bool                  `json:"stream"`
	Messages []schemas.ChatMessage `json:"messages"`
}

// ServeHTTP implements [http.Handler].
func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c chat
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx := schemas.NewBifrostContext(r.Context(), schemas.NoDeadline)
	request := &schemas.BifrostChatRequest{Provider: schemas.Bedrock, Model: c.Model, Input: c.Messages}
	if c.Stream {
		s.stream(ctx, w, request)
		return
	}
	answer, failed := s.ChatCompletionRequest(ctx, request)
	if failed != nil {
		fail(w, failed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // who hung up has no use for an error
}

func (s server) stream(ctx *schemas.BifrostContext, w http.ResponseWriter, request *schemas.BifrostChatRequest) {
	chunks, failed := s.ChatCompletionStreamRequest(ctx, request)
	if failed != nil {
		fail(w, failed)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flusher := http.NewResponseController(w)
	for c := range chunks {
		b, err := json.Marshal(c.BifrostChatResponse)
		if err == nil && c.BifrostError == nil {
			_, err = fmt.Fprintf(w, "data: %s\n\n", b)
		}
		if err != nil || flusher.Flush() != nil {
			return
		}
	}
	_, _ = w.Write([]byte("data: [DONE]\n\n"))
}

func fail(w http.ResponseWriter, failed *schemas.BifrostError) {
	b, err := json.Marshal(failed)
	if err != nil {
		b = []byte(err.Error())
	}
	http.Error(w, string(b), http.StatusBadGateway)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bifrost:", err)
		os.Exit(1)
	}
}

func run() error {
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	b, err := bifrost.Init(ctx, schemas.BifrostConfig{Account: account{}, Logger: bifrost.NewDefaultLogger(schemas.LogLevelError)})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	err = http.Serve(l, server{b})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
