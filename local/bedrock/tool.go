package bedrock

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// toolConfig are the tools that the model may ask for.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html
type toolConfig struct {
	Tools  []tool      `json:"tools"`
	Choice *toolChoice `json:"toolChoice"`
}

// tool is a union of a specification and a cache point.
type tool struct {
	Spec  *toolSpec   `json:"toolSpec"`
	Cache *cachePoint `json:"cachePoint"`
}

type toolSpec struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Strict      bool    `json:"strict"`
	InputSchema struct {
		JSON json.RawMessage `json:"json"`
	} `json:"inputSchema"`
}

// toolChoice is a union.
type toolChoice struct {
	Auto *struct{} `json:"auto"`
	Any  *struct{} `json:"any"`
	Tool *struct {
		Name string `json:"name"`
	} `json:"tool"`
}

var (
	toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	toolID   = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)
)

func (u toolUse) validate(at string) error {
	var input map[string]json.RawMessage
	switch {
	case !toolName.MatchString(u.Name):
		return outOfBounds(at+".toolUse.name", u.Name, "matched by "+toolName.String())
	case !toolID.MatchString(u.ID):
		return outOfBounds(at+".toolUse.toolUseId", u.ID, "matched by "+toolID.String())
	case json.Unmarshal(u.Input, &input) != nil || input == nil:
		return invalid("The format of the value at %s.toolUse.input is invalid. Provide a json object for the field and try again.", at)
	default:
		return nil
	}
}

func (r toolResult) validate(at string) error {
	switch {
	case !toolID.MatchString(r.ID):
		return outOfBounds(at+".toolResult.toolUseId", r.ID, "matched by "+toolID.String())
	case r.Content == nil:
		return invalid("Malformed input request: %s.toolResult: required key [content] not found.", at)
	case r.Status != "" && r.Status != "success" && r.Status != "error":
		return outOfBounds(at+".toolResult.status", r.Status, "success or error")
	default:
		return validateBlocks(at+".toolResult.content", "toolResult", r.Content)
	}
}

// validateTools checks the tools, and that each use in the history has its
// result in the turn after it.
func (r converseRequest) validateTools(m model, stream bool) error {
	used := slices.ContainsFunc(r.Messages, func(msg message) bool { return has(msg.Content, "toolUse", "toolResult") })
	switch c := r.ToolConfig; {
	case c == nil && used:
		return invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
	case c == nil:
		return nil
	case !m.can("tools"):
		return invalid("This model doesn't support tool use.")
	case stream && !m.can("stream-tools"):
		return invalid("This model doesn't support tool use in streaming mode.")
	case len(c.Tools) == 0:
		return outOfBounds("toolConfig.tools", "[]", "at least 1 long")
	}
	if err := r.ToolConfig.validate(m); err != nil {
		return err
	}
	if err := r.validateToolIDs(); err != nil {
		return err
	}
	return r.validatePairs()
}

// validateToolIDs wants no id to stand twice in a message, as Converse does, nor
// in a conversation, as Anthropic's models do.
func (r converseRequest) validateToolIDs() error {
	used := map[string]bool{}
	for i, msg := range r.Messages {
		results, uses := map[string]bool{}, map[string]bool{}
		for n, b := range msg.Content {
			switch {
			case b.toolResult != nil && results[b.toolResult.ID]:
				return invalid("The toolResult blocks at messages.%d.content contain duplicate Ids: %s", i, b.toolResult.ID)
			case b.toolUse != nil && uses[b.toolUse.ID]:
				return invalid("The toolUse blocks at messages.%d.content contain duplicate Ids: %s", i, b.toolUse.ID)
			case b.toolUse != nil && used[b.toolUse.ID]:
				return invalid("The model returned the following errors: messages.%d.content.%d: `tool_use` ids must be unique", i, n)
			case b.toolResult != nil:
				results[b.toolResult.ID] = true
			case b.toolUse != nil:
				uses[b.toolUse.ID], used[b.toolUse.ID] = true, true
			}
		}
	}
	return nil
}

func (c toolConfig) validate(m model) error {
	names := map[string]bool{}
	for i, t := range c.Tools {
		at := fmt.Sprintf("toolConfig.tools.%d", i)
		switch {
		case (t.Spec == nil) == (t.Cache == nil):
			return invalid("Malformed input request: the tool at %s needs exactly one member.", at)
		case t.Cache != nil:
			if err := t.Cache.validate(at); err != nil {
				return err
			}
			continue
		case names[t.Spec.Name]:
			return invalid("The model returned the following errors: tools: Tool names must be unique.")
		}
		names[t.Spec.Name] = true
		if err := t.Spec.validate(at, m); err != nil {
			return err
		}
	}
	return c.Choice.validate(m, names)
}

func (s toolSpec) validate(at string, m model) error {
	switch {
	case !toolName.MatchString(s.Name):
		return outOfBounds(at+".toolSpec.name", s.Name, "matched by "+toolName.String())
	case s.Description != nil && *s.Description == "":
		return outOfBounds(at+".toolSpec.description", "''", "at least 1 character long")
	case s.Strict && !m.can("schemas"):
		return invalid("This model doesn't support the strict field of a tool. Remove strict and try again.")
	case parseSchema(s.InputSchema.JSON).Type != "object":
		return invalid("The value at %s.toolSpec.inputSchema.json.type must be one of the following: object.", at)
	case s.Strict && !parseSchema(s.InputSchema.JSON).closed():
		return invalid("The model returned the following errors: For 'object' type, 'additionalProperties' must be explicitly set to false")
	case m.can("flat-schemas") && hasReferences(s.InputSchema.JSON):
		return invalid("The model returned the following errors: The provided JSON schema of tool %s has definitions or references, which are not supported.", s.Name)
	case !s.Strict:
		return nil
	}
	if err := compilable(s.InputSchema.JSON); err != nil {
		return invalid("The model returned the following errors: tools: %s", err)
	}
	return nil
}

func (c *toolChoice) validate(m model, names map[string]bool) error {
	if c == nil {
		return nil
	}
	set := 0
	for _, member := range []bool{c.Auto != nil, c.Any != nil, c.Tool != nil} {
		if member {
			set++
		}
	}
	switch {
	case set != 1:
		return invalid("Malformed input request: toolConfig.toolChoice has %d members, want exactly one.", set)
	case c.Auto == nil && !m.can("force"):
		return invalid("This model doesn't support the toolConfig.toolChoice field that you provided. Remove it and try again.")
	case c.Tool != nil && !names[c.Tool.Name]:
		return invalid("The tool %q in toolConfig.toolChoice is none of toolConfig.tools.", c.Tool.Name)
	default:
		return nil
	}
}

// validatePairs wants each turn of the user to begin with the results of all
// uses of the turn before, and of no others.
func (r converseRequest) validatePairs() error {
	for i, msg := range r.Messages {
		if msg.Role != "user" {
			continue
		}
		var waiting []string
		if i > 0 {
			for _, b := range all(r.Messages[i-1].Content, "toolUse") {
				waiting = append(waiting, b.toolUse.ID)
			}
		}
		for n, b := range msg.Content {
			if b.toolResult == nil {
				continue
			}
			at := slices.Index(waiting, b.toolResult.ID)
			if at < 0 {
				return invalid("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", i)
			}
			if n > 0 && msg.Content[n-1].toolResult == nil {
				return invalid("The toolResult blocks at messages.%d.content must come before any other.", i)
			}
			waiting = slices.Delete(waiting, at, at+1)
		}
		if len(waiting) > 0 {
			return invalid("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, strings.Join(waiting, ", "))
		}
	}
	return nil
}

// specs are the tools without the cache points between them.
func (c *toolConfig) specs() []toolSpec {
	var specs []toolSpec
	for _, t := range c.Tools {
		if t.Spec != nil {
			specs = append(specs, *t.Spec)
		}
	}
	return specs
}

// find returns the tool with that name, nil if there is none.
func (c *toolConfig) find(name string) *toolSpec {
	for _, t := range c.Tools {
		if t.Spec != nil && t.Spec.Name == name {
			return t.Spec
		}
	}
	return nil
}

// forcedTool is the name of the tool that must be used, "" if it is the model's
// to choose.
func (r converseRequest) forcedTool() string {
	if own := r.AdditionalRequest.ToolChoice; own != nil && own.Type == "tool" {
		return own.Name
	}
	if c := r.ToolConfig.Choice; c != nil && c.Tool != nil {
		return c.Tool.Name
	}
	return ""
}
