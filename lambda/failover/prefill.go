package failover

import (
	"strings"

	"github.com/crossregion/crossregion/lambda/converse"
)

// prefillable are parts of the IDs of models that continue an assistant message
// which ends a request. From Claude 4.6 on it is refused.
// Source: https://platform.claude.com/docs/en/about-claude/models/migration-guide
var prefillable = []string{
	"anthropic.claude-3-", "anthropic.claude-sonnet-4-2025", "anthropic.claude-opus-4-2025", "anthropic.claude-opus-4-1-",
	"anthropic.claude-sonnet-4-5-", "anthropic.claude-haiku-4-5-", "anthropic.claude-opus-4-5-",
}

// AcceptsPrefill is a [Config.Prefill] for the models of Bedrock. A model that
// thinks first has no beginning to continue, and one that is held to a format
// may not be given one. A model that is not known is taken to refuse.
func AcceptsPrefill(r converse.Request) bool {
	if r.Effort != "" || r.Format != nil {
		return false
	}
	for _, part := range prefillable {
		if strings.HasPrefix(r.Model, part) {
			return true
		}
	}
	return false
}
