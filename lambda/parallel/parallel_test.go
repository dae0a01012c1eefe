package parallel_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/crossregion/crossregion/lambda/parallel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDo(t *testing.T) {
	cause := errors.New("sesame")
	tests := []struct {
		name     string
		panics   any // of the second of three calls
		nested   bool
		panicked bool
	}{
		{"no panic", nil, false, false},
		{"a panic is the caller's", "sesame", false, true},
		{"a panic with an error keeps it", cause, false, true},
		{"a panic of a goroutine's goroutine says where it began", cause, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var done atomic.Int32
			second := func() {
				if tt.panics != nil {
					here(tt.panics)
				}
				done.Add(1)
			}
			if tt.nested {
				inner := second
				second = func() { parallel.Do(inner) }
			}
			caught := parallel.Catch(func() {
				parallel.Do(func() { done.Add(1) }, second, func() { done.Add(1) })
			})
			if !tt.panicked {
				assert.Nil(t, caught)
				assert.EqualValues(t, 3, done.Load())
				return
			}
			require.NotNil(t, caught)
			assert.Equal(t, tt.panics, caught.Value)
			assert.Contains(t, string(caught.Stack), "parallel_test.here", "where it happened")
			assert.EqualValues(t, 2, done.Load(), "the others are waited for")
		})
	}
}

func here(v any) { panic(v) }

func TestEachOfNoneReturns(t *testing.T) {
	parallel.Each(0, func(int) { t.Error("called") })
}

func TestNobodysPanicIsNotThrown(t *testing.T) {
	var p *parallel.Panic
	assert.NotPanics(t, p.Throw)
}
