package signing_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/docs/signing"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheGuideShowsThisCode, as it is: what is shown is what is tested.
func TestTheGuideShowsThisCode(t *testing.T) {
	guide, err := os.ReadFile("../iam-signing.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(guide, -1)
	require.Len(t, blocks, 2)
	client, err := os.ReadFile("signing.go")
	require.NoError(t, err)
	assert.Equal(t, string(client), string(blocks[0][1]))
	example, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	indented := regexp.MustCompile("(?m)^(.)").ReplaceAllString(string(blocks[1][1]), "\t$1")
	assert.Contains(t, string(example), indented)
}

// sent is a transport that keeps what it is given.
type sent struct {
	*http.Request
	body []byte
}

func (s *sent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.Request = r
	var err error
	s.body, err = io.ReadAll(r.Body)
	return &http.Response{Body: http.NoBody}, err
}

func credentials(err error) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "secret", SessionToken: "token"}, err
	})
}

func request(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://llm.example.com/v1/responses", io.NopCloser(strings.NewReader(`{"a":1}`)))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer of-an-sdk")
	return r
}

func TestTransport(t *testing.T) {
	tests := []struct {
		name    string
		regions []string
		want    string // beginning of Authorization
		set     string // X-Amz-Region-Set
	}{
		{"one region", []string{"eu-west-1"}, "AWS4-HMAC-SHA256 Credential=AKIA1/", ""},
		{"several regions", []string{"eu-west-1", "eu-north-1"}, "AWS4-ECDSA-P256-SHA256 Credential=AKIA1/", "eu-west-1,eu-north-1"},
		{"all regions", []string{"*"}, "AWS4-ECDSA-P256-SHA256 Credential=AKIA1/", "*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var next sent
			r := request(t)
			_, err := (&signing.Transport{Credentials: credentials(nil), Regions: tt.regions, Next: &next}).RoundTrip(r)
			require.NoError(t, err)
			assert.Equal(t, "Bearer of-an-sdk", r.Header.Get("Authorization"), "the caller's request is left as it is")
			assert.True(t, strings.HasPrefix(next.Header.Get("Authorization"), tt.want), next.Header.Get("Authorization"))
			assert.Equal(t, tt.set, next.Header.Get("X-Amz-Region-Set"))
			assert.Equal(t, "token", next.Header.Get("X-Amz-Security-Token"))
			assert.True(t, bytes.Equal(next.body, []byte(`{"a":1}`)))
			assert.EqualValues(t, 7, next.ContentLength)
		})
	}
}

func TestTransportFails(t *testing.T) {
	expired := errors.New("the session is over")
	_, err := (&signing.Transport{Credentials: credentials(expired), Regions: []string{"*"}, Next: &sent{}}).RoundTrip(request(t))
	assert.ErrorIs(t, err, expired)
	_, err = (&signing.Transport{Credentials: credentials(nil), Next: &sent{}}).RoundTrip(request(t))
	assert.ErrorContains(t, err, "no region")
}
