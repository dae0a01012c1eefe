package invoker

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

// oneEndpoint is an option of such a client.
func oneEndpoint(o *dynamodb.Options) {
	o.EndpointResolverV2 = &endpoint{EndpointResolverV2: dynamodb.NewDefaultEndpointResolverV2()}
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
