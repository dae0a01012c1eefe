package metrics_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/metrics"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// document is a log line as CloudWatch reads it.
type document struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
	members map[string]any
}

var now = time.Unix(1_700_000_000, 0)

// line logs r as handlers do, and reads it back.
func line(t *testing.T, r metrics.Request) document {
	t.Helper()
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).LogAttrs(t.Context(), slog.LevelInfo, "request", r.Attrs(now)...)
	var d document
	require.NoError(t, json.Unmarshal(out.Bytes(), &d))
	require.NoError(t, json.Unmarshal(out.Bytes(), &d.members))
	return d
}

func everything() metrics.Request {
	return metrics.Request{
		Stack: "eu", Region: "eu-west-1", Model: "claude", Failed: true, FirstToken: 1500 * time.Millisecond,
		Failovers: 2, Throttles: 3, ResidencyViolations: 4, InputTokens: 5, OutputTokens: 6,
		Misconfigured: 7, Hedges: 8, Continued: 9, BreakersOpen: 10, SingleCopies: 11, Uncounted: 12,
	}
}

// TestEveryMetricOfTheContractIsEmitted keeps alarms from waiting for a metric
// that never comes.
func TestEveryMetricOfTheContractIsEmitted(t *testing.T) {
	d := line(t, everything())
	require.Len(t, d.AWS.CloudWatchMetrics, 1)
	got := d.AWS.CloudWatchMetrics[0]
	assert.Equal(t, "Crossregion", got.Namespace)
	assert.Equal(t, [][]string{{"stack", "region"}, {"stack", "region", "model"}}, got.Dimensions)
	assert.Equal(t, now.UnixMilli(), d.AWS.Timestamp)
	require.Len(t, got.Metrics, len(contract.Metrics))
	for i, m := range contract.Metrics {
		assert.Equal(t, m.Name, got.Metrics[i].Name)
		assert.Equal(t, m.Unit, got.Metrics[i].Unit)
	}
	for name, want := range map[string]any{
		"stack": "eu", "region": "eu-west-1", "model": "claude", "Requests": 1.0, "Errors": 1.0, "TimeToFirstToken": 1500.0,
		"Failovers": 2.0, "Throttles": 3.0, "ResidencyViolations": 4.0, "InputTokens": 5.0, "OutputTokens": 6.0,
		"Misconfigured": 7.0, "Hedges": 8.0, "Continued": 9.0, "BreakersOpen": 10.0, "SingleCopies": 11.0, "Uncounted": 12.0,
	} {
		assert.Equal(t, want, d.members[name], name)
	}
}

func TestLineIsAValidDocument(t *testing.T) {
	tests := []struct {
		name   string
		edit   func(*metrics.Request)
		absent []string
	}{
		{"with everything", func(*metrics.Request) {}, nil},
		{"without a model", func(r *metrics.Request) { r.Model = "" }, []string{"model"}},
		{"without a streamed answer", func(r *metrics.Request) { r.FirstToken = 0 }, []string{"TimeToFirstToken"}},
		{"without an answer", func(r *metrics.Request) { r.InputTokens, r.OutputTokens = 0, 0 }, []string{"InputTokens", "OutputTokens"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := everything()
			tt.edit(&r)
			d := line(t, r)
			got := d.AWS.CloudWatchMetrics[0]
			for _, set := range got.Dimensions {
				for _, dimension := range set {
					assert.NotEmpty(t, d.members[dimension], "CloudWatch drops a line with a dimension that has no value")
				}
			}
			for _, m := range got.Metrics {
				assert.Contains(t, d.members, m.Name)
			}
			for _, name := range tt.absent {
				assert.NotContains(t, d.members, name)
			}
		})
	}
}

func TestRequestsWithoutAnErrorCountAsNone(t *testing.T) {
	d := line(t, metrics.Request{Stack: "eu", Region: "eu-west-1"})
	assert.Equal(t, 1.0, d.members["Requests"])
	assert.Equal(t, 0.0, d.members["Errors"])
}
