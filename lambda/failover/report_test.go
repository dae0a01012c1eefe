package failover_test

import (
	"testing"

	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
)

func TestAReportListsWhatFailed(t *testing.T) {
	r := failover.Report{Attempts: []failover.Attempt{
		{Region: "a", Outcome: "throttled"}, {Region: "b", Outcome: failover.OutcomeLate}, {Region: "a", Outcome: "timeout"},
		{Region: "c", Outcome: failover.OutcomeWaiting}, {Region: "b", Outcome: failover.OutcomeOK},
	}}
	assert.Equal(t, []string{"a;throttled", "a;timeout"}, r.Failed())
	assert.Empty(t, failover.Report{}.Failed())
	for range 100 {
		r.Attempts = append(r.Attempts, failover.Attempt{Region: "a", Outcome: "throttled"})
	}
	assert.Len(t, r.Failed(), 12, "what is told is bounded")
}
