package apigateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// document is what API Gateway keeps of an OpenAPI document. It does not
// change once parsed.
type document struct {
	deployment string // ID of the deployment that froze it; empty before
	resources  []*resource
	responses  map[string]*gatewayResponse
	binary     []string // media types that are not text
}

// openAPI is the part of an OpenAPI 3 document that API Gateway reads. What
// the standard defines beyond it is accepted and has no effect.
type openAPI struct {
	OpenAPI    string                                `json:"openapi"`
	Info       *json.RawMessage                      `json:"info"`
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Security   *json.RawMessage                      `json:"security"`
	Components struct {
		Parameters      map[string]parameter      `json:"parameters"`
		SecuritySchemes map[string]securityScheme `json:"securitySchemes"`
	} `json:"components"`
	Responses  map[string]strict[responseInputs]  `json:"x-amazon-apigateway-gateway-responses"`
	Validators map[string]strict[validatorInputs] `json:"x-amazon-apigateway-request-validators"`
	Validator  string                             `json:"x-amazon-apigateway-request-validator"`
	Binary     []string                           `json:"x-amazon-apigateway-binary-media-types"`
}

type operation struct {
	OperationID string                     `json:"operationId"`
	Parameters  []parameter                `json:"parameters"`
	Security    []map[string][]string      `json:"security"`
	Integration *strict[integrationInputs] `json:"x-amazon-apigateway-integration"`
	Validator   string                     `json:"x-amazon-apigateway-request-validator"`
}

type parameter struct {
	Ref      string `json:"$ref"`
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`
}

type validatorInputs struct {
	Body       bool `json:"validateRequestBody"`
	Parameters bool `json:"validateRequestParameters"`
}

// strict decodes an object that API Gateway defines, where an unknown key is
// an error.
type strict[T any] struct{ value T }

// UnmarshalJSON implements [json.Unmarshaler].
func (s *strict[T]) UnmarshalJSON(b []byte) error {
	return cloud.DecodeStrict(b, &s.value)
}

func parse(body string) (*document, error) {
	var tree map[string]any
	if err := json.Unmarshal([]byte(body), &tree); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	var in openAPI
	if err := errors.Join(checkExtensions(nil, tree), json.Unmarshal([]byte(body), &in)); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	doc := &document{binary: in.Binary, responses: map[string]*gatewayResponse{}}
	var errs []error
	for name, r := range in.Responses {
		var err error
		doc.responses[name], err = r.value.parse(name)
		errs = append(errs, err)
	}
	p := &documentParser{in: &in, authorizers: map[string]*authorizer{}}
	for _, path := range slices.Sorted(maps.Keys(in.Paths)) {
		r, err := p.resource(path, in.Paths[path])
		errs = append(errs, err)
		doc.resources = append(doc.resources, r)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return doc, doc.arrange()
}

func (in *openAPI) check() error {
	switch {
	case !strings.HasPrefix(in.OpenAPI, "3."):
		return fmt.Errorf("openapi is %q, want 3.x", in.OpenAPI)
	case in.Info == nil:
		return errors.New("info is missing")
	case in.Security != nil:
		return errors.New("security stands at the root, where API Gateway ignores it: put it on each operation")
	}
	for name, v := range in.Validators {
		if v.value.Body {
			return fmt.Errorf("request validator %q checks bodies, which the embedded cloud does not support", name)
		}
	}
	return nil
}

// documentParser turns the paths of one document into resources.
type documentParser struct {
	in          *openAPI
	authorizers map[string]*authorizer // by name of the security scheme
}

func isMethod(key string) bool {
	return slices.Contains([]string{"get", "put", "post", "delete", "options", "head", "patch"}, key)
}

func (p *documentParser) resource(path string, item map[string]json.RawMessage) (*resource, error) {
	segments, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	r := &resource{path: path, id: cloud.ID(6, "resource", path), segments: segments, methods: map[string]*method{}}
	var shared []parameter
	if raw, ok := item["parameters"]; ok {
		if err := json.Unmarshal(raw, &shared); err != nil {
			return nil, fmt.Errorf("paths[%s].parameters: %w", path, err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(item)) {
		if !isMethod(key) {
			continue
		}
		m, err := p.method(item[key], shared)
		if err != nil {
			return nil, fmt.Errorf("paths[%s].%s: %w", path, key, err)
		}
		m.name = strings.ToUpper(key)
		r.methods[m.name] = m
	}
	return r, nil
}

func (p *documentParser) method(raw json.RawMessage, shared []parameter) (*method, error) {
	var op operation
	if err := json.Unmarshal(raw, &op); err != nil {
		return nil, err
	}
	m := &method{operation: op.OperationID}
	var err error
	if op.Integration != nil {
		if m.integration, err = op.Integration.value.parse(); err != nil {
			return nil, fmt.Errorf("x-amazon-apigateway-integration: %w", err)
		}
	}
	if m.authorizer, err = p.authorizer(op.Security); err != nil {
		return nil, err
	}
	if op.Validator == "" {
		op.Validator = p.in.Validator
	}
	m.required, err = p.required(op.Validator, append(slices.Clone(shared), op.Parameters...))
	return m, err
}

// required lists the parameters that the named validator insists on.
func (p *documentParser) required(validator string, parameters []parameter) ([]parameter, error) {
	v, ok := p.in.Validators[validator]
	if !ok && validator != "" {
		return nil, fmt.Errorf("request validator %q is not defined", validator)
	}
	var required []parameter
	for _, q := range parameters {
		if q.Ref != "" {
			name, _ := strings.CutPrefix(q.Ref, "#/components/parameters/")
			if q, ok = p.in.Components.Parameters[name]; !ok {
				return nil, fmt.Errorf("parameter %q is not defined", name)
			}
		}
		if q.Required && v.value.Parameters {
			required = append(required, q)
		}
	}
	return required, nil
}

// checkExtensions refuses every key of Amazon's that this package does not
// read at that place. The value of a known one is decoded strictly elsewhere.
func checkExtensions(path []string, value any) error {
	var errs []error
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch {
			case !strings.HasPrefix(key, "x-amazon-"):
				errs = append(errs, checkExtensions(append(slices.Clip(path), key), v[key]))
			case !slices.Contains(extensionsAt(path), key):
				errs = append(errs, fmt.Errorf("%q is not supported by the embedded cloud at %q", key, strings.Join(path, "/")))
			}
		}
	case []any:
		for _, item := range v {
			errs = append(errs, checkExtensions(append(slices.Clip(path), "[]"), item))
		}
	}
	return errors.Join(errs...)
}

func extensionsAt(path []string) []string {
	const prefix = "x-amazon-apigateway-"
	switch {
	case len(path) == 0:
		return []string{prefix + "gateway-responses", prefix + "request-validators",
			prefix + "request-validator", prefix + "binary-media-types"}
	case len(path) == 3 && path[0] == "paths":
		return []string{prefix + "integration", prefix + "request-validator"}
	case len(path) == 3 && path[1] == "securitySchemes":
		return []string{prefix + "authtype", prefix + "authorizer"}
	default:
		return nil
	}
}
