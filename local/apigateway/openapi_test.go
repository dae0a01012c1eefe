package apigateway_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// change sets one key of an object of the document, addressed by its path.
func change(doc object, value any, path ...string) object {
	at := doc
	for _, key := range path[:len(path)-1] {
		at = at[key].(object)
	}
	at[path[len(path)-1]] = value
	return doc
}

// below addresses the keys of one object.
func below(path ...string) func(string) []string {
	return func(key string) []string { return append(slices.Clone(path), key) }
}

func TestImportRefuses(t *testing.T) {
	integration := below("paths", "/x", "post", "x-amazon-apigateway-integration")
	scheme := below("components", "securitySchemes", "key")
	extension := below("components", "securitySchemes", "key", "x-amazon-apigateway-authorizer")
	tests := []struct {
		name  string
		path  []string
		value any
		want  string
	}{
		{"another version of OpenAPI", []string{"openapi"}, "2.0", "want 3.x"},
		{"a document without info", []string{"info"}, nil, "info is missing"},
		{"security at the root, which API Gateway ignores", []string{"security"}, []any{}, "put it on each operation"},
		{"an extension it does not know", []string{"x-amazon-apigateway-policy"}, object{}, `"x-amazon-apigateway-policy" is not supported`},
		{"an extension in the wrong place", []string{"info", "x-amazon-apigateway-integration"}, object{}, "not supported"},
		{"any-method", []string{"paths", "/x", "x-amazon-apigateway-any-method"}, object{}, "not supported"},
		{"a path without a slash", []string{"paths", "x"}, object{}, "does not begin with a slash"},
		{"half a segment as variable", []string{"paths", "/x-{y}"}, object{}, "neither plain text"},
		{"a greedy variable that is not last", []string{"paths", "/{y+}/z"}, object{}, "neither plain text"},
		{"two names for one variable", []string{"paths", "/{b}"}, object{}, "already has a variable path part"},
		{"another type of integration", integration("type"), "mock", "use aws_proxy"},
		{"another method of invocation", integration("httpMethod"), "GET", "POST only"},
		{"a uri of another service", integration("uri"), "arn:aws:apigateway:eu-west-1:sqs:path/x", "does not name a Lambda function"},
		{"a date that does not go with the verb", integration("uri"),
			"arn:aws:apigateway:eu-west-1:lambda:path/2021-11-15/functions/" + serve + "/invocations", "is neither"},
		{"an unknown transfer mode", integration("responseTransferMode"), "CHUNKED", "neither BUFFERED nor STREAM"},
		{"a buffered timeout over 29 s", integration("timeoutInMillis"), 29001, "between 50 ms and 29000 ms"},
		{"a timeout under 50 ms", integration("timeoutInMillis"), 49, "between 50 ms"},
		{"an unknown passthrough behavior", integration("passthroughBehavior"), "always", "not known"},
		{"credentials", integration("credentials"), "arn:x", "lambda.Permission"},
		{"an unknown key of an integration", integration("cacheNamespace"), "x", `unknown field "cacheNamespace"`},
		{"an undefined security scheme", []string{"paths", "/x", "post", "security"}, []any{object{"other": []any{}}}, "not defined"},
		{"two security requirements", []string{"paths", "/x", "post", "security"}, []any{object{"key": []any{}}, object{}}, "one authorizer"},
		{"a scheme that API Gateway would ignore", scheme("x-amazon-apigateway-authorizer"), nil, "leave the operation open"},
		{"a token outside of a header", scheme("in"), "query", "in header"},
		{"another authtype", scheme("x-amazon-apigateway-authtype"), "oauth2", "use custom"},
		{"another type of authorizer", extension("type"), "request", "use token"},
		{"a cache time over an hour", extension("authorizerResultTtlInSeconds"), 3601, "want 0 to 3600"},
		{"a streaming authorizer", extension("authorizerUri"), uri(authorizer, true), "cannot stream"},
		{"an expression that does not compile", extension("identityValidationExpression"), "(", "missing closing"},
		{"another identity source", extension("identitySource"), "method.request.header.X", "is not the header"},
		{"credentials of an authorizer", extension("authorizerCredentials"), "arn:x", `unknown field "authorizerCredentials"`},
		{"an unknown gateway response", []string{"x-amazon-apigateway-gateway-responses"}, object{"TEAPOT": object{}}, `"TEAPOT" is not known`},
		{"a header that is not static", []string{"x-amazon-apigateway-gateway-responses"},
			object{"THROTTLED": object{"responseParameters": object{"gatewayresponse.header.X": "method.request.header.X"}}}, "single quotes"},
		{"a template variable it does not know", []string{"x-amazon-apigateway-gateway-responses"},
			object{"THROTTLED": object{"responseTemplates": object{"application/json": "$input.body"}}}, "variable other than"},
		{"a template of another media type", []string{"x-amazon-apigateway-gateway-responses"},
			object{"THROTTLED": object{"responseTemplates": object{"text/xml": ""}}}, "use application/json"},
		{"a status that is none", []string{"x-amazon-apigateway-gateway-responses"},
			object{"THROTTLED": object{"statusCode": "fine"}}, "not an HTTP status"},
		{"a status that no answer has", []string{"x-amazon-apigateway-gateway-responses"},
			object{"THROTTLED": object{"statusCode": "600"}}, "not an HTTP status"},
		{"an undefined validator", []string{"x-amazon-apigateway-request-validator"}, "all", `"all" is not defined`},
		{"a validator of bodies", []string{"x-amazon-apigateway-request-validators"},
			object{"all": object{"validateRequestBody": true}}, "checks bodies"},
		{"an undefined parameter", []string{"paths", "/x", "post", "parameters"},
			[]any{object{"$ref": "#/components/parameters/none"}}, `"none" is not defined`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := document(object{"/x": object{"post": guarded(buffered())}, "/{a}/y": object{"get": open(buffered())}})
			raw, err := json.Marshal(change(doc, tt.value, tt.path...))
			require.NoError(t, err)
			_, err = newFixture(t).create("RestApi", "api", object{
				"body": string(raw), "endpointConfiguration": object{"types": "REGIONAL"},
			})
			assert.ErrorContains(t, err, "BadRequestException")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestImportAcceptsWhatTheStandardDefines(t *testing.T) {
	doc := document(object{"/x": object{
		"summary": "a path", "parameters": []any{object{"name": "q", "in": "query", "schema": object{"type": "string"}}},
		"post": change(open(streamed()), []any{"chat"}, "tags"),
	}})
	change(doc, object{"Chat": object{"type": "object"}}, "components", "schemas")
	change(doc, []any{object{"url": "https://example.com"}}, "servers")
	assert.NotEmpty(t, newFixture(t).importAPI("api", doc).ID)
}

func TestImportRefusesWhatIsNotJSON(t *testing.T) {
	_, err := newFixture(t).create("RestApi", "api", object{
		"body": "openapi: 3.0.1", "endpointConfiguration": object{"types": "REGIONAL"},
	})
	assert.ErrorContains(t, err, "BadRequestException: invalid OpenAPI document: read JSON")
}
