package iam_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrock "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// verified is what a server learned from the last signed request.
type verified struct {
	caller  cloud.Caller
	service string
	path    string
	err     error
}

// serve answers every request with an empty object once it is verified.
func serve(t *testing.T, s *iam.Service) (string, <-chan verified) {
	t.Helper()
	seen := make(chan verified, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			seen <- verified{err: err}
			return
		}
		c, service, err := s.Verify(r, body)
		w.Header().Set("Content-Type", "application/json")
		_, writeErr := io.WriteString(w, "{}")
		assert.NoError(t, writeErr)
		seen <- verified{c, service, r.URL.EscapedPath(), err}
	}))
	t.Cleanup(server.Close)
	return server.URL, seen
}

func config(t *testing.T, s *iam.Service, url string) aws.Config {
	t.Helper()
	c, err := s.Issue(createRole(t, s, "relay"), "eu-west-1", "run")
	require.NoError(t, err)
	return aws.Config{Region: "eu-north-1", BaseEndpoint: &url, Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
		})}
}

func TestVerifyUnderstandsTheBedrockClient(t *testing.T) {
	s := iam.New(cloud.RealClock(0))
	url, seen := serve(t, s)
	_, err := bedrockruntime.NewFromConfig(config(t, s, url)).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("arn:aws:bedrock:eu-north-1:123456789012:application-inference-profile/abc"),
		Messages: []bedrock.Message{{Role: bedrock.ConversationRoleUser,
			Content: []bedrock.ContentBlock{&bedrock.ContentBlockMemberText{Value: "hello"}}}},
	})
	require.NoError(t, err)
	got := <-seen
	require.NoError(t, got.err)
	assert.Equal(t, "/model/arn%3Aaws%3Abedrock%3Aeu-north-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse", got.path)
	assert.Equal(t, "bedrock", got.service)
	assert.Equal(t, cloud.Caller{ARN: relay.ARN, Role: "relay", Home: "eu-west-1", Region: "eu-north-1"}, got.caller)
}

func TestVerifyUnderstandsTheDynamoDBClient(t *testing.T) {
	s := iam.New(cloud.RealClock(0))
	url, seen := serve(t, s)
	_, err := dynamodb.NewFromConfig(config(t, s, url)).ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
	require.NoError(t, err)
	got := <-seen
	require.NoError(t, got.err)
	assert.Equal(t, "dynamodb", got.service)
	assert.Equal(t, "eu-north-1", got.caller.Region)
}
