package stacks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// infoLog keeps what a program says.
type infoLog struct {
	pulumi.Log
	lines []string
}

func (l *infoLog) Info(line string, _ *pulumi.LogArgs) error {
	l.lines = append(l.lines, line)
	return nil
}

// TestThePreviewPrintsTheWindow in which clients of a lost region may fail: each
// probe takes its interval and up to 6 s, Route 53 about 10 s to agree, and
// resolvers keep a record for 60 s.
func TestThePreviewPrintsTheWindow(t *testing.T) {
	const said = "when a region goes down its clients may fail for up to "
	tests := []struct {
		name   string
		checks map[string]any
		want   string
	}{
		{"by default", nil, "2m58s"}, // 3 x (30 + 6) + 10 + 60
		{"at an interval of 30 s", map[string]any{"intervalSeconds": 30}, "2m58s"},
		{"at an interval of 10 s", map[string]any{"intervalSeconds": 10}, "1m58s"},                                      // 3 x (10 + 6) + 10 + 60
		{"at an interval of 10 s and a threshold of 1", map[string]any{"intervalSeconds": 10, "threshold": 1}, "1m26s"}, // 10 + 6 + 10 + 60
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := load(t, "eu")
			stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
				if tt.checks != nil {
					s["healthChecks"] = tt.checks
				}
			})
			var log *infoLog
			require.NoError(t, componenttest.New(calls(inJurisdiction)).Run(func(ctx *pulumi.Context) error {
				log = &infoLog{Log: ctx.Log}
				ctx.Log = log
				return stacks.Program(ctx)
			}, as(stack)))
			var windows []string
			for _, line := range log.lines {
				if after, ok := strings.CutPrefix(line, said); ok {
					window, _, _ := strings.Cut(after, ",")
					windows = append(windows, window)
				}
			}
			assert.Equal(t, []string{tt.want}, windows)
		})
	}
}

// TestThePreviewWarnsOfRegionsThatKeepThemselvesHealthy: with few places, the
// checkers of one suffice. Stack eu has eu-west-1.
func TestThePreviewWarnsOfRegionsThatKeepThemselvesHealthy(t *testing.T) {
	tests := []struct {
		name   string
		places []string
		want   int
	}{
		{"by default", nil, 0},
		{"three places, one of them a region of the stack", []string{"eu-west-1", "us-east-1", "us-west-2"}, 1},
		{"three places outside", []string{"us-east-1", "us-west-2", "sa-east-1"}, 0},
		{"six places", []string{"eu-west-1", "us-east-1", "us-west-2", "us-west-1", "sa-east-1", "ap-northeast-1"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := warnings(t, &account{}, func(s map[string]any) {
				if tt.places != nil {
					s["healthChecks"] = map[string]any{"regions": tt.places}
				}
			})
			got = slices.DeleteFunc(got, func(w string) bool { return !strings.HasPrefix(w, "healthChecks.regions ") })
			require.Len(t, got, tt.want)
			for _, w := range got {
				assert.Contains(t, w, "3 places, eu-west-1 among them")
				assert.Contains(t, w, "name places outside the stack's regions, or six at least, or leave it out")
			}
		})
	}
}
