package contract

// Response headers.
const (
	// HeaderRegion names the region whose API answered.
	HeaderRegion = "X-Crossregion-Region"
	// HeaderTarget names the source region whose inference profile answered.
	HeaderTarget = "X-Crossregion-Target"
	// HeaderAttempts is the number of inference calls made, 1 when the first
	// target answered.
	HeaderAttempts = "X-Crossregion-Attempts"
	// HeaderRequestID identifies the request in logs; OpenAI SDKs report it.
	HeaderRequestID = "X-Request-Id"
)

// MaxBodyBytes is the largest request body that the API accepts. Lambda takes
// 6 MB of event, in which JSON escaping can double a body of quotes and
// backslashes; half of it is left for that and for the headers.
const MaxBodyBytes = 3 << 20

// Keys of the authorizer's context, which API Gateway hands to the invoker as
// strings. The tenant of a request comes from here and nowhere else.
const (
	ContextTenant = "tenant"
	ContextKeyID  = "keyId"
)
