package up_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/docs/signing"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signerTenant is the tenant of the role that [up.Start] lets in.
const signerTenant = "123456789012-role-local-caller"

// signer signs with credentials for regions, as docs/iam-signing.md shows, and
// sends to the names of the cloud.
func signer(r *up.Running, c iam.Credentials, regions ...string) *signing.Transport {
	return &signing.Transport{Credentials: provider(c), Regions: regions, Next: resolving(r)}
}

func provider(c iam.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
}

// alter is a transport that changes requests after they were signed.
type alter struct {
	next http.RoundTripper
	how  func(*http.Request)
}

func (a alter) RoundTrip(r *http.Request) (*http.Response, error) {
	a.how(r)
	return a.next.RoundTrip(r)
}

// signed is the official SDK, which knows nothing of signatures.
func signed(r *up.Running, base string, t http.RoundTripper) openai.Client {
	return client(r, option.WithBaseURL(base), option.WithHTTPClient(&http.Client{Transport: t}))
}

// newRole makes a role that has a policy, or none if it is empty, and returns
// credentials of a session.
func newRole(t *testing.T, r *up.Running, name, policy string) iam.Credentials {
	t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`
	role, err := r.Account.Create(t.Context(), "aws:iam/role:Role", r.From, name, map[string]any{"name": name, "assumeRolePolicy": trust})
	require.NoError(t, err)
	if policy != "" {
		_, err = r.Account.Create(t.Context(), policyToken, r.From, name, map[string]any{"role": name, "policy": policy})
		require.NoError(t, err)
	}
	c, err := r.Account.IAM.Issue(role.Outputs["arn"].(string), r.From, "run")
	require.NoError(t, err)
	return c
}

// TestSignatures is mode iam: what has to be signed, and for where.
func TestSignatures(t *testing.T) {
	r := admitting(t, map[string]any{"mode": "iam"})
	require.NotNil(t, r.Signer)
	assert.Empty(t, r.APIKey, "nobody has a key")
	shared := "http://" + r.Domain + "/v1"
	regional := func(region string) string { return "http://" + region + "." + r.Domain + "/v1" }
	here, away := r.From, r.RegionNames[1]
	require.NotEqual(t, here, away)
	wrong := *r.Signer
	wrong.SecretAccessKey = "another"
	powerless := newRole(t, r, "powerless", "")
	tests := []struct {
		name      string
		base      string
		transport http.RoundTripper
		status    int
		code      string
	}{
		{"SigV4 for a region, by its own name", regional(here), signer(r, *r.Signer, here), 200, ""},
		{"SigV4 for another region, by its own name", regional(away), signer(r, *r.Signer, away), 200, ""},
		{"SigV4a for all regions, by the shared name", shared, signer(r, *r.Signer, r.RegionNames...), 200, ""},
		{"SigV4a for any region, by the shared name", shared, signer(r, *r.Signer, "*"), 200, ""},
		{"SigV4a for all regions, by a region's name", regional(away), signer(r, *r.Signer, r.RegionNames...), 200, ""},
		{"SigV4 by the shared name, which leads to another region", shared, signer(r, *r.Signer, away), 401, "invalid_signature"},
		{"SigV4a whose set lacks the region that answers", shared, signer(r, *r.Signer, r.RegionNames[1:]...), 401, "invalid_signature"},
		{"SigV4 for one region, sent to another", regional(away), signer(r, *r.Signer, here), 401, "invalid_signature"},
		{"a wrong secret", regional(here), signer(r, wrong, here), 401, "invalid_signature"},
		{"a wrong secret, for all regions", shared, signer(r, wrong, "*"), 401, "invalid_signature"},
		{"a signer that may not call the API", regional(here), signer(r, powerless, here), 403, "access_denied"},
		{"no signature", shared, resolving(r), 403, "unsigned_or_unknown_url"},
		{"an API key", shared, alter{resolving(r), func(q *http.Request) { q.Header.Set("Authorization", "Bearer cr_x") }}, 401, "invalid_signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := list(t, &http.Client{Transport: tt.transport}, tt.base, "")
			assert.Equal(t, tt.status, got.status, got.body)
			assert.Contains(t, got.body, tt.code)
			assert.Empty(t, got.header.Get("Retry-After"))
		})
	}
	t.Run("a body that was changed on the way", func(t *testing.T) {
		s := signer(r, *r.Signer, "*")
		s.Next = alter{s.Next, func(q *http.Request) {
			body, err := io.ReadAll(q.Body)
			require.NoError(t, err)
			q.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte("hello"), []byte("hullo"), 1)))
		}}
		c := signed(r, shared, s)
		_, err := c.Chat.Completions.New(t.Context(), ask("hello"))
		var refused *openai.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, 401, refused.StatusCode)
	})
	t.Run("the SDK by the shared name, whichever region answers", func(t *testing.T) {
		c := signed(r, shared, signer(r, *r.Signer, r.RegionNames...))
		got, err := c.Chat.Completions.New(t.Context(), ask("Please say 5 words."))
		require.NoError(t, err)
		assert.Contains(t, got.Choices[0].Message.Content, "Please say 5 words.")
		assert.NotEmpty(t, streamed(t, c, ask("Please say 5 words.")).Choices[0].Message.Content)
	})
	reports := newRole(t, r, "reports", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:123456789012:*/live/*"}]}`)
	t.Run("two roles are two tenants", func(t *testing.T) {
		stranger(t, signed(r, shared, signer(r, *r.Signer, "*")), signed(r, shared, signer(r, reports, "*")))
	})
	t.Run("a tenant over its budget", func(t *testing.T) {
		overBudget(t, r, "123456789012-role-reports", signed(r, shared, signer(r, reports, "*")))
	})
	t.Run("what is printed works when pasted", func(t *testing.T) {
		pasted(t, r)
		fields := printedFields(t, r)
		assert.NotContains(t, fields, "apiKey")
		assert.Equal(t, map[string]any{
			"accessKeyId": r.Signer.AccessKeyID, "secretAccessKey": r.Signer.SecretAccessKey, "sessionToken": r.Signer.SessionToken,
		}, fields["credentials"])
		assert.Equal(t, "https://"+here+"."+r.Domain, fields["names"].(map[string]any)[here])
	})
	t.Run("health needs no signature", func(t *testing.T) { assert.Equal(t, 200, status(t, r.Endpoint+"/healthz")) })
	t.Run("who calls is the owner of what it wrote", func(t *testing.T) { owned(t, r, signerTenant) })
	quiet(t, r, slices.Concat(secretsOf(*r.Signer), secretsOf(wrong), secretsOf(reports), []string{signerTenant, "role-reports"})...)
}

func secretsOf(c iam.Credentials) []string {
	return []string{c.SecretAccessKey, c.SessionToken, c.AccessKeyID}
}

// owned expects that use is recorded as the tenant's.
func owned(t *testing.T, r *up.Running, tenant string) {
	t.Helper()
	found, err := drain(t, r, r.From).Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String(r.ControlTable), KeyConditionExpression: aws.String(contract.PartitionKey + " = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p": &types.AttributeValueMemberS{Value: contract.UsagePartition(tenant)},
		},
	})
	require.NoError(t, err)
	assert.NotEmpty(t, found.Items)
}
