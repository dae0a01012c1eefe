package conversation

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/crossregion/crossregion/lambda/parallel"
)

// maxParallel bounds the calls that one request makes to one region at once.
const maxParallel = 16

// each runs f for 0 to n-1, a few at a time, and returns what each of them
// did once all are done.
func each(n int, f func(int) error) []error {
	errs := make([]error, n)
	var begun atomic.Int64
	parallel.Each(min(n, maxParallel), func(int) {
		for i := int(begun.Add(1)) - 1; i < n; i = int(begun.Add(1)) - 1 {
			errs[i] = f(i)
		}
	})
	return errs
}

const (
	// patience bounds how long items are read or removed one by one that their
	// partition throttles.
	patience = 10 * time.Second
	// throttledPause is the wait before a call that was throttled is made again: a
	// partition takes 1,000 KB of writes in a second and 12,000 KB of reads, and no
	// more for having been idle.
	// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
	throttledPause = 200 * time.Millisecond
)

// eachPatiently is [each] of calls that load one partition between them, which
// therefore throttles some of them. A single call is sooner served elsewhere.
func eachPatiently(ctx context.Context, n int, f func(int) error) []error {
	if n == 1 {
		return each(n, f)
	}
	return each(n, func(i int) error { return patiently(ctx, func() error { return f(i) }) })
}

// patiently makes a call again as long as it is throttled, until ctx ends.
func patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		if !throttled(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(throttledPause):
		}
	}
}

// throttled tells whether AWS refused a call for being one of too many.
func throttled(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}
