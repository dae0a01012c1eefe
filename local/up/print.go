package up

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// print tells where to call, and with what.
func (r *Running) print(w io.Writer, took time.Duration, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r.fields())
	}
	curl, err := r.curl()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nStack %s is up: %d resources in %.1f s.\n\n", r.Stack, r.Resources, took.Seconds())
	for _, warning := range r.warnings {
		fmt.Fprintf(&b, "  warning: %s\n\n", warning)
	}
	fmt.Fprintf(&b, "  %-15s %s   as clients near %s see %s\n", "front door", r.Endpoint, r.From, r.name())
	for _, region := range slices.Sorted(maps.Keys(r.Regions)) {
		fmt.Fprintf(&b, "  %-15s %s\n", region, r.Regions[region])
	}
	fmt.Fprintf(&b, "  %-15s %s\n", "DNS", r.DNS)
	what, credential, hint := r.credential()
	fmt.Fprintf(&b, "  %-15s %s\n", what, credential)
	fmt.Fprintf(&b, "  %-15s %s\n\nTry it:\n\n%s\n\n", "models", strings.Join(r.Models, ", "), curl)
	fmt.Fprintf(&b, "%s Ctrl-C stops everything.\n", hint)
	_, err = io.WriteString(w, b.String())
	return err
}

// fields are those of the JSON line. What the stack's mode of auth has no use for
// is missing.
func (r *Running) fields() map[string]any {
	fields := map[string]any{"endpoint": r.Endpoint, "regions": r.Regions, "dns": r.DNS, "stack": r.Stack}
	switch {
	case r.Signer != nil:
		fields["names"] = r.names
		fields["credentials"] = map[string]string{
			"accessKeyId": r.Signer.AccessKeyID, "secretAccessKey": r.Signer.SecretAccessKey, "sessionToken": r.Signer.SessionToken,
		}
	case r.Tokens != nil:
		fields["tokens"] = r.Tokens
	default:
		fields["apiKey"] = r.APIKey
	}
	return fields
}

// name is what clients of the front door call.
func (r *Running) name() string {
	if r.Domain == "" {
		return "the stack (it has no domain: home region only)"
	}
	return r.Domain
}

// credential says what a caller proves itself with, and how an SDK uses it.
func (r *Running) credential() (what, credential, hint string) {
	switch {
	case r.Signer != nil:
		return "signatures", "AWS credentials of role " + signerRole + ", as in the line below",
			"OpenAI SDKs cannot sign: see docs/iam-signing.md. A signature covers the name that is called, which the doors do not have."
	case r.Tokens != nil:
		return "tokens", fmt.Sprintf("of %s for %s, whose claim %s is the tenant", r.Tokens.Issuer, r.Tokens.Audience, r.Tokens.TenantClaim),
			"OpenAI SDKs: base URL " + r.Endpoint + "/v1 and such a token as API key."
	default:
		return "API key", r.APIKey, "OpenAI SDKs: base URL " + r.Endpoint + "/v1 and the key above."
	}
}

// curl is a command that works when pasted into a shell, where tokens are taken
// once TOKEN holds one.
func (r *Running) curl() (string, error) {
	options, base, err := r.proof()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`curl -N %s/v1/chat/completions %s -H 'Content-Type: application/json' `+
		`-d '{"model": %q, "stream": true, "messages": [{"role": "user", "content": "Please say 40 words."}]}'`,
		base, options, r.Models[0]), nil
}

// proof is what makes curl prove who calls, and where it has to call for that.
func (r *Running) proof() (options, base string, err error) {
	switch {
	case r.Signer != nil:
		return r.signing(r.RegionNames[0])
	case r.Tokens != nil:
		return `-H "Authorization: Bearer $TOKEN"`, r.Endpoint, nil
	default:
		return "-H 'Authorization: Bearer " + r.APIKey + "'", r.Endpoint, nil
	}
}
