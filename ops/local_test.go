package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestALocalStackIsOperated from the beginning of a tenant to its end.
func TestALocalStackIsOperated(t *testing.T) {
	r, err := up.Start(t.Context(), up.Options{Root: "..", Stack: "eu", Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	t.Chdir(t.TempDir())
	remove, err := r.WriteState(".")
	require.NoError(t, err)
	ops := func(args ...string) string {
		t.Helper()
		out, err := runOps(t, "", append(args, "--local", "--json")...)
		require.NoError(t, err, args)
		return strings.TrimSpace(out)
	}

	var minted struct{ Key string }
	require.NoError(t, json.Unmarshal([]byte(ops("keys", "mint", "acme", "--models", "claude-sonnet")), &minted))
	assert.Regexp(t, "^"+contract.KeyPattern+"$", minted.Key)
	id := strings.TrimPrefix(strings.Split(minted.Key, ".")[0], "cr_")
	assert.JSONEq(t, `[{"id":"`+id+`","tenant":"acme","models":["claude-sonnet"],"revoked":false}]`, ops("keys", "list", "acme"))

	const limits = `{"name":"acme","tokensPerMinute":1000,"tokensPerDay":0,"shares":{"eu-west-1":60}}`
	assert.JSONEq(t, limits, ops("tenants", "set", "acme", "--tokens-per-minute", "1000", "--shares", "eu-west-1=60"))
	assert.JSONEq(t, limits, ops("tenants", "show", "acme"))
	assert.JSONEq(t, "["+limits+"]", ops("tenants", "list"))

	flagged := ops("drain", "eu-central-1")
	assert.JSONEq(t, `{"region":"eu-central-1","drained":true,"writtenIn":"eu-north-1"}`, flagged)
	assert.JSONEq(t, flagged, ops("drain", "eu-central-1"))
	seen := func() (in []string) {
		var all []drained
		require.NoError(t, json.Unmarshal([]byte(ops("drains")), &all))
		for _, d := range all {
			assert.Equal(t, "eu-central-1", d.Region)
			in = append(in, d.SeenIn...)
		}
		return in
	}
	assert.Contains(t, seen(), "eu-north-1", "where it was written")
	assert.JSONEq(t, `{"region":"eu-central-1","drained":false,"writtenIn":"eu-north-1"}`, ops("undrain", "eu-central-1"))
	assert.NotContains(t, seen(), "eu-north-1")

	ops("drain", "eu-central-1")
	ops("drain", "eu-north-1")
	s, err := openLocal("")
	require.NoError(t, err)
	require.Eventually(t, func() bool { last, _ := s.isLast(t.Context(), "eu-west-1"); return last }, time.Minute, 10*time.Millisecond, "the flags do not come to the others")
	_, err = runOps(t, "", "drain", "eu-west-1", "--local")
	assert.ErrorContains(t, err, "drain eu-west-1: all other regions are drained, and with none left DNS takes all of them for healthy: undrain another first")
	last, _ := s.isLast(t.Context(), "eu-north-1")
	assert.False(t, last)
	ops("undrain", "eu-central-1")
	ops("undrain", "eu-north-1")

	_, err = s.clients["eu-central-1"].GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(s.ConversationTable), Key: drainKey("eu-west-1"),
	})
	assert.ErrorContains(t, err, "AccessDenied", "operators read no conversation")

	owner := r.Account.IAM.Operator()
	content := dynamodb.New(dynamodb.Options{Region: "eu-central-1", BaseEndpoint: aws.String(r.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(owner.AccessKeyID, owner.SecretAccessKey, "")})
	said := func(tenant string) {
		_, err := content.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String(s.ConversationTable), Item: map[string]types.AttributeValue{
				contract.PartitionKey: &types.AttributeValueMemberS{Value: tenant + "#thread"},
				contract.SortKey:      &types.AttributeValueMemberS{Value: "turn"},
			}})
		require.NoError(t, err)
	}
	said("acme")
	said("acme2")
	used := func(tenant string) {
		_, err := content.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String(s.ControlTable), Item: map[string]types.AttributeValue{
				contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.UsagePartition(tenant)},
				contract.SortKey:      &types.AttributeValueMemberS{Value: contract.RecordSort("eu-central-1", "2026-11-26", "m")},
			}})
		require.NoError(t, err)
	}
	used("acme")
	used("acme2")
	records := func(tenant string) int {
		left, err := content.Query(t.Context(), &dynamodb.QueryInput{
			TableName: aws.String(s.ControlTable), KeyConditionExpression: aws.String("pk = :p"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: contract.UsagePartition(tenant)}},
		})
		require.NoError(t, err)
		return len(left.Items)
	}
	var got receipt
	require.NoError(t, json.Unmarshal([]byte(ops("erase", "acme", "--yes", "--wait", "1ms")), &got))
	assert.True(t, got.Complete)
	assert.Equal(t, 1, got.KeysRevoked)
	assert.Equal(t, got.At.AddDate(0, 0, 35), *got.Forgotten)
	home := got.Regions[0]
	assert.Equal(t, "eu-central-1", home.Region)
	assert.Equal(t, 1, home.First+home.Second)
	assert.Contains(t, strings.Join(got.NotCovered, "\n"), "--usage removes them")
	assert.Equal(t, 1, records("acme"), "they are kept")
	var all receipt
	require.NoError(t, json.Unmarshal([]byte(ops("erase", "acme", "--yes", "--usage", "--wait", "1ms")), &all))
	assert.True(t, all.Complete)
	assert.Positive(t, all.Regions[0].Usage)
	assert.NotContains(t, strings.Join(all.NotCovered, "\n"), "records of usage")
	assert.Zero(t, records("acme"))
	assert.Equal(t, 1, records("acme2"), "another tenant's")
	assert.Contains(t, ops("keys", "list", "acme"), `"revoked":true`)
	left, err := content.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(s.ConversationTable)})
	require.NoError(t, err)
	require.Len(t, left.Items, 1, "another tenant's")

	again, err := r.WriteState(".")
	require.NoError(t, err)
	files, err := filepath.Glob(localFiles)
	require.NoError(t, err)
	require.Len(t, files, 2, "each has its own")
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	require.NoError(t, remove())
	ops("drains", "--stack", "eu")
	require.NoError(t, again())
	_, err = runOps(t, "", "drains", "--local")
	assert.ErrorContains(t, err, "start go run ./local up")
}

// serve stands in for a stack that `local up` serves, as far as that can be
// found, started so many seconds after others. It has one control table.
func serve(t *testing.T, stack, table string, started int) (end func()) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", "MissingAuthenticationTokenException")
	}))
	t.Cleanup(server.Close)
	writeLocal(t, server.URL, stack, table, started)
	return server.Close
}

// writeLocal writes the file of a stack at an endpoint.
func writeLocal(t *testing.T, endpoint, stack, table string, started int) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"stack": stack, "endpoint": endpoint,
		"outputs": map[string]any{"controlTable": table, "conversationTable": "t", "regionalEndpoints": map[string]string{"eu-west-1": "https://a"}},
	})
	require.NoError(t, err)
	file := filepath.Join(filepath.Dir(localFiles), fmt.Sprintf("%s-%d.json", stack, started))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	at := time.Date(2026, 11, 26, 12, 0, started, 0, time.UTC)
	require.NoError(t, os.Chtimes(file, at, at))
}

// TestWhichLocalStack: several may be served from one folder, of which any may
// end first, or be killed and leave its file.
func TestWhichLocalStack(t *testing.T) {
	t.Chdir(t.TempDir())
	table := func(name string) string {
		t.Helper()
		s, err := openLocal(name)
		require.NoError(t, err)
		return s.ControlTable
	}
	serve(t, "eu", "first", 1)
	last := serve(t, "eu", "last", 2)
	assert.Equal(t, "last", table(""))
	last()
	assert.Equal(t, "first", table(""), "it is served yet")

	other := serve(t, "prod", "other", 3)
	_, err := openLocal("")
	assert.ErrorContains(t, err, "eu and prod are served from this folder: choose one with --stack")
	assert.ErrorIs(t, err, command.ErrUsage)
	assert.Equal(t, "first", table("eu"))
	assert.Equal(t, "other", table("prod"))
	other()
	assert.Equal(t, "first", table(""))
	_, err = openLocal("prod")
	assert.ErrorContains(t, err, "none called prod is served from this folder: start go run ./local up --stack prod here first")

	stranger := httptest.NewServer(http.NotFoundHandler())
	defer stranger.Close()
	writeLocal(t, stranger.URL, "prod", "killed", 4)
	assert.Equal(t, "first", table(""), "something else has the port of what was killed")
}

func TestALocalFileThatIsNone(t *testing.T) {
	t.Chdir(t.TempDir())
	serve(t, "eu", "", 1)
	_, err := openLocal("")
	assert.ErrorContains(t, err, "eu-1.json, which may be removed: controlTable, conversationTable or regionalEndpoints is missing")
	serve(t, "prod", "c", 2)
	for _, name := range []string{"", "prod"} {
		s, err := openLocal(name)
		require.NoError(t, err, "another is served")
		assert.Equal(t, "c", s.ControlTable)
	}
	_, err = openLocal("eu")
	assert.ErrorContains(t, err, "eu-1.json, which may be removed")
}

// TestNobodyAnswers: then it is not known whether a region is drained.
func TestNobodyAnswers(t *testing.T) {
	t.Chdir(t.TempDir())
	serve(t, "eu", "c", 1)
	s, err := openLocal("")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, asJSON := range []bool{true, false} {
		var out bytes.Buffer
		assert.ErrorContains(t, listDrains(ctx, &call{stack: s, Streams: Streams{Out: &out}, json: asJSON}), "read the flags in eu-west-1")
		assert.Empty(t, out.String())
	}
}

// TestSilenceIsBounded: a region that is down keeps an operator waiting for
// seconds.
func TestSilenceIsBounded(t *testing.T) {
	s := newStack(outputs{RegionalEndpoints: map[string]string{"eu-west-1": ""}}, aws.Config{})
	client, ok := s.clients["eu-west-1"].Options().HTTPClient.(*awshttp.BuildableClient)
	require.True(t, ok)
	assert.Equal(t, callTimeout, client.GetTimeout())
	assert.Equal(t, dialTimeout, client.GetDialer().Timeout)
	assert.Equal(t, attempts, s.clients["eu-west-1"].Options().RetryMaxAttempts)
}
