// Package heap says how often a function's heap is collected.
package heap

import (
	"runtime/debug"
	"strconv"
)

// percent of growth before a collection. A function keeps a few megabytes alive,
// and has hundreds of which it uses none: with Go's own 100 it would spend a sixth
// of its work on keeping the heap at four.
const percent = 400

// share of a function's memory that its heap may grow to, in quarters, before it
// is collected more often: the rest is for what is not heap.
const share = 3

// Names of variables: Go's own, and the one by which Lambda tells a function its
// memory in MB.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
const (
	envPercent = "GOGC"
	envLimit   = "GOMEMLIMIT"
	envMemory  = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
)

// Configure sets both for the process that getenv (os.Getenv outside tests)
// describes. What GOGC and GOMEMLIMIT say wins; where nobody says how much memory
// there is, there is no limit.
func Configure(getenv func(string) string) {
	if getenv(envPercent) == "" {
		debug.SetGCPercent(percent)
	}
	if mb, err := strconv.ParseInt(getenv(envMemory), 10, 64); err == nil && mb > 0 && getenv(envLimit) == "" {
		debug.SetMemoryLimit(mb << 20 / 4 * share)
	}
}
