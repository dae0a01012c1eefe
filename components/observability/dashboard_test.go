package observability_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/observability"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/dashboard.json")

func view(regions ...string) observability.View {
	v := observability.View{Stack: "eu", Models: []string{"claude-sonnet", "nova-pro"}}
	for _, name := range regions {
		v.Regions = append(v.Regions, observability.RegionView{
			Name: name, API: name + "-api", Stage: "live", HealthCheck: name + "-check",
			Functions: map[string]string{"invoker": name + "-invoker", "health": name + "-health"},
			Tables:    map[string]string{"content": "content-1a", "control": "control-1a"},
		})
	}
	return v
}

// TestBody compares the body with a golden file, rewritten with -update.
func TestBody(t *testing.T) {
	body, err := view("eu-central-1", "eu-west-1", "eu-north-1").Body()
	require.NoError(t, err)
	var got bytes.Buffer
	require.NoError(t, json.Indent(&got, []byte(body+"\n"), "", " "))
	golden := filepath.Join("testdata", "dashboard.json")
	if *update {
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
}

type widget struct {
	Type                string
	X, Y, Width, Height int
	Properties          struct {
		Title, Region string
		Metrics       [][]any
	}
}

func widgets(t *testing.T, v observability.View) []widget {
	t.Helper()
	body, err := v.Body()
	require.NoError(t, err)
	var decoded struct{ Widgets []widget }
	require.NoError(t, json.Unmarshal([]byte(body), &decoded))
	return decoded.Widgets
}

// TestGraphsNeitherOverlapNorLeaveTheGrid up to a stack of twenty regions, and
// stay below what CloudWatch takes.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
func TestGraphsNeitherOverlapNorLeaveTheGrid(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 20} {
		t.Run(fmt.Sprintf("%d regions", n), func(t *testing.T) {
			var names []string
			for i := range n {
				names = append(names, fmt.Sprintf("region-%d", i))
			}
			all, metrics, taken := widgets(t, view(names...)), 0, map[[2]int]string{}
			for _, w := range all {
				metrics += len(w.Properties.Metrics)
				assert.LessOrEqual(t, w.X+w.Width, 24, w.Properties.Title)
				for x := w.X; x < w.X+w.Width; x++ {
					for y := w.Y; y < w.Y+w.Height; y++ {
						assert.Empty(t, taken[[2]int{x, y}], "%s covers it", w.Properties.Title)
						taken[[2]int{x, y}] = w.Properties.Title
					}
				}
			}
			assert.LessOrEqual(t, len(all), 500)
			assert.LessOrEqual(t, metrics, 2500)
		})
	}
}

func TestEveryMetricOfTheContractIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, w := range widgets(t, view("eu-west-1", "eu-central-1")) {
		for _, m := range w.Properties.Metrics {
			shown[m[0].(string)+" "+m[1].(string)] = true
			if m[0] == "AWS/Route53" {
				assert.Equal(t, "us-east-1", w.Properties.Region, "Route 53 publishes nowhere else")
			} else {
				assert.True(t, strings.HasPrefix(w.Properties.Title, w.Properties.Region), w.Properties.Title)
			}
		}
	}
	for _, m := range contract.Metrics {
		assert.True(t, shown[contract.MetricNamespace+" "+m.Name], m.Name)
	}
	for name := range published {
		assert.True(t, shown[name] || strings.HasPrefix(name, "AWS/Lambda"), name)
	}
}

func TestWithoutADomainNoHealthIsShown(t *testing.T) {
	v := view("eu-west-1", "eu-central-1")
	for i := range v.Regions {
		v.Regions[i].HealthCheck = ""
	}
	for _, w := range widgets(t, v) {
		assert.NotContains(t, w.Properties.Title, "health")
	}
}

func dashboard(args *observability.DashboardArgs) (*componenttest.Recorder, error) {
	rec := componenttest.New(nil)
	return rec, rec.Run(func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		_, err = observability.NewDashboard(ctx, "dashboard", args, pulumi.Provider(provider))
		return err
	})
}

func TestDashboard(t *testing.T) {
	rec, err := dashboard(&observability.DashboardArgs{
		Stack: "eu", Regions: regions("eu-west-1", "eu-central-1"), Models: []string{"claude-sonnet", "nova-pro"},
	})
	require.NoError(t, err)
	rec.CheckComponents(t)
	inputs := rec.One(t, "aws:cloudwatch/dashboard:Dashboard", "dashboard-board").Inputs
	assert.Equal(t, "crossregion-eu", inputs["dashboardName"].StringValue())
	want, err := view("eu-west-1", "eu-central-1").Body()
	require.NoError(t, err)
	assert.JSONEq(t, want, inputs["dashboardBody"].StringValue())
}

func TestDashboardRefuses(t *testing.T) {
	tests := []struct {
		name string
		args *observability.DashboardArgs
		want string
	}{
		{"no arguments", nil, "no arguments"},
		{"no regions", &observability.DashboardArgs{Stack: "eu"}, "missing Regions"},
		{"a stack that cannot name it", &observability.DashboardArgs{Stack: "eu.1", Regions: regions("eu-west-1")}, `stack name "eu.1" cannot name a dashboard`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dashboard(tt.args)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
