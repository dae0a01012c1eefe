package iam_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const body = `{"a":1}`

// signing is one request to sign; the zero value of a field is a sane default.
type signing struct {
	method, url, service, region string
	at                           time.Time
	headers                      http.Header
}

// sign returns a request as it reaches a server.
func sign(t *testing.T, c iam.Credentials, in signing) *http.Request {
	t.Helper()
	set := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	set(&in.method, http.MethodPost)
	set(&in.url, "http://dynamodb.eu-west-1.amazonaws.com/")
	set(&in.service, "dynamodb")
	set(&in.region, "eu-west-1")
	if in.at.IsZero() {
		in.at = start
	}
	client, err := http.NewRequestWithContext(t.Context(), in.method, in.url, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range in.headers {
		client.Header[name] = values
	}
	sum := sha256.Sum256([]byte(body))
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = in.service == "s3" })
	require.NoError(t, signer.SignHTTP(t.Context(), aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
	}, client, hex.EncodeToString(sum[:]), in.service, in.region, in.at))
	// The signer sorts the query in place; a client may send it in any order.
	sent, err := url.Parse(in.url)
	require.NoError(t, err)
	server := httptest.NewRequestWithContext(t.Context(), in.method, sent.RequestURI(), strings.NewReader(body))
	server.Host, server.Header = client.Host, client.Header
	return server
}

// issued returns a service at [start] with a role "relay" and its credentials.
func issued(t *testing.T) (*iam.Service, *cloud.ManualClock, iam.Credentials) {
	t.Helper()
	clock := cloud.NewManualClock(start)
	s := iam.New(clock)
	c, err := s.Issue(createRole(t, s, "relay"), "eu-central-1", "run@1")
	require.NoError(t, err)
	return s, clock, c
}

func TestVerifyNamesTheCaller(t *testing.T) {
	s, _, role := issued(t)
	tests := []struct {
		name        string
		credentials iam.Credentials
		want        cloud.Caller
	}{
		{"a session of a role", role, cloud.Caller{
			ARN: "arn:aws:sts::123456789012:assumed-role/relay/run@1", Role: "relay", Home: "eu-central-1", Region: "us-west-2"}},
		{"the operator", s.Operator(), cloud.Caller{ARN: "arn:aws:iam::123456789012:user/operator", Region: "us-west-2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			caller, service, err := s.Verify(sign(t, tt.credentials, signing{region: "us-west-2", service: "lambda"}), []byte(body))
			require.NoError(t, err)
			assert.Equal(t, tt.want, caller)
			assert.Equal(t, "lambda", service)
		})
	}
}

func TestVerifyReadsWhatTheSignerWrites(t *testing.T) {
	s, _, c := issued(t)
	const host = "http://h.amazonaws.com"
	tests := []struct {
		name string
		in   signing
	}{
		{"no path", signing{url: host}},
		{"an escaped ARN in the path", signing{service: "bedrock",
			url: host + "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse-stream"}},
		{"a bare colon in the path", signing{url: host + "/model/m:0/converse"}},
		{"a space, a plus and more than ASCII in the path", signing{url: host + "/a%20b/c+d/%C3%A9~_-./"}},
		{"a slash at the end", signing{url: host + "/a/b/"}},
		{"S3's single escape", signing{service: "s3", url: host + "/a%20b//c/../d"}},
		{"a query out of order", signing{url: host + "/?b=2&a=3&a=1&a-b=4&A=5"}},
		{"a query with signs to escape", signing{url: host + "/?k=a%2Fb%20c%3D&empty&star=%2A&tilde=~"}},
		{"a method without much", signing{method: http.MethodDelete, url: host + "/x"}},
		{"a port in the host", signing{url: "http://127.0.0.1:8443/"}},
		{"headers with many spaces and values", signing{headers: http.Header{
			"X-Amz-Target": {"  DynamoDB_20120810.GetItem  "}, "X-Custom": {" a   b ", "c"}, "Content-Type": {"application/json"}}}},
		{"a trace id that nobody signs", signing{headers: http.Header{"X-Amzn-Trace-Id": {"Root=1"}}}},
		{"exactly five minutes late", signing{at: start.Add(-5 * time.Minute)}},
		{"exactly five minutes early", signing{at: start.Add(5 * time.Minute)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := s.Verify(sign(t, c, tt.in), []byte(body))
			require.NoError(t, err)
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	replace := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			a := r.Header.Get("Authorization")
			r.Header.Set("Authorization", strings.Replace(a, old, new, 1))
		}
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	remove := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Del(name) }
	}
	tests := []struct {
		name   string
		in     signing
		change func(*http.Request)
		code   string
		status int
	}{
		{"no signature", signing{}, remove("Authorization"), "MissingAuthenticationTokenException", 403},
		{"two signatures", signing{}, func(r *http.Request) { r.Header.Add("Authorization", "x") }, "MissingAuthenticationTokenException", 403},
		{"another scheme", signing{}, set("Authorization", "Bearer x"), "IncompleteSignatureException", 400},
		{"another algorithm", signing{}, replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "IncompleteSignatureException", 400},
		{"no credential", signing{}, replace("Credential=", "X="), "IncompleteSignatureException", 400},
		{"no signed headers", signing{}, replace("SignedHeaders=", "X="), "IncompleteSignatureException", 400},
		{"an empty signature", signing{}, set("Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature="), "IncompleteSignatureException", 400},
		{"a short scope", signing{}, replace("/aws4_request", ""), "IncompleteSignatureException", 400},
		{"another terminator", signing{}, replace("aws4_request", "aws5_request"), "InvalidSignatureException", 403},
		{"another day in the scope", signing{}, replace("/20260822/", "/20260821/"), "InvalidSignatureException", 403},
		{"a part of the day in the scope", signing{}, replace("/20260822/", "/2026/"), "InvalidSignatureException", 403},
		{"an unknown region", signing{region: "eu-nowhere-1"}, nil, "InvalidSignatureException", 403},
		{"a region that was not signed", signing{}, replace("/eu-west-1/", "/us-east-1/"), "InvalidSignatureException", 403},
		{"a service that was not signed", signing{}, replace("/dynamodb/", "/bedrock/"), "InvalidSignatureException", 403},
		{"no service", signing{}, replace("/dynamodb/", "//"), "InvalidSignatureException", 403},
		{"no date", signing{}, remove("X-Amz-Date"), "IncompleteSignatureException", 400},
		{"a date that is none", signing{}, set("X-Amz-Date", "yesterday"), "IncompleteSignatureException", 400},
		{"a date that was not signed", signing{}, set("X-Amz-Date", "20260822T120001Z"), "InvalidSignatureException", 403},
		{"a second more than five minutes late", signing{at: start.Add(-5*time.Minute - time.Second)}, nil, "InvalidSignatureException", 403},
		{"a second more than five minutes early", signing{at: start.Add(5*time.Minute + time.Second)}, nil, "InvalidSignatureException", 403},
		{"an unsigned host", signing{}, replace("host;", ""), "InvalidSignatureException", 403},
		{"an unsigned header of AWS", signing{}, set("X-Amz-Target", "DynamoDB_20120810.GetItem"), "InvalidSignatureException", 403},
		{"another host", signing{}, func(r *http.Request) { r.Host = "elsewhere" }, "InvalidSignatureException", 403},
		{"another method", signing{}, func(r *http.Request) { r.Method = http.MethodPut }, "InvalidSignatureException", 403},
		{"another path", signing{}, func(r *http.Request) { r.URL.Path = "/x" }, "InvalidSignatureException", 403},
		{"another query", signing{}, func(r *http.Request) { r.URL.RawQuery = "x=1" }, "InvalidSignatureException", 403},
		{"a query with a broken escape", signing{}, func(r *http.Request) { r.URL.RawQuery = "x=%zz" }, "InvalidSignatureException", 403},
		{"another length", signing{}, set("Content-Length", "9"), "InvalidSignatureException", 403},
		{"another header", signing{headers: http.Header{"Content-Type": {"a"}}}, set("Content-Type", "b"), "InvalidSignatureException", 403},
		{"a path that AWS would clean up", signing{url: "http://h/a//b"}, nil, "InvalidSignatureException", 403},
		{"an unknown key", signing{}, replace("Credential=", "Credential=X"), "UnrecognizedClientException", 403},
		{"no session token", signing{}, remove("X-Amz-Security-Token"), "UnrecognizedClientException", 403},
		{"another session token", signing{}, set("X-Amz-Security-Token", "x"), "UnrecognizedClientException", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, c := issued(t)
			r := sign(t, c, tt.in)
			if tt.change != nil {
				tt.change(r)
			}
			caller, service, err := s.Verify(r, []byte(body))
			requireCode(t, err, tt.code, tt.status)
			assert.Zero(t, caller)
			assert.Empty(t, service)
		})
	}
}

func TestVerifyRefusesAnotherBody(t *testing.T) {
	s, _, c := issued(t)
	_, _, err := s.Verify(sign(t, c, signing{}), []byte(`{"a":2}`))
	requireCode(t, err, "InvalidSignatureException", 403)
}

func TestVerifyRefusesAnUnsignedBody(t *testing.T) {
	s, _, c := issued(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
	}, r, "UNSIGNED-PAYLOAD", "dynamodb", "eu-west-1", start))
	_, _, err := s.Verify(r, []byte(body))
	requireCode(t, err, "InvalidSignatureException", 403)
}

func TestVerifyRefusesAnotherSecret(t *testing.T) {
	s, _, c := issued(t)
	c.SecretAccessKey = s.Operator().SecretAccessKey
	_, _, err := s.Verify(sign(t, c, signing{}), []byte(body))
	requireCode(t, err, "InvalidSignatureException", 403)
}

func TestSessionsExpire(t *testing.T) {
	s, clock, c := issued(t)
	verify := func(c iam.Credentials) error {
		_, _, err := s.Verify(sign(t, c, signing{at: clock.Now()}), []byte(body))
		return err
	}
	clock.Advance(iam.SessionLifetime - time.Second)
	require.NoError(t, verify(c))
	clock.Advance(time.Second)
	requireCode(t, verify(c), "ExpiredTokenException", 403)
	require.NoError(t, verify(s.Operator()), "the operator's do not")

	clock.Advance(iam.SessionLifetime)
	_, err := s.Issue("arn:aws:iam::123456789012:role/relay", "eu-west-1", "run")
	require.NoError(t, err)
	requireCode(t, verify(c), "UnrecognizedClientException", 403)
	require.NoError(t, verify(s.Operator()))
}

func TestIssuedCredentialsAreNeverTheSame(t *testing.T) {
	s, _, a := issued(t)
	b, err := s.Issue("arn:aws:iam::123456789012:role/relay", "eu-central-1", "run@1")
	require.NoError(t, err)
	assert.Regexp(t, `^ASIA[A-Z2-7]{16}$`, a.AccessKeyID)
	assert.Regexp(t, `^[A-Z2-7]{40}$`, a.SecretAccessKey)
	assert.NotEqual(t, a.AccessKeyID, b.AccessKeyID)
	assert.NotEqual(t, a.SecretAccessKey, b.SecretAccessKey)
	assert.NotEqual(t, a.SessionToken, b.SessionToken)
	assert.Regexp(t, `^AKIA[A-Z2-7]{16}$`, s.Operator().AccessKeyID)
	assert.Empty(t, s.Operator().SessionToken)
	assert.Equal(t, s.Operator(), s.Operator())
	assert.NotEqual(t, s.Operator(), iam.New(cloud.NewManualClock(start)).Operator())
}

func TestIssueRefuses(t *testing.T) {
	const relayARN = "arn:aws:iam::123456789012:role/relay"
	tests := []struct {
		name, role, home, session, code string
		status                          int
	}{
		{"an unknown role", relayARN + "2", "eu-west-1", "run", "NoSuchEntity", 404},
		{"an unknown region", relayARN, "eu-nowhere-1", "run", "ValidationError", 400},
		{"a short session name", relayARN, "eu-west-1", "r", "ValidationError", 400},
		{"a long session name", relayARN, "eu-west-1", strings.Repeat("r", 65), "ValidationError", 400},
		{"a session name with a slash", relayARN, "eu-west-1", "r/r", "ValidationError", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, _ := issued(t)
			_, err := s.Issue(tt.role, tt.home, tt.session)
			requireCode(t, err, tt.code, tt.status)
		})
	}
}
