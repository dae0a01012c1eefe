package health_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/health"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// table is a control table that holds the flags of drained regions.
type table struct {
	drained []string
	down    bool // it answers with an error
	silent  bool // it does not answer
	reads   []string
}

func (t *table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	pk, sk := in.Key[contract.PartitionKey].(*types.AttributeValueMemberS).Value, in.Key[contract.SortKey].(*types.AttributeValueMemberS).Value
	t.reads = append(t.reads, aws.ToString(in.TableName)+" "+pk+" "+sk)
	if t.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if t.down {
		return nil, errors.New("the table is down")
	}
	for _, region := range t.drained {
		if pk == "drain#"+region && sk == "drain" {
			return &dynamodb.GetItemOutput{Item: in.Key}, nil
		}
	}
	return &dynamodb.GetItemOutput{}, nil
}

// get asks the health function of eu-west-1.
func get(t *table, path string, log *bytes.Buffer) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	health.New(health.Config{
		Region: "eu-west-1", Regions: []string{"eu-west-1", "eu-central-1"},
		Drains: health.NewTable(t, "control"), Log: slog.New(slog.NewTextHandler(log, nil)),
	}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestHealth(t *testing.T) {
	tests := []struct {
		name   string
		table  table
		path   string
		status int
		body   string
	}{
		{"a region in service", table{}, "/healthz", 200, `{"status":"ok","region":"eu-west-1"}`},
		{"a drained region", table{drained: []string{"eu-west-1"}}, "/healthz", 503, `{"status":"drained","region":"eu-west-1"}`},
		{"beside a drained region", table{drained: []string{"eu-central-1"}}, "/healthz", 200, `{"status":"ok","region":"eu-west-1"}`},
		{"an unreadable flag is not set", table{drained: []string{"eu-west-1"}, down: true}, "/healthz", 200, `{"status":"ok","region":"eu-west-1"}`},
		{"a late flag is not set", table{drained: []string{"eu-west-1"}, silent: true}, "/healthz", 200, `{"status":"ok","region":"eu-west-1"}`},
		{"another region that is in service", table{}, "/healthz?drained=eu-central-1", 200, `{"drained":false,"region":"eu-central-1"}`},
		{"another region that is drained", table{drained: []string{"eu-central-1"}}, "/healthz?drained=eu-central-1", 200,
			`{"drained":true,"region":"eu-central-1"}`},
		{"a drained region still tells of others", table{drained: []string{"eu-west-1"}}, "/healthz?drained=eu-central-1", 200,
			`{"drained":false,"region":"eu-central-1"}`},
		{"an unreadable flag of another", table{drained: []string{"eu-central-1"}, down: true}, "/healthz?drained=eu-central-1", 200,
			`{"drained":false,"region":"eu-central-1"}`},
		{"a late flag of another", table{drained: []string{"eu-central-1"}, silent: true}, "/healthz?drained=eu-central-1", 200,
			`{"drained":false,"region":"eu-central-1"}`},
		{"a region of another stack", table{}, "/healthz?drained=us-east-1", 400,
			`{"error":{"message":"'drained' names no region of this stack.","type":"invalid_request_error","param":"drained","code":"invalid_value"}}`},
		{"no region", table{drained: []string{""}}, "/healthz?drained=", 400,
			`{"error":{"message":"'drained' names no region of this stack.","type":"invalid_request_error","param":"drained","code":"invalid_value"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				started := time.Now()
				w := get(&tt.table, tt.path, &log)
				assert.Equal(t, tt.status, w.Code)
				assert.Equal(t, tt.body, w.Body.String(), "health checks compare bytes")
				assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
				assert.Equal(t, "no-store", w.Header().Get("Cache-Control"), "a cached answer would hide a fault")
				assert.Equal(t, "eu-west-1", w.Header().Get(contract.HeaderRegion))
				assert.LessOrEqual(t, time.Since(started), 300*time.Millisecond)
				assert.Equal(t, tt.table.down || tt.table.silent, log.Len() > 0, "whoever runs it learns of flags that cannot be read, and of nothing else")
			})
		})
	}
}

// TestTheFlagIsWhereTheContractSays, and nothing else is read.
func TestTheFlagIsWhereTheContractSays(t *testing.T) {
	var log bytes.Buffer
	for path, want := range map[string]string{"/healthz": "eu-west-1", contract.DrainedPath("eu-central-1"): "eu-central-1"} {
		reads := table{}
		get(&reads, path, &log)
		assert.Equal(t, []string{"control " + contract.DrainPartition(want) + " " + contract.DrainSort}, reads.reads)
	}
}

// TestTheAnswerIsWhatHealthChecksSearchFor: the two sides share no other code.
func TestTheAnswerIsWhatHealthChecksSearchFor(t *testing.T) {
	var log bytes.Buffer
	w := get(&table{drained: []string{"eu-central-1"}}, contract.DrainedPath("eu-central-1"), &log)
	assert.Equal(t, contract.DrainedAnswer("eu-central-1", true), w.Body.String())
}

func TestEveryRouteOfTheHealthFunctionAnswers(t *testing.T) {
	served := 0
	for _, r := range contract.Routes {
		if r.Function != contract.FunctionHealth {
			continue
		}
		served++
		require.Equal(t, http.MethodGet, r.Method)
		var log bytes.Buffer
		assert.Equal(t, http.StatusOK, get(&table{}, r.Path, &log).Code)
	}
	assert.NotZero(t, served)
}

func TestAnotherPathIsNotFound(t *testing.T) {
	var log bytes.Buffer
	assert.Equal(t, http.StatusNotFound, get(&table{}, "/v1/models", &log).Code)
}
