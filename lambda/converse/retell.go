package converse

// retells tells whether the uses of tools in the history have to be told in
// words: to a model that knows no tools, or that could not be kept from using
// them now that it is not to use any. Bedrock takes uses of tools only beside the
// tools, and only Anthropic's models know a choice of none.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html
func (m abilities) retells(r Request) bool {
	return r.withoutTools() && !m.choose && !m.answersByTool(r) && len(toolsUsed(r.Messages)) > 0
}

// retell puts words in place of the uses of tools and of what they answered.
func retell(messages []Message) []Message {
	told := make([]Message, len(messages))
	names := map[string]string{}
	for i, m := range messages {
		told[i].Role = m.Role
		for _, p := range m.Parts {
			switch {
			case p.ToolUse != nil:
				names[p.ToolUse.ID] = p.ToolUse.Name
				told[i].Parts = append(told[i].Parts, Part{Text: "(I called " + p.ToolUse.Name + " with " + string(p.ToolUse.Input) + ".)"})
			case p.ToolResult != nil:
				told[i].Parts = append(told[i].Parts, Part{Text: names[p.ToolResult.ID] + " answered:"})
				told[i].Parts = append(told[i].Parts, p.ToolResult.Parts...)
			default:
				told[i].Parts = append(told[i].Parts, p)
			}
		}
	}
	return told
}
