package openai

import (
	"encoding/json"

	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
)

// maxInputItems bounds the input of one response; the rest of
// [state.MaxItem] is for its output.
const maxInputItems = 900

// responseRequest is a request that was found to be right, apart from what it
// refers to.
type responseRequest struct {
	name         string // of the model
	instructions string
	input        []item
	previous     state.TurnID         // zero for none
	conversation state.ConversationID // zero for none
	store        bool
	stream       bool
	summary      bool // of the model's thoughts
	truncate     bool
	question     converse.Request // without what is said
	echo         echo
}

// decodeResponse reads a request for a response.
// Source: https://platform.openai.com/docs/api-reference/responses/create
func decodeResponse(body []byte) (responseRequest, error) {
	o, err := parse(body)
	if err != nil {
		return responseRequest{}, err
	}
	r := responseRequest{echo: repeated(o), name: modelName(o), stream: value[bool](o, "stream", "a boolean")}
	store := field[bool](o, "store", "a boolean")
	r.store = store == nil || *store
	r.said(o)
	r.continued(o)
	r.asked(o)
	included(o)
	hints(o)
	for _, p := range unsupportedOfResponses() {
		o.refuse(p.name, p.neutral...)
	}
	o.finish()
	return r, o.err
}

// said takes instructions and input, which may be left out where there is a
// history to answer.
func (r *responseRequest) said(o *object) {
	r.instructions = value[string](o, "instructions", "a string")
	raw := o.take("input")
	if raw == nil {
		return
	}
	var text string
	var raws []json.RawMessage
	switch {
	case json.Unmarshal(raw, &text) == nil:
		r.input = []item{{Type: itemMessage, Role: "user", Status: statusCompleted, Content: []itemPart{inputText(text)}}}
		if blank(text) {
			o.invalid("input", "it is empty, which models refuse")
		}
	case json.Unmarshal(raw, &raws) == nil:
		r.input = (&itemDecoder{}).items(o, "input", raws, maxInputItems)
	default:
		o.wrongType("input", "a string or an array of items")
	}
}

// continued takes what the response goes on from.
func (r *responseRequest) continued(o *object) {
	var err error
	previous := field[string](o, "previous_response_id", "a string")
	if previous != nil {
		if r.previous, err = parseResponseID(*previous); err != nil {
			o.set(previousNotFound())
		}
	}
	raw := o.take("conversation")
	if raw == nil {
		return
	}
	if previous != nil {
		o.set(invalid("previous_response_id", "mutually_exclusive_parameters",
			"Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Use one of them."))
	}
	var id string
	if json.Unmarshal(raw, &id) != nil {
		c := o.childOr("conversation", raw, "a string or an object")
		id = needed(c, "id")
		c.finish()
	}
	if r.conversation, err = parseConversationID(id); err != nil {
		o.set(conversationNotFound("conversation"))
	}
}

func previousNotFound() *apiError {
	e := notFound("response")
	e.code, e.param = "previous_response_not_found", "previous_response_id"
	return e
}

func conversationNotFound(param string) *apiError {
	e := notFound("conversation")
	e.param = param
	return e
}

// asked takes how the model is to answer.
func (r *responseRequest) asked(o *object) {
	r.question = converse.Request{MaxTokens: tokenBound(o, "max_output_tokens"), Temperature: temperature(o), TopP: topP(o)}
	r.question.Tools, r.question.ToolChoice = toolChoice(o, flat, tools(o, flat))
	if raw := o.take("text"); raw != nil {
		c := o.child("text", raw)
		r.question.Format = format(c, "format", flat)
		c.refuse("verbosity", "medium")
		c.finish()
	}
	if raw := o.take("reasoning"); raw != nil {
		c := o.child("reasoning", raw)
		r.question.Effort = effort(c, "effort")
		r.summary = oneOf(c, "summary", "auto", "concise", "detailed") != ""
		c.refuse("generate_summary")
		c.refuse("context", "auto")
		c.refuse("mode")
		c.finish()
	}
	r.truncate = oneOf(o, "truncation", "disabled", "auto") == "auto"
	if raw := o.take("stream_options"); raw != nil {
		if !r.stream {
			o.invalid("stream_options", "it is only allowed when 'stream' is true")
		}
		c := o.child("stream_options", raw)
		c.refuse("include_obfuscation", false)
		c.finish()
	}
}

// included takes what the answer is to include: it is included anyway, or
// cannot exist, since it belongs to a tool that this service does not have.
func included(o *object) {
	for _, name := range value[[]string](o, "include", "an array of strings") {
		if err := includable(name); err != nil {
			o.set(err)
		}
	}
}

func includable(name string) *apiError {
	switch name {
	case "reasoning.encrypted_content", "message.input_image.image_url",
		"web_search_call.action.sources", "code_interpreter_call.outputs",
		"computer_call_output.output.image_url", "file_search_call.results":
		return nil
	case "message.output_text.logprobs":
		return unsupported("include", "Bedrock has no log probabilities.")
	default:
		return invalid("include", "invalid_value", "Invalid 'include': it names something unknown.")
	}
}

func unsupportedOfResponses() []parameter {
	none := []any{}
	return []parameter{
		{"background", []any{false}},
		{"service_tier", []any{"auto", "default"}},
		{"top_logprobs", []any{0.0}},
		{"context_management", []any{none}},
		{name: "max_tool_calls"},
		{name: "prompt"},
		{name: "moderation"},
		{name: "access_programs"},
		{"prompt_cache_retention", []any{"in_memory"}},
		{name: "prompt_cache_options"},
	}
}
