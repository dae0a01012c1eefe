package drill

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestADrillIsJudgedBeforeItsFirstStep(t *testing.T) {
	for _, s := range scenarios() {
		d := played()
		d.expectation, d.done = s.expectation, nil
		assert.NotPanics(t, func() { d.judge() }, s.name)
	}
}
