package gateway_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/contract"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func document() gateway.Document {
	arn := func(name string) string { return "arn:aws:lambda:eu-west-1:111122223333:function:" + name + ":live" }
	return gateway.Document{Title: "test", Functions: map[string]string{
		contract.FunctionInvoker: arn("invoker"), contract.FunctionHealth: arn("health"), contract.FunctionAuthorizer: arn("authorizer"),
	}}
}

func TestDocumentIsValidOpenAPI(t *testing.T) {
	for _, c := range []gateway.Credentials{gateway.APIKeys, gateway.Tokens, gateway.Signatures} {
		d := document()
		d.Credentials = c
		checkDocument(t, d)
	}
}

func checkDocument(t *testing.T, d gateway.Document) {
	body, err := d.OpenAPI()
	require.NoError(t, err)
	parsed, err := openapi3.NewLoader().LoadFromData([]byte(body))
	require.NoError(t, err)
	require.NoError(t, parsed.Validate(t.Context()))
	for _, r := range contract.Routes {
		op := parsed.Paths.Value(r.Path).GetOperation(r.Method)
		require.NotNil(t, op, "%s %s is missing", r.Method, r.Path)
		assert.Equal(t, r.Operation, op.OperationID)
		assert.Equal(t, r.Public, op.Security == nil, "%s %s asks for a credential exactly if it is not public", r.Method, r.Path)
	}
}

// TestSignaturesNeedNoAuthorizer since API Gateway checks them itself.
func TestSignaturesNeedNoAuthorizer(t *testing.T) {
	d := document()
	d.Credentials = gateway.Signatures
	delete(d.Functions, contract.FunctionAuthorizer)
	body, err := d.OpenAPI()
	require.NoError(t, err)
	assert.Contains(t, body, `"x-amazon-apigateway-authtype":"awsSigv4"`)
	assert.NotContains(t, strings.ToLower(body), "authorizer_")
	assert.NotContains(t, body, "x-amazon-apigateway-authorizer")
	d.Credentials = gateway.Tokens
	_, err = d.OpenAPI()
	assert.ErrorContains(t, err, "function authorizer")
}

func TestOnlyWhatMayBeACredentialIsAskedAbout(t *testing.T) {
	key, token := "cr_aaaaaaaaaaaaaaaa."+strings.Repeat("a", 43), "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
	for credentials, want := range map[gateway.Credentials][2]bool{gateway.APIKeys: {true, false}, gateway.Tokens: {false, true}} {
		d := document()
		d.Credentials = credentials
		body, err := d.OpenAPI()
		require.NoError(t, err)
		var doc struct {
			Components struct {
				SecuritySchemes map[string]struct {
					Authorizer struct {
						Expression string `json:"identityValidationExpression"`
					} `json:"x-amazon-apigateway-authorizer"`
				} `json:"securitySchemes"`
			} `json:"components"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &doc))
		require.Len(t, doc.Components.SecuritySchemes, 1)
		for _, scheme := range doc.Components.SecuritySchemes {
			shape := regexp.MustCompile(scheme.Authorizer.Expression)
			assert.Equal(t, want, [2]bool{shape.MatchString("Bearer " + key), shape.MatchString("Bearer " + token)})
			for _, scheme := range []string{"bearer ", "BEARER  "} {
				assert.Equal(t, want[0], shape.MatchString(scheme+key), "the scheme's case does not matter")
			}
			assert.False(t, shape.MatchString("Bearer x"))
		}
	}
}

// TestEveryRouteStreams since a streaming function behind a buffered
// integration loses its body.
func TestEveryRouteStreams(t *testing.T) {
	body, err := document().OpenAPI()
	require.NoError(t, err)
	var doc struct {
		Paths map[string]map[string]struct {
			Integration struct {
				URI                  string `json:"uri"`
				ResponseTransferMode string `json:"responseTransferMode"`
				TimeoutInMillis      int    `json:"timeoutInMillis"`
			} `json:"x-amazon-apigateway-integration"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &doc))
	for path, operations := range doc.Paths {
		for method, op := range operations {
			assert.Equal(t, "STREAM", op.Integration.ResponseTransferMode, "%s %s", method, path)
			assert.Contains(t, op.Integration.URI, ":lambda:path/2021-11-15/functions/", "%s %s", method, path)
			assert.True(t, strings.HasSuffix(op.Integration.URI, ":live/response-streaming-invocations"), "%s %s invokes the alias", method, path)
			assert.Equal(t, 900_000, op.Integration.TimeoutInMillis, "%s %s", method, path)
		}
	}
	assert.Contains(t, body, "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:authorizer:live/invocations")
}

// TestRequiredParametersAreChecked and nothing else: bodies are the handler's.
func TestRequiredParametersAreChecked(t *testing.T) {
	body, err := document().OpenAPI()
	require.NoError(t, err)
	var doc struct {
		Validators map[string]map[string]bool `json:"x-amazon-apigateway-request-validators"`
		Paths      map[string]map[string]struct {
			Validator  string `json:"x-amazon-apigateway-request-validator"`
			Parameters []struct {
				Required bool `json:"required"`
			} `json:"parameters"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &doc))
	assert.Equal(t, map[string]map[string]bool{"params": {"validateRequestBody": false, "validateRequestParameters": true}}, doc.Validators)
	for path, operations := range doc.Paths {
		for method, op := range operations {
			for _, p := range op.Parameters {
				assert.True(t, p.Required, "%s %s", method, path)
			}
			assert.Equal(t, len(op.Parameters) > 0, op.Validator == "params", "%s %s", method, path)
		}
	}
}

func TestDocumentRefusesWhatItCannotServe(t *testing.T) {
	_, err := gateway.Document{Functions: map[string]string{contract.FunctionHealth: "health"}}.OpenAPI()
	for _, want := range []string{"no title", `function health: "health" is not the ARN of an alias`, "function invoker", "function authorizer"} {
		assert.ErrorContains(t, err, want)
	}
}
