package awsenv_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/awsenv"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lambdaEnv is what Lambda sets, and extra pairs of names and values.
func lambdaEnv(extra ...string) func(string) string {
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
	}
	for i := 0; i < len(extra); i += 2 {
		env[extra[i]] = extra[i+1]
	}
	return func(name string) string { return env[name] }
}

func TestConfigHasLambdasRegionAndCredentials(t *testing.T) {
	cfg, err := awsenv.Config(lambdaEnv())
	require.NoError(t, err)
	assert.Equal(t, "eu-west-1", cfg.Region)
	assert.Nil(t, cfg.BaseEndpoint)
	c, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"AKIDEXAMPLE", "secret", "token"}, []string{c.AccessKeyID, c.SecretAccessKey, c.SessionToken})
}

func TestConfigNamesEverythingThatIsMissing(t *testing.T) {
	_, err := awsenv.Config(func(string) string { return "" })
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		assert.ErrorContains(t, err, name)
	}
}

func TestEndpointsMove(t *testing.T) {
	const all, own = "http://127.0.0.1:1", "http://127.0.0.1:2"
	tests := []struct {
		name            string
		env             []string
		bedrock, dynamo string
	}{
		{"every service with AWS_ENDPOINT_URL", []string{"AWS_ENDPOINT_URL", all}, all, all},
		{"one service with its own variable", []string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", own}, own, ""},
		{"one service apart from the others", []string{"AWS_ENDPOINT_URL", all, "AWS_ENDPOINT_URL_DYNAMODB", own}, all, own},
		{"no service without a variable", nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := awsenv.Config(lambdaEnv(tt.env...))
			require.NoError(t, err)
			assert.Equal(t, tt.bedrock, deref(bedrockruntime.NewFromConfig(cfg).Options().BaseEndpoint))
			assert.Equal(t, tt.dynamo, deref(dynamodb.NewFromConfig(cfg).Options().BaseEndpoint))
		})
	}
}

func TestClientFollowsNoRedirect(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/elsewhere", http.StatusFound))
	defer server.Close()
	cfg, err := awsenv.Config(lambdaEnv())
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("signed"))
	require.NoError(t, err)
	resp, err := cfg.HTTPClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusFound, resp.StatusCode)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
