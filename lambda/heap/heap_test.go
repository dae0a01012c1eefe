package heap_test

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/crossregion/crossregion/lambda/heap"
	"github.com/stretchr/testify/assert"
)

func TestConfigure(t *testing.T) {
	tests := []struct {
		name    string
		env     map[string]string
		percent int
		limit   int64
	}{
		{"a function may use three quarters of its memory", map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}, 400, 384 << 20},
		{"without a known memory there is no limit", nil, 400, math.MaxInt64},
		{"a memory that is no number is none", map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "much"}, 400, math.MaxInt64},
		{"an operator's own words win", map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "GOGC": "50", "GOMEMLIMIT": "1GiB"}, 100, math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
			defer func() {
				debug.SetGCPercent(before)
				debug.SetMemoryLimit(limit)
			}()
			heap.Configure(func(name string) string { return tt.env[name] })
			assert.Equal(t, tt.limit, debug.SetMemoryLimit(-1))
			assert.Equal(t, tt.percent, debug.SetGCPercent(100))
		})
	}
}
