package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPreview: nothing but creations, and no warning.
func TestPreview(t *testing.T) {
	needsEngine(t)
	for _, name := range []string{"prod", "eu"} {
		t.Run(name, func(t *testing.T) {
			e, a := open(t, load(t, name, nil))
			r, err := preview(t, e)
			require.NoError(t, err)
			assert.Len(t, r.of("create"), len(r.steps), "a preview of a new stack creates")
			assert.Greater(t, len(r.steps), 200)
			assert.Empty(t, r.warnings, "the stack files ask for nothing that the program warns of")
			assert.Empty(t, a.Resources(), "a preview makes nothing")
			assert.ElementsMatch(t, recorded(t, name), urns(r), "the engine's URNs are those that stacks/testdata records")
		})
	}
}

// urns are those of what was done, but the stack's own. A component is done
// twice: when it begins and when it is complete.
func urns(r record) []string {
	var all []string
	for _, s := range r.steps {
		if s.kind != "pulumi:pulumi:Stack" {
			all = append(all, s.urn)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// recorded are the URNs of a stack by its golden file.
func recorded(t *testing.T, stack string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "stacks", "testdata", stack+".urns"))
	require.NoError(t, err)
	return strings.Fields(string(b))
}

// TestAStackFromItsFirstFailureToItsEnd follows each stack through what goes
// wrong: a creation that fails in the middle, and ways to destroy too early.
func TestAStackFromItsFirstFailureToItsEnd(t *testing.T) {
	needsEngine(t)
	for _, j := range journeys {
		t.Run(j.stack, j.failAndEnd)
	}
}

func (j journey) failAndEnd(t *testing.T) {
	stack := load(t, j.stack, nil)
	e, a := open(t, stack)

	transform(e, stack, func(name string, args any) {
		if alarm, ok := args.(*cloudwatch.MetricAlarmArgs); ok && name == j.partner+"-alarms-errors" {
			alarm.EvaluationPeriods = pulumi.Int(0)
		}
	})
	failed, err := update(t, e)
	require.Error(t, err)
	assert.Contains(t, strings.Join(failed.warnings, "\n"), "EvaluationPeriods 0 must be greater than or equal to 1")
	made := len(a.Resources())
	assert.Greater(t, made, 10, "it failed in the middle")

	e.Workspace().SetProgram(stack.Program())
	repaired, err := update(t, e)
	require.NoError(t, err)
	assert.Empty(t, repaired.of("replace"))
	assert.Greater(t, len(a.Resources()), made)
	assert.Empty(t, repaired.warnings)
	settled(t, e)
	all := a.Resources()

	_, err = destroy(t, e)
	require.ErrorContains(t, err, "protected")
	assert.Equal(t, all, a.Resources(), "a protected stack stays whole")

	configure(t, e, j.stack, map[string]any{"protect": false})
	_, err = update(t, e)
	require.NoError(t, err)
	early, err := destroy(t, e)
	require.Error(t, err)
	assert.Contains(t, strings.Join(early.warnings, "\n"), "has acted as a source region for new replica(s)")
	assert.NotEmpty(t, a.DynamoDB.Tables(), "the tables wait for their day")

	a.Skip(24 * time.Hour)
	_, err = destroy(t, e)
	require.NoError(t, err)
	assert.Empty(t, a.Resources())
	left := slices.Concat(a.DynamoDB.Tables(), a.KMS.Keys(), a.Lambda.Functions(), a.Lambda.LogGroups(), a.APIGateway.APIs(), a.Route53.Records())
	assert.Empty(t, left, "nothing is left")
}
