package apigateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// verdict is an authorizer's answer with one statement.
func verdict(effect, resource, context string) string {
	return fmt.Sprintf(`{"principalId":"k1","context":%s,"policyDocument":{"Version":"2012-10-17",`+
		`"Statement":[{"Action":["execute-api:Invoke"],"Effect":%q,"Resource":[%q]}]}}`, context, effect, resource)
}

func guardedFixture(t *testing.T) (*fixture, string, string) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	id, host := f.deploy("api", document(object{
		"/x": object{"get": guarded(buffered())}, "/y/{id}": object{"get": guarded(buffered())},
	}))
	return f, id, host
}

func TestAuthorize(t *testing.T) {
	refused := func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		return nil, cloud.Refuse("AccessDeniedException", "no permission")
	}
	tests := []struct {
		name, token string
		answer      func(context.Context, lambda.Invocation) (*lambda.Result, error)
		status      int
		errorType   string
		asked       int
	}{
		{"an allowed caller", "Bearer t", returns(verdict("Allow", "*", `{}`)), 200, "", 1},
		{"no token", "", returns(verdict("Allow", "*", `{}`)), 401, "UnauthorizedException", 0},
		{"a token that does not match", "Basic t", returns(verdict("Allow", "*", `{}`)), 401, "UnauthorizedException", 0},
		{"a function that says Unauthorized", "Bearer t", fails("Unauthorized"), 401, "UnauthorizedException", 1},
		{"a function that fails otherwise", "Bearer t", fails("no table"), 500, "AuthorizerFailureException", 1},
		{"a function that may not be invoked", "Bearer t", refused, 500, "AuthorizerConfigurationException", 1},
		{"an explicit deny", "Bearer t", returns(verdict("Deny", "*", `{}`)), 403, "AccessDeniedException", 1},
		{"a policy about something else", "Bearer t", returns(verdict("Allow", "arn:aws:execute-api:*:*:*/beta/*", `{}`)), 403, "AccessDeniedException", 1},
		{"a policy that is none", "Bearer t", returns(`{"principalId":"k","policyDocument":{"Statement":1}}`), 500, "AuthorizerConfigurationException", 1},
		{"no principal", "Bearer t", returns(`{"policyDocument":{}}`), 500, "AuthorizerConfigurationException", 1},
		{"an object in the context", "Bearer t", returns(verdict("Allow", "*", `{"a":{}}`)), 500, "AuthorizerConfigurationException", 1},
		{"an unknown key", "Bearer t", returns(`{"isAuthorized":true}`), 500, "AuthorizerConfigurationException", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, _, host := guardedFixture(t)
			f.lambda.define(authorizer, tt.answer)
			res := f.do("GET", host, "/prod/x", header("Authorization", tt.token))
			assert.Equal(t, tt.status, res.status, res.body)
			assert.Equal(t, tt.errorType, res.header.Get("X-Amzn-Errortype"))
			assert.Len(t, f.lambda.to(authorizer), tt.asked)
			served := 0
			if tt.status == 200 {
				served = 1
			}
			assert.Len(t, f.lambda.to(serve), served, "whoever is refused reaches no integration")
		})
	}
}

// validated is a document whose authorizer is asked about API keys only, and
// which words the refusal of everything else.
func validated(status any) object {
	doc := document(object{"/x": object{"get": guarded(buffered())}})
	change(doc, `^[Bb]earer +cr_[a-z2-7]{4}\.[A-Za-z0-9_-]{6}$`,
		"components", "securitySchemes", "key", "x-amazon-apigateway-authorizer", "identityValidationExpression")
	return change(doc, object{"UNAUTHORIZED": object{
		"statusCode": status, "responseTemplates": object{"application/json": `{"code":"invalid_api_key"}`},
	}}, "x-amazon-apigateway-gateway-responses")
}

func TestTheAuthorizerIsAskedAboutTokensThatMatch(t *testing.T) {
	tests := []struct {
		name, token string
		status      int
	}{
		{"a key", "Bearer cr_ab27.A_9-zz", 200},
		{"a key after two spaces and a small letter", "bearer  cr_ab27.A_9-zz", 200},
		{"another scheme", "Basic cr_ab27.A_9-zz", 401},
		{"a key without its scheme", "cr_ab27.A_9-zz", 401},
		{"a key and more", "Bearer cr_ab27.A_9-zzz", 401},
		{"a key after something else", "x Bearer cr_ab27.A_9-zz", 401},
		{"a secret with another separator", "Bearer cr_ab27xA_9-zz", 401},
		{"no token", "", 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.lambda.define(serve, returns(`{"statusCode":200}`))
			f.lambda.define(authorizer, returns(verdict("Allow", "*", `{}`)))
			_, host := f.deploy("api", validated("401"))
			res := f.do("GET", host, "/prod/x", header("Authorization", tt.token))
			assert.Equal(t, tt.status, res.status)
			if tt.status == 200 {
				assert.Len(t, f.lambda.to(authorizer), 1)
				return
			}
			assert.JSONEq(t, `{"code":"invalid_api_key"}`, res.body)
			assert.Empty(t, f.lambda.to(authorizer), "what cannot be a key costs no invocation")
		})
	}
}

func TestAGatewayResponseTakesItsStatusAsTextOrNumber(t *testing.T) {
	for _, status := range []any{"403", 403} {
		f := newFixture(t)
		_, host := f.deploy("api", validated(status))
		assert.Equal(t, 403, f.do("GET", host, "/prod/x").status, "%T", status)
	}
}

func TestTheAuthorizerIsAskedAsAWSAsks(t *testing.T) {
	f, id, host := guardedFixture(t)
	f.lambda.define(authorizer, returns(verdict("Allow", "*", `{"tenant":"acme","n":7,"ok":true}`)))
	require.Equal(t, 200, f.do("GET", host, "/prod/y/1", header("Authorization", "Bearer t")).status)
	api := "arn:aws:execute-api:eu-west-1:123456789012:" + id
	asked := f.lambda.to(authorizer)[0]
	assert.JSONEq(t, `{"type":"TOKEN","authorizationToken":"Bearer t","methodArn":"`+api+`/prod/GET/y/1"}`, string(asked.Payload))
	assert.Equal(t, "apigateway.amazonaws.com", asked.Principal)
	assert.Regexp(t, "^"+api+"/authorizers/[a-z0-9]{6}$", asked.SourceARN)
	assert.False(t, asked.Stream)
	var event struct {
		RequestContext struct {
			Authorizer map[string]any `json:"authorizer"`
		} `json:"requestContext"`
	}
	require.NoError(t, json.Unmarshal(f.lambda.to(serve)[0].Payload, &event))
	assert.Equal(t, map[string]any{"tenant": "acme", "n": "7", "ok": "true", "principalId": "k1"}, event.RequestContext.Authorizer)
}

func TestVerdictsAreCached(t *testing.T) {
	f, id, host := guardedFixture(t)
	f.lambda.define(authorizer, returns(verdict("Allow", "arn:aws:execute-api:eu-west-1:123456789012:"+id+"/prod/GET/x", `{}`)))
	get := func(path, token string) int {
		return f.do("GET", host, "/prod"+path, header("Authorization", token)).status
	}
	assert.Equal(t, 200, get("/x", "Bearer t"))
	assert.Equal(t, 200, get("/x", "Bearer t"))
	assert.Len(t, f.lambda.to(authorizer), 1, "a token is asked about once")
	assert.Equal(t, 403, get("/y/1", "Bearer t"), "but the policy decides each method")
	assert.Len(t, f.lambda.to(authorizer), 1)
	assert.Equal(t, 200, get("/x", "Bearer u"))
	assert.Len(t, f.lambda.to(authorizer), 2, "another token is another question")
	f.clock.Advance(time.Minute)
	assert.Equal(t, 200, get("/x", "Bearer t"))
	assert.Len(t, f.lambda.to(authorizer), 3, "a verdict expires")
}

func TestAuthorizerFailuresAreNotCached(t *testing.T) {
	f, _, host := guardedFixture(t)
	f.lambda.define(authorizer, fails("Unauthorized"))
	assert.Equal(t, 401, f.do("GET", host, "/prod/x", header("Authorization", "Bearer t")).status)
	f.lambda.define(authorizer, returns(verdict("Allow", "*", `{}`)))
	assert.Equal(t, 200, f.do("GET", host, "/prod/x", header("Authorization", "Bearer t")).status)
}

func TestACacheTimeOfZeroAsksEachTime(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	f.lambda.define(authorizer, returns(verdict("Allow", "*", `{}`)))
	doc := document(object{"/x": object{"get": guarded(buffered())}})
	change(doc, 0, "components", "securitySchemes", "key", "x-amazon-apigateway-authorizer", "authorizerResultTtlInSeconds")
	_, host := f.deploy("api", doc)
	for range 2 {
		assert.Equal(t, 200, f.do("GET", host, "/prod/x", header("Authorization", "Bearer t")).status)
	}
	assert.Len(t, f.lambda.to(authorizer), 2)
}
