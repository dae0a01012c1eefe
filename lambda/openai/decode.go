package openai

import (
	"encoding/json"
	"maps"
	"unicode/utf8"

	"github.com/crossregion/crossregion/lambda/converse"
)

// chatRequest is a request that was found to be right.
type chatRequest struct {
	model        string
	stream       bool
	includeUsage bool
	question     converse.Request
	names        parameters // of what a model may refuse
}

// decodeChat reads a request for a chat completion.
// Source: https://platform.openai.com/docs/api-reference/chat/create
func decodeChat(body []byte) (chatRequest, error) {
	o, err := parse(body)
	if err != nil {
		return chatRequest{}, err
	}
	r := chatRequest{model: modelName(o), stream: value[bool](o, "stream", "a boolean"), names: chatParameters}
	r.includeUsage = streamOptions(o, r.stream)
	bound, name := maxTokens(o)
	if name != chatParameters[converse.FeatureMaxTokens] {
		r.names = maps.Clone(chatParameters)
		r.names[converse.FeatureMaxTokens] = name
	}
	r.question = converse.Request{
		MaxTokens: bound, Temperature: temperature(o), TopP: topP(o), Stop: stop(o),
	}
	r.question.System, r.question.Messages = messages(o)
	r.question.Tools, r.question.ToolChoice = toolChoice(o, nested, tools(o, nested))
	r.question.Format = format(o, "response_format", nested)
	r.question.Effort = effort(o, "reasoning_effort")
	hints(o)
	for _, p := range unsupportedParameters {
		o.refuse(p.name, p.neutral...)
	}
	o.finish()
	return r, o.err
}

func modelName(o *object) string {
	name := field[string](o, "model", "a string")
	if name == nil || *name == "" {
		o.missing("model")
		return ""
	}
	if len(*name) > maxHint {
		o.invalid("model", "it is over %d bytes long", maxHint)
	}
	return *name
}

// streamOptions tells whether the client wants a chunk with the usage.
func streamOptions(o *object, stream bool) bool {
	raw := o.take("stream_options")
	if raw == nil {
		return false
	}
	if !stream {
		o.invalid("stream_options", "it is only allowed when 'stream' is true")
	}
	c := o.child("stream_options", raw)
	include := value[bool](c, "include_usage", "a boolean")
	c.refuse("include_obfuscation", false)
	c.finish()
	return include
}

// maxTokens returns the bound of the answer, and which of its two names is used.
func maxTokens(o *object) (bound int32, name string) {
	old, bound := tokenBound(o, "max_tokens"), tokenBound(o, "max_completion_tokens")
	if old != 0 && bound != 0 && old != bound {
		o.invalid("max_tokens", "it differs from 'max_completion_tokens'; set one of them")
	}
	if bound == 0 && old != 0 {
		return old, "max_tokens"
	}
	return bound, "max_completion_tokens"
}

// temperature refuses the upper half of OpenAI's range by name: Converse knows
// 0 to 1, and moving a value into that range would answer another question.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html
func temperature(o *object) *float32 {
	t := field[float64](o, "temperature", "a number")
	switch {
	case t == nil:
		return nil
	case *t < 0 || *t > 2:
		o.invalid("temperature", "%v is not between 0 and 2", *t)
	case *t > 1:
		o.set(unsupportedValue("temperature", "The models of this service know temperatures from 0 to 1."))
	}
	f := float32(*t)
	return &f
}

// topP leaves out 1, which cuts nothing off: there are models that refuse top_p
// beside a temperature, and clients that send both at their defaults.
func topP(o *object) *float32 {
	p := field[float64](o, "top_p", "a number")
	if p == nil || *p == 1 {
		return nil
	}
	if *p < 0 || *p > 1 {
		o.invalid("top_p", "%v is not between 0 and 1", *p)
	}
	f := float32(*p)
	return &f
}

// maxStop is OpenAI's limit on stop sequences.
const maxStop = 4

func stop(o *object) []string {
	raw := o.take("stop")
	if raw == nil {
		return nil
	}
	var one string
	var all []string
	if json.Unmarshal(raw, &one) == nil {
		all = []string{one}
	} else if json.Unmarshal(raw, &all) != nil {
		o.wrongType("stop", "a string or an array of strings")
	}
	if len(all) > maxStop {
		o.invalid("stop", "%d sequences are more than %d", len(all), maxStop)
	}
	for _, s := range all {
		if s == "" {
			o.invalid("stop", "a stop sequence is empty")
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// Limits of hints, in bytes and as OpenAI has them, in pairs and characters.
const (
	maxHint          = 512
	maxMetadata      = 16
	maxMetadataKey   = 64
	maxMetadataValue = 512
)

// hints takes what cannot change an answer. It goes nowhere: who is meant by a
// "user" and what "metadata" says may be personal, and models need neither;
// Bedrock places and caches prompts by itself, whatever a "prompt_cache_key".
func hints(o *object) {
	for _, name := range []string{"user", "safety_identifier", "prompt_cache_key"} {
		if len(value[string](o, name, "a string")) > maxHint {
			o.invalid(name, "it is over %d bytes long", maxHint)
		}
	}
	metadata(o)
}

// metadata takes what callers note down beside a request or a conversation.
func metadata(o *object) map[string]string {
	m := map[string]string{}
	for k, v := range value[map[string]*string](o, "metadata", "an object with strings as values") {
		if v == nil {
			o.wrongType("metadata", "an object with strings as values")
			continue
		}
		m[k] = *v
	}
	if len(m) > maxMetadata {
		o.invalid("metadata", "%d pairs are more than %d", len(m), maxMetadata)
	}
	for k, v := range m {
		if utf8.RuneCountInString(k) > maxMetadataKey || utf8.RuneCountInString(v) > maxMetadataValue {
			o.invalid("metadata", "a key is over %d or a value over %d characters long", maxMetadataKey, maxMetadataValue)
		}
	}
	return m
}

// parameter is one that OpenAI knows and this service does not, with the values
// at which it changes nothing.
type parameter struct {
	name    string
	neutral []any
}

var unsupportedParameters = []parameter{
	{"functions", []any{[]any{}}},
	{"function_call", []any{"none", "auto"}},
	{"n", []any{1.0}},
	{"logprobs", []any{false}},
	{"top_logprobs", []any{0.0}},
	{"logit_bias", []any{map[string]any{}}},
	{"frequency_penalty", []any{0.0}},
	{"presence_penalty", []any{0.0}},
	{"modalities", []any{[]any{"text"}}},
	{"service_tier", []any{"auto", "default"}},
	{"store", []any{false}},
	{name: "seed"},
	{name: "audio"},
	{name: "prediction"},
	{name: "web_search_options"},
	{"verbosity", []any{"medium"}},
	{name: "moderation"},
	{"prompt_cache_retention", []any{"in_memory"}},
	{name: "prompt_cache_options"},
}
