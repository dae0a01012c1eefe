package apigateway_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signers takes the Authorization header for the name of a role that signed, or
// for the code of a refusal.
type signers struct{}

func (signers) VerifyIn(at string, r *http.Request, body []byte) (iam.Signer, error) {
	signer := iam.Signer{Service: "execute-api", KeyID: "ASIA1"}
	switch said := r.Header.Get("Authorization"); said {
	case "":
		return signer, &cloud.APIError{Code: "MissingAuthenticationTokenException", Message: "none", Status: 403}
	case "ExpiredTokenException", "InvalidSignatureException", "UnrecognizedClientException":
		return signer, &cloud.APIError{Code: said, Message: "said: " + string(body), Status: 403}
	case "another service":
		signer.Service = "dynamodb"
	default:
		signer.Role, signer.ARN, signer.Region = said, "arn:aws:sts::123456789012:assumed-role/"+said+"/run", at
	}
	return signer, nil
}

// signed is a document whose operations leave the decision to IAM.
func signed() object {
	doc := document(object{"/x": object{"get": guarded(buffered())}, "/y": object{"get": guarded(buffered())}, "/open": object{"get": open(buffered())}})
	return change(doc, object{"key": object{
		"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4",
	}}, "components", "securitySchemes")
}

func TestIAMDecides(t *testing.T) {
	tests := []struct {
		name, signed, path string
		status             int
		errorType          string
	}{
		{"a role that may", "reports", "/prod/x", 200, ""},
		{"a role that may something else", "reports", "/prod/y", 403, "AccessDeniedException"},
		{"a role that may nothing", "other", "/prod/x", 403, "AccessDeniedException"},
		{"nobody", "", "/prod/x", 403, "MissingAuthenticationTokenException"},
		{"nobody, where all may", "", "/prod/open", 200, ""},
		{"a session that has expired", "ExpiredTokenException", "/prod/x", 403, "ForbiddenException"},
		{"a wrong signature", "InvalidSignatureException", "/prod/x", 403, "ForbiddenException"},
		{"an unknown key", "UnrecognizedClientException", "/prod/x", 403, "ForbiddenException"},
		{"a signature for another service", "another service", "/prod/x", 403, "ForbiddenException"},
	}
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	_, host := f.deploy("api", signed())
	served := 0
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := f.do("GET", host, tt.path, header("Authorization", tt.signed))
			assert.Equal(t, tt.status, res.status, res.body)
			assert.Equal(t, tt.errorType, res.header.Get("X-Amzn-Errortype"))
			if tt.status == 200 {
				served++
			}
			assert.Len(t, f.lambda.to(serve), served, "whoever is refused reaches no integration")
		})
	}
}

func TestFunctionsLearnWhoSigned(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	_, host := f.deploy("api", signed())
	for _, path := range []string{"/prod/x", "/prod/open"} {
		require.Equal(t, 200, f.do("GET", host, path, header("Authorization", "reports")).status)
	}
	var identities []map[string]any
	for _, call := range f.lambda.to(serve) {
		var event struct {
			RequestContext struct {
				Identity map[string]any `json:"identity"`
			} `json:"requestContext"`
		}
		require.NoError(t, json.Unmarshal(call.Payload, &event))
		identities = append(identities, event.RequestContext.Identity)
	}
	assert.Equal(t, "arn:aws:sts::123456789012:assumed-role/reports/run", identities[0]["userArn"])
	assert.Equal(t, "123456789012", identities[0]["accountId"])
	assert.Equal(t, "ASIA1", identities[0]["accessKey"])
	assert.NotEmpty(t, identities[0]["caller"])
	for _, name := range []string{"userArn", "accountId", "accessKey", "caller", "user"} {
		assert.Contains(t, identities[1], name)
		assert.Nil(t, identities[1][name], "who signs where nobody asks is nobody")
	}
}

func TestSigningSchemesThatAPIGatewayWouldNotRead(t *testing.T) {
	for name, scheme := range map[string]object{
		"another type":      {"type": "http", "in": "header", "name": "Authorization"},
		"a query":           {"type": "apiKey", "in": "query", "name": "Authorization"},
		"another header":    {"type": "apiKey", "in": "header", "name": "X-Key"},
		"an authorizer too": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authorizer": object{"type": "token"}},
	} {
		t.Run(name, func(t *testing.T) {
			scheme["x-amazon-apigateway-authtype"] = "awsSigv4"
			body, err := json.Marshal(change(signed(), scheme, "components", "securitySchemes", "key"))
			require.NoError(t, err)
			_, err = newFixture(t).create("RestApi", "api", object{"body": string(body), "endpointConfiguration": object{"types": "REGIONAL"}})
			assert.ErrorContains(t, err, "awsSigv4 needs")
		})
	}
}
