package openai

import (
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
)

// continued is a stream that another target has gone on with.
type continued struct{ converse.Stream }

func (continued) Report() failover.Report { return failover.Report{Target: "eu-central-1"} }

func TestAnyJSONIsCountedAsItCame(t *testing.T) {
	began := failover.Report{Target: "eu-west-1"}
	assert.Equal(t, "eu-central-1", soFar(&objectStream{Stream: continued{}, report: began}, failover.Report{}).Target)
	assert.Equal(t, "eu-west-1", soFar(&objectStream{report: began}, failover.Report{}).Target)
}
