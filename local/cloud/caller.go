package cloud

import "net/http"

// Caller is who signed a request, as read from its SigV4 signature.
type Caller struct {
	// ARN of the principal: an assumed role for a function, a user for an
	// operator.
	ARN string
	// Role is the name of the role whose policies decide; empty for an operator
	// with administrator rights.
	Role string
	// Home is the region that the caller runs in; empty when it runs outside
	// AWS.
	Home string
	// Region is the region in the scope of the signature: the one called.
	Region string
}

// Keys are the condition keys of one request, e.g. "aws:RequestedRegion".
type Keys map[string][]string

// Authorizer decides whether a caller may do what it asks.
type Authorizer interface {
	// Authorize returns nil, or an AccessDeniedException [APIError] worded as
	// AWS words it.
	Authorize(c Caller, action, resource string, keys Keys) error
}

// Service answers the signed calls of one AWS service, in every region.
type Service interface {
	// SigningName is the service in the scope of a signature, e.g. "dynamodb".
	SigningName() string
	// ServeAWS answers a call whose signature has been verified. It authorizes
	// the call itself, since only it knows the action and the resource.
	ServeAWS(w http.ResponseWriter, r *http.Request, c Caller)
}
