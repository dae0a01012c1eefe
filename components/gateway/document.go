// Package gateway is a region's public edge: a REST API generated from the
// route table, its certificate and its domain names. REST, since HTTP APIs
// cannot stream a response.
package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/contract"
)

// Document describes the API of one region.
type Document struct {
	// Title names the API in the published reference. Required.
	Title string
	// Functions are the ARNs that serve each of contract's functions, with
	// alias. All that [Credentials.Functions] names are required.
	Functions map[string]string
	// Credentials say what callers prove themselves with. Default: API keys.
	Credentials Credentials
}

// Integration limits.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
const (
	streamTimeoutMillis  = 900_000
	authorizerTTLSeconds = 300
)

// paramsValidator refuses requests that lack a required parameter.
const paramsValidator = "params"

type object = map[string]any

// OpenAPI returns the OpenAPI 3 document that API Gateway deploys, which is
// also the API's published reference.
func (d Document) OpenAPI() (string, error) {
	if err := d.validate(); err != nil {
		return "", fmt.Errorf("gateway document: %w", err)
	}
	paths := object{}
	for _, r := range contract.Routes {
		operations, ok := paths[r.Path].(object)
		if !ok {
			operations = object{}
			paths[r.Path] = operations
		}
		operations[strings.ToLower(r.Method)] = d.operation(r)
	}
	b, err := json.Marshal(object{
		"openapi":                               "3.0.1",
		"info":                                  object{"title": d.Title, "version": "1.0"},
		"paths":                                 paths,
		"components":                            object{"securitySchemes": object{d.Credentials.scheme(): d.securityScheme()}},
		"x-amazon-apigateway-gateway-responses": d.gatewayResponses(),
		"x-amazon-apigateway-request-validators": object{
			// Sizes, content types and bodies are the handler's to check.
			paramsValidator: object{"validateRequestBody": false, "validateRequestParameters": true},
		},
	})
	return string(b), err
}

func (d Document) validate() error {
	var errs []error
	if d.Title == "" {
		errs = append(errs, errors.New("no title"))
	}
	for _, name := range d.Credentials.Functions() {
		if strings.Count(d.Functions[name], ":") < 7 {
			errs = append(errs, fmt.Errorf("function %s: %q is not the ARN of an alias", name, d.Functions[name]))
		}
	}
	return errors.Join(errs...)
}

func (d Document) operation(r contract.Route) object {
	op := object{
		"operationId": r.Operation,
		"summary":     r.Summary,
		"responses":   object{"200": object{"description": "The answer; errors have OpenAI's shape."}},
		"x-amazon-apigateway-integration": object{
			"type": "aws_proxy", "httpMethod": "POST",
			"uri":                  invokeURI(d.Functions[r.Function], "2021-11-15", "response-streaming-invocations"),
			"responseTransferMode": "STREAM",
			"timeoutInMillis":      streamTimeoutMillis,
		},
	}
	if params := parameters(r.Path); len(params) > 0 {
		op["parameters"] = params
		op["x-amazon-apigateway-request-validator"] = paramsValidator
	}
	if !r.Public {
		op["security"] = []object{{d.Credentials.scheme(): []string{}}}
	}
	return op
}

// parameters describes the {variables} of a path.
func parameters(path string) []object {
	var out []object
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			out = append(out, object{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"},
			})
		}
	}
	return out
}

// invokeURI is how API Gateway names a Lambda function to invoke. The version
// in it chooses between buffered and streamed invocation.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
func invokeURI(function, version, operation string) string {
	parts := strings.Split(function, ":")
	return fmt.Sprintf("arn:%s:apigateway:%s:lambda:path/%s/functions/%s/%s", parts[1], parts[3], version, function, operation)
}
