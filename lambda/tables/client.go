// Package tables makes clients of the replicas of tables, each of one region.
package tables

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// tries is how often one call to one replica is made. A connection that was idle
// may be dead without a word; a second failure belongs to the region, and the next
// try to another.
const tries = 2

// pause is the wait before the second. The SDK's own is a second on average, for
// which callers take a region that refuses at once for one that does not answer.
const pause = 25 * time.Millisecond

// Client returns a client of the replicas in a region, which differs from sdk in
// that and in how it repeats calls.
func Client(sdk aws.Config, region string) *dynamodb.Client {
	return dynamodb.NewFromConfig(sdk, func(o *dynamodb.Options) {
		o.Region = region
		o.EndpointResolverV2 = &endpoint{EndpointResolverV2: dynamodb.NewDefaultEndpointResolverV2()}
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = tries
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return pause, nil })
		})
	})
}
