package up_test

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	stand "github.com/crossregion/crossregion/local/dynamodb"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authorizerCache is how long API Gateway keeps an authorizer's answer, in the
// cloud's time.
const authorizerCache = 5 * time.Minute

// admitting deploys the stack of eu with a mode of auth and access logs, until
// the end of the test.
func admitting(t *testing.T, mode map[string]any) *up.Running {
	t.Helper()
	r, err := up.Start(t.Context(), up.Options{Root: "../..", Stack: "eu", Listen: "127.0.0.1:0", Settings: map[string]any{
		"auth": mode, "logs": map[string]any{"access": true, "ownsAccountRole": true},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

// limit sets the tokens that a tenant may use in a minute, with one share for
// each region.
func limit(t *testing.T, r *up.Running, tenant string, tokens int64) {
	t.Helper()
	table := auth.NewTable(drain(t, r, r.From), r.ControlTable)
	require.NoError(t, auth.PutTenant(t.Context(), table, auth.Tenant{Name: tenant, Limits: auth.Limits{TokensPerMinute: tokens}}))
}

// mint makes an API key in the region that clients are near to.
func mint(t *testing.T, r *up.Running, g auth.Grant) string {
	t.Helper()
	key, err := auth.Mint(t.Context(), auth.NewTable(drain(t, r, r.From), r.ControlTable), rand.Reader, g)
	require.NoError(t, err)
	return key
}

// keyID is the part of a key that names it.
func keyID(key string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(key, "cr_"), ".")
	return id
}

// answer is what a client without an SDK gets.
type answer struct {
	status int
	header http.Header
	body   string
}

// list asks for the models with a client and an Authorization header.
func list(t *testing.T, web *http.Client, base, credential string) answer {
	t.Helper()
	return send(t, web, http.MethodGet, base+"/models", "", credential)
}

func send(t *testing.T, web *http.Client, method, url, body, credential string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if credential != "" {
		req.Header.Set("Authorization", credential)
	}
	resp, err := web.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(got)}
}

// resolving is a transport that finds the cloud's names as a client's resolver
// would, so that requests bear the name that they are for.
func resolving(r *up.Running) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		found, err := r.Account.Resolve(ctx, host)
		if err != nil {
			return nil, err
		}
		return r.Account.DialContext(ctx, network, net.JoinHostPort(found[0], port))
	}}
}

// TestAPIKeys is mode apiKey: what opens the door, and what does not.
func TestAPIKeys(t *testing.T) {
	r := admitting(t, map[string]any{"mode": "apiKey"})
	base, web := near(r), http.DefaultClient
	expired := mint(t, r, auth.Grant{Tenant: "acme", Expires: time.Now().Add(-time.Second)})
	narrow := mint(t, r, auth.Grant{Tenant: "acme", Models: []string{"nova-pro"}})
	unknown := "cr_" + strings.Repeat("a", 16) + "." + strings.Repeat("a", 43)
	wrongSecret := narrow[:len(narrow)-43] + strings.Repeat("a", 43)
	tests := []struct {
		name, credential string
		status           int
		code             string
	}{
		{"a key", "Bearer " + r.APIKey, 200, ""},
		{"a key after a scheme in other letters", "BEARER " + r.APIKey, 200, ""},
		{"no key", "", 401, "invalid_api_key"},
		{"an OpenAI key", "Bearer sk-1234", 401, "invalid_api_key"},
		{"a key in another scheme", "Basic " + r.APIKey, 401, "invalid_api_key"},
		{"an unknown key", "Bearer " + unknown, 401, "invalid_api_key"},
		{"a key with another's secret", "Bearer " + wrongSecret, 401, "invalid_api_key"},
		{"an expired key", "Bearer " + expired, 401, "invalid_api_key"},
		{"a key for some models lists those", "Bearer " + narrow, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := list(t, web, base, tt.credential)
			assert.Equal(t, tt.status, got.status, got.body)
			assert.Contains(t, got.body, tt.code)
			if tt.status != 200 {
				assert.Contains(t, got.body, "Authorization: Bearer", "it says what to send")
				assert.Empty(t, got.header.Get("Retry-After"), "a retry would not help")
			}
		})
	}
	t.Run("a model that a key does not open does not exist for it", func(t *testing.T) {
		chat := `{"model":"claude-sonnet","messages":[{"role":"user","content":"hello"}]}`
		got := send(t, web, http.MethodPost, base+"/chat/completions", chat, "Bearer "+narrow)
		assert.Equal(t, 404, got.status, got.body)
		assert.Contains(t, got.body, "model_not_found")
		assert.NotContains(t, list(t, web, base, "Bearer "+narrow).body, "claude-sonnet")
	})
	t.Run("an unknown URL and an unknown method", func(t *testing.T) {
		for method, url := range map[string]string{http.MethodGet: base + "/moddels", http.MethodDelete: base + "/models"} {
			got := send(t, web, method, url, "", "Bearer "+r.APIKey)
			assert.Equal(t, 404, got.status)
			assert.Contains(t, got.body, "unknown_url")
		}
	})
	t.Run("a body over the limit of Lambda", func(t *testing.T) {
		got := send(t, web, http.MethodPost, base+"/responses", `"`+strings.Repeat("x", 7<<20)+`"`, "Bearer "+r.APIKey)
		assert.Equal(t, 413, got.status)
		assert.Contains(t, got.body, "request_too_large")
		assert.Empty(t, got.header.Get("Retry-After"))
	})
	t.Run("a tenant over its budget", func(t *testing.T) { overBudget(t, r, "umbrella", keyed(r, mint(t, r, auth.Grant{Tenant: "umbrella"}))) })
	t.Run("no replica answers", func(t *testing.T) { nobodyKnows(t, r, mint(t, r, auth.Grant{Tenant: "acme"})) })
	t.Run("a key that is revoked", func(t *testing.T) { revoked(t, r, mint(t, r, auth.Grant{Tenant: "acme"})) })
	quiet(t, r, r.APIKey, expired, narrow, unknown, wrongSecret, "acme", "umbrella")
}

// near is where the API of the region is that clients are near to: on a busy
// machine the front door may be sent elsewhere.
func near(r *up.Running) string { return r.Regions[r.From] + "/v1" }

// keyed is the SDK with an API key or a token, in the region that it is near to.
func keyed(r *up.Running, credential string) openai.Client {
	return client(r, option.WithAPIKey(credential), option.WithBaseURL(near(r)))
}

// overBudget expects a tenant's second request in a minute to be refused once
// the first has used up what it may, in the region that both reach.
func overBudget(t *testing.T, r *up.Running, tenant string, c openai.Client) {
	limit(t, r, tenant, 3)
	var refused *openai.Error
	for i := range 3 { // a minute may end in between
		_, err := c.Chat.Completions.New(t.Context(), ask("Please say 1 word."))
		if i == 0 {
			require.NoError(t, err)
		}
		if err != nil {
			require.ErrorAs(t, err, &refused)
			break
		}
	}
	require.NotNil(t, refused, "three requests within two minutes")
	assert.Equal(t, 429, refused.StatusCode)
	assert.Equal(t, "token_budget_exceeded", refused.Code)
	assert.NotEmpty(t, refused.Response.Header.Get("Retry-After"))
}

// nobodyKnows expects 503 for a key that no replica can be asked about: neither
// access, nor an answer that would have the key thrown away.
func nobodyKnows(t *testing.T, r *up.Running, key string) {
	for _, region := range r.RegionNames {
		r.Account.DynamoDB.SetFault(region, &stand.Fault{Code: "ResourceNotFoundException"})
		defer r.Account.DynamoDB.SetFault(region, nil)
	}
	asked := len(r.Account.Bedrock.Calls())
	c, known := keyed(r, key), keyed(r, r.APIKey)
	_, err := c.Chat.Completions.New(t.Context(), ask("hello"))
	var refused *openai.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 503, refused.StatusCode)
	assert.Equal(t, "authorizer_unavailable", refused.Code)
	assert.NotEmpty(t, refused.Response.Header.Get("Retry-After"))
	assert.Len(t, r.Account.Bedrock.Calls(), asked)
	// A key that API Gateway remembers is served, uncounted.
	_, err = known.Chat.Completions.New(t.Context(), ask("hello"))
	require.NoError(t, err)
}

// revoked expects a key that API Gateway remembers to be refused once it has
// forgotten it, and one that it does not remember at once.
func revoked(t *testing.T, r *up.Running, key string) {
	status := func(key string) int { return list(t, http.DefaultClient, near(r), "Bearer "+key).status }
	fresh := mint(t, r, auth.Grant{Tenant: "acme"})
	require.Equal(t, 200, status(key))
	for _, k := range []string{key, fresh} {
		require.NoError(t, auth.Revoke(t.Context(), auth.NewTable(drain(t, r, r.From), r.ControlTable), keyID(k)))
	}
	assert.Equal(t, 401, status(fresh))
	assert.Equal(t, 200, status(key), "its answer is remembered")
	r.Account.Skip(authorizerCache)
	assert.Equal(t, 401, status(key))
}

// stranger expects that a tenant's response does not exist for another.
func stranger(t *testing.T, mine, other openai.Client) {
	t.Helper()
	got, err := mine.Responses.New(t.Context(), responses.ResponseNewParams{
		Model: "claude-sonnet", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hello")},
	}, patient)
	require.NoError(t, err)
	_, err = mine.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{}, patient)
	require.NoError(t, err)
	_, err = other.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{}, patient)
	var missing *openai.Error
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, 404, missing.StatusCode)
}

// quiet expects that no log of the stack holds any of the secrets, of an API key
// the part that proves it, and that no right was missing.
func quiet(t *testing.T, r *up.Running, secrets ...string) {
	t.Helper()
	var all strings.Builder
	groups := r.Account.Lambda.LogGroups()
	for _, group := range groups {
		all.WriteString(strings.Join(r.Account.Lambda.Logs(group), "\n") + "\n")
	}
	logs := all.String()
	require.Contains(t, logs, contract.OpListModels, "requests were logged")
	require.Contains(t, logs, `"requestId"`)
	for _, secret := range secrets {
		if _, proof, ok := strings.Cut(secret, "."); ok && strings.HasPrefix(secret, "cr_") {
			secret = proof
		}
		assert.NotContains(t, logs, secret)
	}
	assert.NotRegexp(t, denied, logs)
}
