package tables_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/crossregion/crossregion/lambda/tables"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asked resolves to a host, unless told to fail, and counts how often.
type asked struct {
	host string
	err  error
	n    int
}

func (a *asked) ResolveEndpoint(context.Context, dynamodb.EndpointParameters) (smithyendpoints.Endpoint, error) {
	a.n++
	return smithyendpoints.Endpoint{URI: url.URL{Host: a.host}}, a.err
}

func TestAnEndpointIsResolvedOnce(t *testing.T) {
	a := &asked{host: "here", err: errors.New("not now")}
	r := tables.Endpoint(a)
	_, err := r.ResolveEndpoint(t.Context(), dynamodb.EndpointParameters{})
	require.ErrorIs(t, err, a.err)
	a.err = nil
	for range 3 {
		got, err := r.ResolveEndpoint(t.Context(), dynamodb.EndpointParameters{})
		require.NoError(t, err)
		assert.Equal(t, "here", got.URI.Host)
	}
	assert.Equal(t, 2, a.n, "a failure is not remembered, an endpoint is")
}
