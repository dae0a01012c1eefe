package tables

import "github.com/aws/aws-sdk-go-v2/service/dynamodb"

// Endpoint resolves what r does, once.
func Endpoint(r dynamodb.EndpointResolverV2) dynamodb.EndpointResolverV2 {
	return &endpoint{EndpointResolverV2: r}
}
