package openai_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roundTrip is how long a call to a table takes, wherever that is.
const roundTrip = time.Second

// distant is a replica whose calls take a round trip each. It is one of a table
// whose replicas are the same at once.
type distant struct {
	mu    *sync.Mutex
	items map[string]map[string]types.AttributeValue // by both keys
}

func key(it map[string]types.AttributeValue) string {
	return it["pk"].(*types.AttributeValueMemberS).Value + "\x00" + it["sk"].(*types.AttributeValueMemberS).Value
}

func (d distant) travel() func() {
	time.Sleep(roundTrip)
	d.mu.Lock()
	return d.mu.Unlock
}

func (d distant) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	defer d.travel()()
	return &dynamodb.GetItemOutput{Item: d.items[key(in.Key)]}, nil
}

func (d distant) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	defer d.travel()()
	d.items[key(in.Item)] = in.Item
	return &dynamodb.PutItemOutput{}, nil
}

func (d distant) DeleteItem(_ context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	defer d.travel()()
	delete(d.items, key(in.Key))
	return &dynamodb.DeleteItemOutput{}, nil
}

func (d distant) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	defer d.travel()()
	v := in.ExpressionAttributeValues
	bound := func(name string) string {
		return key(map[string]types.AttributeValue{"pk": v[":p"], "sk": v[name]})
	}
	out := &dynamodb.QueryOutput{}
	for _, k := range slices.Sorted(maps.Keys(d.items)) {
		if k >= bound(":from") && k <= bound(":to") {
			out.Items = append(out.Items, d.items[k])
		}
	}
	return out, nil
}

// timed is an engine that says when it was asked and when it had answered.
type timed struct {
	*engine
	asked time.Time
}

func (e *timed) Answer(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Answer, failover.Report, error) {
	e.asked = time.Now()
	return e.engine.Answer(ctx, targets, r)
}

// overDistance is the API over a store of three regions.
func overDistance(t *testing.T, e openai.Engine) http.Handler {
	t.Helper()
	table := distant{&sync.Mutex{}, map[string]map[string]types.AttributeValue{}}
	store, err := state.New(state.Config{
		Table: "content", Region: "eu-west-1", Partners: []string{"eu-central-1", "eu-north-1"}, Retention: time.Hour, CallTimeout: time.Minute,
		Clients: map[string]state.DynamoDB{"eu-west-1": table, "eu-central-1": table, "eu-north-1": table},
	})
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	h, err := openai.New(openai.Config{Stack: "eu", Region: "eu-west-1", Models: models, Engine: e, Store: store, Budget: &ledger{}, Log: log})
	require.NoError(t, err)
	return gateway(t, apigw.Handler(h, log))
}

// create posts what creates something, and returns its id.
func create(t *testing.T, h http.Handler, path, body, key string) string {
	t.Helper()
	r, w := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body)), httptest.NewRecorder()
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var created struct{ ID string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &created))
	return created.ID
}

// TestTablesAreWaitedForOnce on the way in and once on the way out, if at all.
func TestTablesAreWaitedForOnce(t *testing.T) {
	const withKey, without = "k", ""
	tests := []struct {
		name, path, body, key string
		in, out               int // round trips that a client waits for
	}{
		{"a chat", "/v1/chat/completions", `"messages":[{"role":"user","content":"a"}]`, without, 0, 0},
		{"a response that is not stored", "/v1/responses", `"input":"a","store":false`, without, 0, 0},
		{"a first response", "/v1/responses", `"input":"a"`, without, 0, 1},
		{"a first response with a key", "/v1/responses", `"input":"a"`, withKey, 1, 1},
		{"a response that goes on", "/v1/responses", `"input":"a","previous_response_id":"RESPONSE"`, without, 1, 1},
		{"a response that goes on with a key", "/v1/responses", `"input":"a","previous_response_id":"RESPONSE"`, withKey, 1, 1},
		{"a conversation's turn", "/v1/responses", `"input":"a","conversation":"CONVERSATION"`, without, 1, 1},
		{"a conversation's turn with a key and a reference", "/v1/responses",
			`"input":[{"type":"item_reference","id":"ITEM"},{"role":"user","content":"a"}],"conversation":"CONVERSATION"`, withKey, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &timed{engine: hello()}
				h := overDistance(t, e)
				first := create(t, h, "/v1/responses", `{"model":"claude-sonnet","input":"a"}`, "")
				begun := create(t, h, "/v1/conversations", `{"items":[{"role":"user","content":"a"}]}`, "")
				answer := strings.NewReplacer("resp_", "msg_", "eu-west-1", "001eu-west-1").Replace(first)
				body := strings.NewReplacer("RESPONSE", first, "CONVERSATION", begun, "ITEM", answer).Replace(tt.body)
				started := time.Now()
				create(t, h, tt.path, `{"model":"claude-sonnet",`+body+`}`, tt.key)
				assert.Equal(t, time.Duration(tt.in)*roundTrip, e.asked.Sub(started), "on the way in")
				assert.Equal(t, time.Duration(tt.out)*roundTrip, time.Since(e.asked), "on the way out")
			})
		})
	}
}
