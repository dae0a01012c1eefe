package openai

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/crossregion/crossregion/lambda/converse"
)

// maxTools is OpenAI's limit on tools.
const maxTools = 128

// What Bedrock lets names and ids of tools be.
// Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html
// and https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
// Compiled when the first is read, not while a function starts.
var (
	toolName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`) })
	toolID   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`) })
)

// anyArguments is the schema of a function that was described without one.
const anyArguments = `{"type":"object","properties":{}}`

// spelling is how one of the two APIs spells what concerns tools: what is said
// of a function stands in a member of this name, or beside "type" if it is "".
type spelling string

// Spellings of the two APIs.
const (
	nested spelling = "function" // chat completions
	flat   spelling = ""         // responses
)

// tools takes the "tools" of a request, all of them functions.
func tools(o *object, s spelling) []converse.Tool {
	raws := value[[]json.RawMessage](o, "tools", "an array of tools")
	if len(raws) > maxTools {
		o.invalid("tools", "%d tools are more than %d", len(raws), maxTools)
	}
	var all []converse.Tool
	named := map[string]bool{}
	for i, raw := range raws {
		if o.err != nil {
			return nil
		}
		t := tool(o.child(fmt.Sprintf("tools[%d]", i), raw), s)
		if named[t.Name] {
			o.invalid(fmt.Sprintf("tools[%d]", i), "another tool has the same name")
		}
		named[t.Name] = true
		all = append(all, t)
	}
	return all
}

// tool takes one function.
func tool(o *object, s spelling) converse.Tool {
	f := s.function(o)
	t := converse.Tool{
		Name:        functionName(f),
		Description: value[string](f, "description", "a string"),
		Schema:      json.RawMessage(anyArguments),
		Strict:      value[bool](f, "strict", "a boolean"),
	}
	if given := schema(f, "parameters"); given != nil {
		t.Schema = given
	}
	for _, extra := range []string{"async", "defer_loading"} {
		f.refuse(extra, false)
	}
	f.refuse("allowed_callers")
	f.refuse("output_schema")
	f.finish()
	return t
}

// function returns the object that describes the function in o, of which nothing
// else is left to take.
func (s spelling) function(o *object) *object {
	if needed(o, "type") != "function" {
		o.set(unsupportedValue(o.path+"type", "This service supports tools of type function only."))
	}
	if s == flat {
		return o
	}
	f := o.child(string(s), o.take(string(s)))
	o.finish()
	return f
}

// functionName takes the name of the function o.
func functionName(o *object) string {
	n := needed(o, "name")
	if !toolName().MatchString(n) {
		o.invalid("name", "it must have 1 to 64 letters, digits, underscores and hyphens")
	}
	return n
}

// schema takes a JSON schema of an object, nil if there is none.
func schema(o *object, name string) json.RawMessage {
	raw := o.take(name)
	if raw == nil {
		return nil
	}
	var members map[string]json.RawMessage // in which names are exact, as in no struct
	switch err := json.Unmarshal(raw, &members); {
	case err != nil:
		o.wrongType(name, "an object")
	case len(members) == 0:
		return nil
	case string(members["type"]) != `"object"`:
		o.invalid(name, `it must be a JSON schema with "type": "object"`)
	}
	return raw
}

// toolChoice takes "tool_choice" and "parallel_tool_calls", and returns those of
// the tools that are left to the model. Without tools nothing is to be chosen.
func toolChoice(o *object, s spelling, all []converse.Tool) ([]converse.Tool, converse.ToolChoice) {
	parallel := field[bool](o, "parallel_tool_calls", "a boolean")
	raw := o.take("tool_choice")
	var choice converse.ToolChoice
	if raw != nil {
		all, choice = chosen(o, s, raw, all)
	}
	if len(all) == 0 {
		return nil, converse.ToolChoice{}
	}
	choice.Single = parallel != nil && !*parallel && choice.Mode != converse.ToolNone
	return all, choice
}

// toolModes are the values of "tool_choice" that are strings.
var toolModes = map[string]converse.ToolMode{
	"auto": converse.ToolAuto, "none": converse.ToolNone, "required": converse.ToolAny,
}

func chosen(o *object, s spelling, raw json.RawMessage, all []converse.Tool) ([]converse.Tool, converse.ToolChoice) {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		mode, known := toolModes[word]
		switch {
		case !known:
			o.invalid("tool_choice", "expected none, auto, required or an object")
		case mode == converse.ToolAny && len(all) == 0:
			o.invalid("tool_choice", "there are no tools to choose from")
		}
		return all, converse.ToolChoice{Mode: mode}
	}
	c := o.childOr("tool_choice", raw, "a string or an object")
	var kind string
	if json.Unmarshal(c.fields["type"], &kind) == nil && kind == "allowed_tools" {
		return allowed(c, s, all)
	}
	f := s.function(c)
	one := functionName(f)
	f.finish()
	if !slices.ContainsFunc(all, func(t converse.Tool) bool { return t.Name == one }) {
		o.invalid("tool_choice", "it names none of the tools")
	}
	return all, converse.ToolChoice{Mode: converse.ToolOne, Name: one}
}

// allowed takes a choice among some of the tools: the model learns of no others.
func allowed(c *object, s spelling, all []converse.Tool) ([]converse.Tool, converse.ToolChoice) {
	c.take("type")
	in := c
	if s == nested {
		in = c.child("allowed_tools", c.take("allowed_tools"))
		c.finish()
	}
	mode, known := toolModes[needed(in, "mode")]
	if !known || mode == converse.ToolNone {
		in.invalid("mode", "expected auto or required")
	}
	var some []converse.Tool
	for i, raw := range value[[]json.RawMessage](in, "tools", "an array of tools") {
		f := s.function(in.child(fmt.Sprintf("tools[%d]", i), raw))
		one := functionName(f)
		f.finish()
		at := slices.IndexFunc(all, func(t converse.Tool) bool { return t.Name == one })
		if at < 0 {
			in.invalid("tools", "it names a tool that the request does not have")
			break
		}
		some = append(some, all[at])
	}
	if len(some) == 0 {
		in.invalid("tools", "it is empty")
	}
	in.finish()
	return some, converse.ToolChoice{Mode: mode}
}
