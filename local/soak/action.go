package soak

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/responses"

	"github.com/crossregion/crossregion/local/talk"
)

// turnsEach are the turns of one conversation.
const turnsEach = 6

// texts is how many different ones are embedded.
const texts = 10

// question is one that takes a while to answer, and how many words it asks for.
func (c *client) question(n int) (string, int) {
	words := 5 + c.random.IntN(60)
	return talk.Question(n, words), words
}

func ask(question string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: chatModel, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)}}
}

func (c *client) chat(ctx context.Context) error {
	question, words := c.question(1)
	got, err := c.sdk.Chat.Completions.New(ctx, ask(question))
	if err != nil {
		return err
	}
	return checkAnswer(got.Choices[0].Message.Content, question, words)
}

func (c *client) chatStream(ctx context.Context) error {
	question, words := c.question(1)
	stream := c.sdk.Chat.Completions.NewStreaming(ctx, ask(question))
	defer stream.Close()
	var text strings.Builder
	finish := ""
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			text.WriteString(choice.Delta.Content)
			finish += choice.FinishReason
		}
	}
	if err := stream.Err(); err != nil {
		if finish != "" {
			return wrong("R2: a stream finished (%s), and then failed: %v", finish, err)
		}
		return err
	}
	if finish != "stop" {
		return wrong("R2: a stream ended without an error and with finish %q", finish)
	}
	return checkAnswer(text.String(), question, words)
}

func checkAnswer(text, question string, words int) error {
	if talk.Told(text) != 1 || !talk.Whole(text, question, words) {
		return wrong("R2: %q was answered as %q", question, text)
	}
	return nil
}

// respond goes on from response to response.
func (c *client) respond(ctx context.Context) error {
	if len(c.chain) == turnsEach {
		c.chain = nil
	}
	question, words := c.question(len(c.chain) + 1)
	p := talk.Ask(chatModel, question)
	if n := len(c.chain); n > 0 {
		p.PreviousResponseID = openai.String(c.chain[n-1].ID)
	}
	a, err := talk.Stream(ctx, c.sdk, p)
	switch {
	case errors.Is(err, talk.ErrNoEnd):
		return wrong("R2: %v", err)
	case err != nil:
		return err
	case talk.Told(a.Text) != len(c.chain)+1:
		return wrong("R3: turn %d was answered as %.12q", len(c.chain)+1, a.Text)
	case !talk.Whole(a.Text, question, words):
		return wrong("R2: %q was answered as %q", question, a.Text)
	}
	c.chain = append(c.chain, a)
	c.publish(id{tenant: c.tenant, response: a.ID})
	return nil
}

// turn adds to a conversation, which it creates if there is none.
func (c *client) turn(ctx context.Context) error {
	if len(c.thread.said) == 2*turnsEach {
		c.thread = thread{}
	}
	if c.thread.id == "" {
		made, err := c.sdk.Conversations.New(ctx, conversations.ConversationNewParams{})
		if err != nil {
			return err
		}
		c.thread.id = made.ID
		c.publish(id{tenant: c.tenant, conversation: made.ID})
	}
	c.thread.asked++
	question, words := c.question(c.thread.asked)
	p := talk.Ask(chatModel, question)
	p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(c.thread.id)}
	a, err := talk.Stream(ctx, c.sdk, p)
	known, least := talk.Told(a.Text), len(c.thread.said)/2+1
	switch {
	case errors.Is(err, talk.ErrNoEnd):
		return wrong("R2: %v", err)
	case err != nil:
		return err
	case known < least || known > c.thread.asked:
		return wrong("R3: turn %d to %d of a conversation was answered as %.12q", least, c.thread.asked, a.Text)
	case !talk.Whole(a.Text, question, words):
		return wrong("R2: %q was answered as %q", question, a.Text)
	}
	c.thread.said = append(c.thread.said, question, a.Text)
	return nil
}

// readBack holds a conversation against what was said in it.
func (c *client) readBack(ctx context.Context) error {
	if c.thread.id == "" {
		return c.turn(ctx)
	}
	texts, err := talk.Texts(ctx, c.sdk, c.thread.id)
	if err != nil {
		return err
	}
	if !talk.Holds(texts, c.thread.said) {
		return wrong("R3: a conversation of %d turns was read back as %d texts", len(c.thread.said)/2, len(texts))
	}
	return nil
}

func (c *client) embed(ctx context.Context) error {
	text := talk.Question(c.random.IntN(texts), 0)
	got, err := c.sdk.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: embeddingModel, Dimensions: openai.Int(256),
		Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String(text)}})
	if err != nil {
		return err
	}
	if len(got.Data) != 1 || !c.vector(text, got.Data[0].Embedding) {
		return wrong("R2: %q has another vector than before", text)
	}
	return nil
}

// remove deletes what the client has, which is gone from then on: the last
// response, or else the conversation.
func (c *client) remove(ctx context.Context) error {
	if n := len(c.chain); n > 0 {
		last := c.chain[n-1].ID
		if err := gone(c.sdk.Responses.Delete(ctx, last)); err != nil {
			return err
		}
		c.chain = c.chain[:n-1]
		p := talk.Ask(chatModel, "What was deleted?")
		p.PreviousResponseID = openai.String(last)
		a, err := talk.Stream(ctx, c.sdk, p)
		if err == nil {
			return wrong("R3: a deleted response was gone on from: %q", a.Text)
		}
		return gone(err)
	}
	if c.thread.id == "" {
		return c.turn(ctx)
	}
	_, err := c.sdk.Conversations.Delete(ctx, c.thread.id)
	if err := gone(err); err != nil {
		return err
	}
	removed := c.thread.id
	c.thread = thread{}
	if texts, err := talk.Texts(ctx, c.sdk, removed); err == nil {
		return wrong("R3: a deleted conversation was read: %q", texts)
	} else if err := gone(err); err != nil {
		return err
	}
	return nil
}

// gone is no error if err says that there is nothing: a try before may have
// deleted it.
func gone(err error) error {
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

func status(err error) int {
	var api *openai.Error
	if errors.As(err, &api) {
		return api.StatusCode
	}
	return 0
}

// trespass tries what is another tenant's.
func (c *client) trespass(ctx context.Context) error {
	other, ok := c.foreign(c.tenant, c.random)
	if !ok {
		return c.chat(ctx)
	}
	tries := c.onConversation(other.conversation)
	if other.response != "" {
		tries = c.onResponse(other.response)
	}
	err := tries[c.random.IntN(len(tries))](ctx)
	switch at := status(err); {
	case at == http.StatusNotFound:
		return nil
	case err == nil, at/100 == 2:
		return wrong("R6: %s could use what is %s's", c.tenant, other.tenant)
	case at != 0 && !slices.Contains([]int{http.StatusConflict, http.StatusServiceUnavailable}, at):
		return wrong("R6: %s was told %d of what is %s's", c.tenant, at, other.tenant)
	default:
		return err
	}
}

func (c *client) onResponse(id string) []func(context.Context) error {
	return []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := c.sdk.Responses.Get(ctx, id, responses.ResponseGetParams{})
			return err
		},
		func(ctx context.Context) error { return c.sdk.Responses.Delete(ctx, id) },
		func(ctx context.Context) error {
			p := talk.Ask(chatModel, "What was said before?")
			p.PreviousResponseID = openai.String(id)
			_, err := talk.Stream(ctx, c.sdk, p)
			return err
		},
	}
}

func (c *client) onConversation(id string) []func(context.Context) error {
	return []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := talk.Texts(ctx, c.sdk, id)
			return err
		},
		func(ctx context.Context) error {
			_, err := c.sdk.Conversations.Delete(ctx, id)
			return err
		},
		func(ctx context.Context) error {
			p := talk.Ask(chatModel, "What was said before?")
			p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(id)}
			_, err := talk.Stream(ctx, c.sdk, p)
			return err
		},
	}
}
