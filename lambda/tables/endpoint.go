package tables

import (
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

// endpoint resolves the endpoint of a client once. The SDK does with each call,
// which takes a twentieth of a request with state; in a client of one region and
// one table, nothing that it looks at changes.
type endpoint struct {
	dynamodb.EndpointResolverV2
	known atomic.Pointer[smithyendpoints.Endpoint]
}

// ResolveEndpoint implements [dynamodb.EndpointResolverV2].
func (e *endpoint) ResolveEndpoint(ctx context.Context, p dynamodb.EndpointParameters) (smithyendpoints.Endpoint, error) {
	if known := e.known.Load(); known != nil {
		return *known, nil
	}
	found, err := e.EndpointResolverV2.ResolveEndpoint(ctx, p)
	if err == nil {
		e.known.Store(&found)
	}
	return found, err
}
