package bedrock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// BlockedPhrase is what every guardrail blocks in the last question.
const BlockedPhrase = "blocked by guardrail"

// blockedMessage is what a guardrail answers in the model's place.
const blockedMessage = "Sorry, this guardrail does not let the model answer that."

// guardrailConfig is a request's guardrail.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailStreamConfiguration.html
type guardrailConfig struct {
	Identifier string `json:"guardrailIdentifier"`
	Version    string `json:"guardrailVersion"`
	Trace      string `json:"trace"`
	Mode       string `json:"streamProcessingMode"`
}

// guardrail is one version of a guardrail.
type guardrail struct {
	region, id, version string
}

// AddGuardrail makes a version of a guardrail known in a region. A guardrail
// that is evaluated in several regions asks for permission on its profile in each
// as well: profiles are those ARNs.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrail-profiles-permissions.html
func (s *Service) AddGuardrail(region, id, version string, profiles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guardrails[guardrail{region, id, version}] = slices.Clone(profiles)
}

// guard checks that the caller may apply the guardrail, and that it exists.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions.html
func (s *Service) guard(c cloud.Caller, g guardrailConfig) error {
	own := cloud.ARN("bedrock", c.Region, "guardrail/")
	id := strings.TrimPrefix(g.Identifier, own)
	s.mu.Lock()
	profiles, known := s.guardrails[guardrail{c.Region, id, g.Version}]
	s.mu.Unlock()
	for _, arn := range append([]string{own + id}, profiles...) {
		if err := s.cfg.IAM.Authorize(c, "bedrock:ApplyGuardrail", arn, keys(c.Region, "")); err != nil {
			return err
		}
	}
	if !known {
		return invalid("The guardrail identifier or version provided in the request does not exist.")
	}
	return nil
}

// validateGuardrail refuses what is missing, and what the stand-in does not do.
// Only a stream is checked in some mode.
func validateGuardrail(g *guardrailConfig, stream bool) error {
	switch {
	case g == nil:
		return nil
	case g.Identifier == "" || g.Version == "":
		return invalid("guardrailConfig needs guardrailIdentifier and guardrailVersion.")
	case g.Mode != "" && !stream:
		return invalid("Malformed input request: guardrailConfig.streamProcessingMode belongs to a stream, please reformat your input and try again.")
	case g.Mode != "" && g.Mode != "sync":
		return unsupported(fmt.Sprintf("guardrailConfig.streamProcessingMode %q", g.Mode))
	case g.Trace != "" && g.Trace != "disabled":
		return unsupported(fmt.Sprintf("guardrailConfig.trace %q", g.Trace))
	default:
		return nil
	}
}

// intervenes reports whether the request's guardrail blocks it.
func (r converseRequest) intervenes() bool {
	return r.GuardrailConfig != nil && strings.Contains(message{Content: r.question()}.text(), BlockedPhrase)
}

// blocked is the answer in place of the model's, which was not asked.
func blocked() answer {
	return answer{parts: []part{{kind: "text", tokens: tokenize(blockedMessage)}}, stopReason: "guardrail_intervened"}
}
