package invoker

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/failover"
)

// Limits opens limits to tests.
func Limits(cfg contract.Invoker) failover.Config { return limits(cfg, nil) }

// Endpoint resolves what r does, once.
func Endpoint(r dynamodb.EndpointResolverV2) dynamodb.EndpointResolverV2 {
	return &endpoint{EndpointResolverV2: r}
}
