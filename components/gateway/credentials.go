package gateway

import "github.com/crossregion/crossregion/contract"

// Credentials say what callers prove themselves with.
type Credentials int

const (
	// APIKeys are "Bearer cr_…". The authorizer function knows them.
	APIKeys Credentials = iota
	// Tokens are "Bearer" and a JSON Web Token. The authorizer function checks
	// them.
	Tokens
	// Signatures are AWS's own. API Gateway checks them, and IAM whether the
	// signer may call execute-api:Invoke; there is no authorizer function.
	Signatures
)

// Functions are contract's functions that an API needs whose callers prove
// themselves so.
func (c Credentials) Functions() []string {
	if c == Signatures {
		return []string{contract.FunctionInvoker, contract.FunctionHealth}
	}
	return []string{contract.FunctionInvoker, contract.FunctionHealth, contract.FunctionAuthorizer}
}

// scheme is the name under which the document keeps the security scheme.
func (c Credentials) scheme() string {
	return map[Credentials]string{APIKeys: "apiKey", Tokens: "token", Signatures: "signature"}[c]
}

// pattern is the shape of the credentials after "Bearer".
func (c Credentials) pattern() string {
	if c == Tokens {
		return `[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`
	}
	return contract.KeyPattern
}

// securityScheme asks whoever knows the credentials.
func (d Document) securityScheme() object {
	scheme := object{"type": "apiKey", "name": "Authorization", "in": "header"}
	if d.Credentials == Signatures {
		scheme["x-amazon-apigateway-authtype"] = "awsSigv4"
		return scheme
	}
	scheme["x-amazon-apigateway-authtype"] = "custom"
	scheme["x-amazon-apigateway-authorizer"] = object{
		"type":          "token",
		"authorizerUri": invokeURI(d.Functions[contract.FunctionAuthorizer], "2015-03-31", "invocations"),
		// The answer is kept for a while: a revoked key works until then.
		"authorizerResultTtlInSeconds": authorizerTTLSeconds,
		// What cannot be a credential costs no invocation: API Gateway answers 401.
		"identityValidationExpression": "^[Bb][Ee][Aa][Rr][Ee][Rr] +" + d.Credentials.pattern() + "$",
	}
	return scheme
}
