package stacks_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryAlarmHasARunbook: whoever is woken by one finds its name in the table
// of docs/operations.md.
func TestEveryAlarmHasARunbook(t *testing.T) {
	guide, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(guide), "| alarm | means | do |")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	var patterns []string
	for _, row := range strings.Split(table, "\n") {
		first, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			pattern := strings.NewReplacer("…", ".+", `\{region\}`, ".+").Replace(regexp.QuoteMeta(name[1]))
			patterns = append(patterns, pattern)
		}
	}
	known := regexp.MustCompile("^(" + strings.Join(patterns, "|") + ")$")
	stack := load(t, "prod")
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) { s["reservedConcurrency"] = 50 })
	rec, err := run(t, stack, inJurisdiction)
	require.NoError(t, err)
	alarms := rec.Of("aws:cloudwatch/metricAlarm:MetricAlarm")
	require.NotEmpty(t, alarms)
	for _, alarm := range alarms {
		_, role, _ := strings.Cut(alarm.Name, "-alarms-")
		assert.Regexp(t, known, role, "add it to the table")
	}
}
