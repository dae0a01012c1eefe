package dynamodb_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/crossregion/crossregion/local/kms"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	home = "us-east-1"
	far  = "us-west-2"
	tbl  = "conversations"
)

// fakeIAM allows everything unless told otherwise, and keeps what it was asked.
type fakeIAM struct {
	mu    sync.Mutex
	asked []string
	deny  bool
}

func (f *fakeIAM) Authorize(_ cloud.Caller, action, resource string, keys cloud.Keys) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, action+" on "+resource+" for "+strings.Join(keys["dynamodb:LeadingKeys"], ","))
	if f.deny {
		return &cloud.APIError{Code: "AccessDeniedException", Message: "not authorized to perform: " + action, Status: http.StatusForbidden}
	}
	return nil
}

// fakeKeys lets everybody use every key unless told otherwise, and keeps what it
// was asked.
type fakeKeys struct {
	mu    sync.Mutex
	asked []string // caller, service, key and action
	deny  string   // the one of these that is refused
}

func (f *fakeKeys) UseFor(c cloud.Caller, u kms.Use) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, action := range u.Actions {
		ask := strings.Join([]string{c.ARN[strings.LastIndex(c.ARN, "/")+1:], u.Service, u.Key, action}, " ")
		if f.asked = append(f.asked, ask); ask == f.deny {
			return cloud.Refuse("AccessDeniedException", "not authorized to perform: %s", action)
		}
	}
	return nil
}

type bench struct {
	*dynamodb.Service
	clock  *cloud.ManualClock
	iam    *fakeIAM
	keys   *fakeKeys
	server *httptest.Server
}

// newBench returns a service without tables on a clock that stands still.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{iam: &fakeIAM{}, keys: &fakeKeys{}, clock: cloud.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	b.Service = dynamodb.New(cloud.World{Clock: b.clock, Log: slog.New(slog.DiscardHandler)}, b.iam, b.keys)
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.ServeAWS(w, r, cloud.Caller{ARN: "arn:role", Role: "r", Region: signedRegion(r)})
	}))
	t.Cleanup(func() {
		b.server.Close()
		assert.NoError(t, b.Close())
	})
	return b
}

// global returns a bench with a table of string keys in two regions.
func global(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	_, err := b.createTable(home, nil)
	require.NoError(t, err)
	_, err = b.createReplica(far, nil)
	require.NoError(t, err)
	return b
}

func signedRegion(r *http.Request) string {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 || scope[3] != "dynamodb" {
		return ""
	}
	return scope[2]
}

func (b *bench) client(region string) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: region, BaseEndpoint: aws.String(b.server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
		}),
	})
}

// createTable makes the table of these tests, with some inputs replaced; nil
// removes one.
func (b *bench) createTable(region string, changes map[string]any) (cloud.State, error) {
	return b.Resources()[0].Create(context.Background(), region, "table", changed(map[string]any{
		"name": tbl, "hashKey": "pk", "rangeKey": "sk", "billingMode": "PAY_PER_REQUEST",
		"attributes":    []any{map[string]any{"name": "pk", "type": "S"}, map[string]any{"name": "sk", "type": "S"}},
		"streamEnabled": true, "streamViewType": "NEW_AND_OLD_IMAGES",
	}, changes))
}

func (b *bench) createReplica(region string, changes map[string]any) (cloud.State, error) {
	return b.Resources()[1].Create(context.Background(), region, "replica", changed(map[string]any{
		"globalTableArn": "arn:aws:dynamodb:" + home + ":123456789012:table/" + tbl, "pointInTimeRecovery": true,
	}, changes))
}

func changed(inputs, changes map[string]any) map[string]any {
	maps.Copy(inputs, changes)
	maps.DeleteFunc(inputs, func(_ string, v any) bool { return v == nil })
	return inputs
}

type attrs = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

func keyed(pk, sk string) attrs { return attrs{"pk": str(pk), "sk": str(sk)} }

func with(item attrs, name string, v types.AttributeValue) attrs {
	item = maps.Clone(item)
	item[name] = v
	return item
}

func (b *bench) put(t *testing.T, region string, item attrs) {
	t.Helper()
	_, err := b.client(region).PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(tbl), Item: item})
	require.NoError(t, err)
}

func (b *bench) delete(t *testing.T, region string, key attrs) {
	t.Helper()
	_, err := b.client(region).DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String(tbl), Key: key})
	require.NoError(t, err)
}

func (b *bench) get(t *testing.T, region string, key attrs) attrs {
	t.Helper()
	out, err := b.client(region).GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(tbl), Key: key})
	require.NoError(t, err)
	return out.Item
}

// refused checks the code and the text of an error as the SDK reports it.
func refused(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, code, api.ErrorCode())
	assert.Contains(t, api.ErrorMessage(), text)
}

// post sends a call that the SDK would not make, to the home region.
func (b *bench) post(t *testing.T, operation, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.server.URL, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/"+home+"/dynamodb/aws4_request")
	req.Header.Set("X-Amz-Target", operation)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(text)
}
