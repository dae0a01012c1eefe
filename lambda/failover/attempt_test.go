package failover_test

import (
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestContentThatMeetsTheEndOfTheSilenceEndsTheAnswer(t *testing.T) {
	m := &model{regions: map[string][]step{"a": {say("1"), say("2").later(time.Minute).slipping(), say("3").slipping()}}}
	s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
	require.NoError(t, err)
	text, err := drain(t, s)
	assert.Equal(t, "1", text)
	assertClass(t, converse.Timeout, err)
}

func TestPanicLeavesNothingOpen(t *testing.T) {
	m := &model{regions: map[string][]step{"a": {{panic: true}}}}
	e := engine(t, m)
	assert.Panics(t, func() { _, _, _ = e.Open(t.Context(), targets, converse.Request{}) })
	assert.Zero(t, m.open)
	assert.Panics(t, func() { _, _, _ = e.Answer(t.Context(), targets, converse.Request{}) })
}
