package up_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everything switches on all that settings can.
const everything = `
config:
  pulumi:disable-default-providers: [aws]
  crossregion:settings:
    account: "123456789012"
    jurisdiction: eu
    regions:
      - {name: eu-central-1, failover: [eu-west-1]}
      - {name: eu-west-1, failover: [eu-central-1]}
    models:
      - {name: nova-pro, profile: eu.amazon.nova-pro-v1:0}
    guardrail:
      eu-central-1: {id: gr1central, version: "1"}
      eu-west-1: {id: gr1west, version: "2"}
    domain: {name: eu.llm.example.com, zone: example.com, dualStack: true}
    frontDoor: {name: llm.example.org, zone: example.org, locations: [DE, FR], default: true, ownsValidation: true}
    conversations: {home: eu-west-1, recoveryPeriodInDays: 7}
    auth: {mode: apiKey}
    healthChecks: {intervalSeconds: 10, threshold: 2, regions: [eu-west-1, us-east-1, us-west-2]}
    throttle: {ratePerSecond: 50, burst: 60}
    failover: {firstContentSeconds: 10, idleSeconds: 30.5, holdSeconds: 10, keepAliveSeconds: 5, retries: 1, backoffSeconds: 0.25, breakerFailures: 5, breakerOpenSeconds: 5, hedgeDelaySeconds: 8, hedgeShare: 0.1, continueStreams: true}
    logs: {retentionDays: 7, access: true, ownsAccountRole: true}
    firewall: {requestsPerFiveMinutes: 1000}
    alarms: {emails: [ops@example.com]}
    tracing: true
    reservedConcurrency: 20
    protect: false
    deployers: ["arn:aws:iam::123456789012:user/operator"]
    tags: {team: platform}
`

// writeEverything returns the folder of a project whose stack "all" it is.
func writeEverything(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	project, err := os.ReadFile("../../Pulumi.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.yaml"), project, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.all.yaml"), []byte(everything), 0o600))
	return root
}

func startEverything(t *testing.T) *up.Running {
	t.Helper()
	r, err := up.Start(t.Context(), up.Options{Root: writeEverything(t), Stack: "all", Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func TestEverythingSwitchedOn(t *testing.T) {
	r := startEverything(t)
	c := client(r)
	request := ask("Please say 5 words.")
	request.Model = "nova-pro"
	got, err := c.Chat.Completions.New(t.Context(), request)
	require.NoError(t, err)
	assert.Contains(t, got.Choices[0].Message.Content, "Please say 5 words.")

	t.Run("a guardrail intervenes", func(t *testing.T) {
		request := ask("this is blocked by guardrail")
		request.Model = "nova-pro"
		got, err := c.Chat.Completions.New(t.Context(), request)
		require.NoError(t, err)
		assert.Equal(t, "content_filter", got.Choices[0].FinishReason)
	})
	t.Run("a prompt of a megabyte passes the firewall", func(t *testing.T) {
		request := ask(strings.Repeat("word ", 1<<20/5))
		request.Model = "nova-pro"
		_, err := c.Chat.Completions.New(t.Context(), request)
		require.NoError(t, err)
	})
	t.Run("the front door leads to the same API", func(t *testing.T) {
		addresses, err := r.Account.Resolve(t.Context(), "llm.example.org")
		require.NoError(t, err)
		require.NotEmpty(t, addresses)
		assert.Equal(t, http.StatusOK, get(t, r, addresses[0], "http://llm.example.org/healthz"))
	})
}

// TestEveryResourceThatTakesTagsHasThem: the component's from the program, all
// others from the provider.
func TestEveryResourceThatTakesTagsHasThem(t *testing.T) {
	var mu sync.Mutex
	tagged := map[string]bool{}
	_, err := startAltered(t, alteration{resource: func(r *registration) {
		tags, ok := r.inputs["tags"].(map[string]any)
		if !ok {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		tagged[r.token] = true
		for key, want := range map[string]string{"crossregion:stack": "all", "crossregion:jurisdiction": "eu", "team": "platform"} {
			assert.Equal(t, want, tags[key], "%s of %s", key, r.name)
		}
		assert.NotEmpty(t, tags["crossregion:component"], r.name)
	}}, up.Options{Root: writeEverything(t), Stack: "all"})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{
		"aws:acm/certificate:Certificate", "aws:apigateway/domainName:DomainName", "aws:apigateway/restApi:RestApi",
		"aws:apigateway/stage:Stage", "aws:bedrock/inferenceProfile:InferenceProfile", "aws:cloudwatch/logGroup:LogGroup",
		"aws:cloudwatch/metricAlarm:MetricAlarm", "aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica",
		"aws:iam/role:Role", "aws:kms/key:Key", "aws:lambda/function:Function", "aws:route53/healthCheck:HealthCheck",
		"aws:sns/topic:Topic", "aws:wafv2/webAcl:WebAcl",
	}, slices.Collect(maps.Keys(tagged)))
}

// get asks one address of the cloud for a URL, as a client that has resolved
// its name does.
func get(t *testing.T, r *up.Running, address, url string) int {
	t.Helper()
	web := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return r.Account.DialContext(ctx, network, net.JoinHostPort(address, "443"))
	}}}
	defer web.CloseIdleConnections()
	resp, err := web.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestAnOperatorDrainsARegion with one item, written in the other region.
func TestAnOperatorDrainsARegion(t *testing.T) {
	r := start(t, "eu")
	write := drain(t, r, "eu-north-1")
	key := map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.DrainPartition("eu-west-1")},
		contract.SortKey:      &types.AttributeValueMemberS{Value: contract.DrainSort},
	}
	table := aws.String(r.ControlTable)
	_, err := write.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: key})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return status(t, r.Regions["eu-west-1"]+"/healthz") == http.StatusServiceUnavailable },
		time.Minute, 20*time.Millisecond, "the flag has replicated and the region says that it is drained")
	assert.Equal(t, http.StatusOK, status(t, r.Regions["eu-central-1"]+"/healthz"), "another region is not")

	_, err = write.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: key})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return status(t, r.Regions["eu-west-1"]+"/healthz") == http.StatusOK },
		time.Minute, 20*time.Millisecond, "without the flag the region is back")
}

func drain(t *testing.T, r *up.Running, region string) *dynamodb.Client {
	t.Helper()
	operator := r.Account.IAM.Operator()
	return dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: aws.String(r.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(operator.AccessKeyID, operator.SecretAccessKey, operator.SessionToken),
	})
}

func status(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestNothingPersonalIsLogged is R7: what callers write, who they are and what
// opens the door for them stays out of every log.
func TestNothingPersonalIsLogged(t *testing.T) {
	r := startEverything(t)
	c := client(r)
	request := ask("my secret is marmalade")
	request.Model = "nova-pro"
	got, err := c.Chat.Completions.New(t.Context(), request)
	require.NoError(t, err)
	groups := r.Account.Lambda.LogGroups()
	require.NotEmpty(t, groups)
	var all bytes.Buffer
	for _, group := range groups {
		for _, line := range r.Account.Lambda.Logs(group) {
			all.WriteString(line + "\n")
		}
	}
	require.Contains(t, all.String(), "createChatCompletion", "the request was logged")
	secret := r.APIKey[strings.Index(r.APIKey, ".")+1:]
	for _, private := range []string{"marmalade", got.Choices[0].Message.Content, secret, "tenant"} {
		quoted, err := json.Marshal(private)
		require.NoError(t, err)
		assert.NotContains(t, all.String(), strings.Trim(string(quoted), `"`))
	}
}
