package apigateway

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// method is one HTTP method of a resource.
type method struct {
	name        string // upper case
	operation   string // OpenAPI operationId; empty if it has none
	integration *integration
	authorizer  *authorizer // nil: open to all
	required    []parameter
}

// integration is a Lambda proxy integration.
type integration struct {
	function  string // ARN, qualified if the document says so
	stream    bool   // response transfer mode STREAM
	streamURI bool   // the function is invoked with response streaming
	timeout   time.Duration
}

type integrationInputs struct {
	Type                 string `json:"type"`
	HTTPMethod           string `json:"httpMethod"`
	URI                  string `json:"uri"`
	ResponseTransferMode string `json:"responseTransferMode"`
	TimeoutInMillis      *int   `json:"timeoutInMillis"`
	PassthroughBehavior  string `json:"passthroughBehavior"`
	Credentials          string `json:"credentials"`
}

// Limits on integration timeouts, in milliseconds.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
const (
	minTimeout         = 50
	maxBufferedTimeout = 29_000
	maxStreamTimeout   = 900_000
)

func (in integrationInputs) parse() (*integration, error) {
	function, streamURI, err := parseURI(in.URI)
	longest := maxBufferedTimeout
	if in.ResponseTransferMode == "STREAM" {
		longest = maxStreamTimeout
	}
	timeout := maxBufferedTimeout
	if in.TimeoutInMillis != nil {
		timeout = *in.TimeoutInMillis
	}
	switch {
	case !strings.EqualFold(in.Type, "aws_proxy"):
		return nil, fmt.Errorf("type %q is not supported by the embedded cloud: use aws_proxy", in.Type)
	case in.HTTPMethod != "POST":
		return nil, fmt.Errorf("httpMethod is %q, but functions are invoked with POST only", in.HTTPMethod)
	case err != nil:
		return nil, err
	case !slices.Contains([]string{"", "BUFFERED", "STREAM"}, in.ResponseTransferMode):
		return nil, fmt.Errorf("responseTransferMode %q is neither BUFFERED nor STREAM", in.ResponseTransferMode)
	case timeout < minTimeout || timeout > longest:
		return nil, fmt.Errorf("timeout should be between %d ms and %d ms, not %d ms", minTimeout, longest, timeout)
	case !slices.Contains([]string{"", "when_no_match", "when_no_templates", "never"}, strings.ToLower(in.PassthroughBehavior)):
		return nil, fmt.Errorf("passthroughBehavior %q is not known", in.PassthroughBehavior)
	case in.Credentials != "":
		return nil, errors.New("credentials are not supported by the embedded cloud: permit API Gateway with a lambda.Permission")
	}
	return &integration{
		function: function, stream: in.ResponseTransferMode == "STREAM", streamURI: streamURI,
		timeout: time.Duration(timeout) * time.Millisecond,
	}, nil
}

var lambdaURI = regexp.MustCompile(
	`^arn:aws:apigateway:[a-z0-9-]+:lambda:path/([0-9-]+)/functions/(arn:aws:lambda:[A-Za-z0-9:_-]+)/([a-z-]+)$`)

// parseURI reads the function and the kind of invocation from a URI.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
func parseURI(uri string) (function string, stream bool, err error) {
	m := lambdaURI.FindStringSubmatch(uri)
	if m == nil {
		return "", false, fmt.Errorf("uri %q does not name a Lambda function", uri)
	}
	switch m[1] + "/" + m[3] {
	case "2015-03-31/invocations":
		return m[2], false, nil
	case "2021-11-15/response-streaming-invocations":
		return m[2], true, nil
	default:
		return "", false, fmt.Errorf("uri %q is neither 2015-03-31/…/invocations nor 2021-11-15/…/response-streaming-invocations", uri)
	}
}

// authorizer is a TOKEN authorizer, or IAM in its place.
type authorizer struct {
	iam        bool // the rest is empty then
	id         string
	header     string // that carries the token
	function   string
	ttl        time.Duration
	expression *regexp.Regexp // nil: any token is worth asking about
}

type securityScheme struct {
	Type       string                    `json:"type"`
	Name       string                    `json:"name"`
	In         string                    `json:"in"`
	AuthType   string                    `json:"x-amazon-apigateway-authtype"`
	Authorizer *strict[authorizerInputs] `json:"x-amazon-apigateway-authorizer"`
}

type authorizerInputs struct {
	Type           string `json:"type"`
	URI            string `json:"authorizerUri"`
	TTL            *int   `json:"authorizerResultTtlInSeconds"`
	Expression     string `json:"identityValidationExpression"`
	IdentitySource string `json:"identitySource"`
}

// Cache time of an authorizer's answers, in seconds.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
const (
	defaultAuthorizerTTL = 300
	maxAuthorizerTTL     = 3600
)

// authorizer returns the one that an operation's security names, nil for none.
func (p *documentParser) authorizer(security []map[string][]string) (*authorizer, error) {
	if len(security) == 0 {
		return nil, nil
	}
	if len(security) > 1 || len(security[0]) != 1 {
		return nil, errors.New("security: API Gateway takes one authorizer for an operation")
	}
	name := slices.Collect(maps.Keys(security[0]))[0]
	if a, ok := p.authorizers[name]; ok {
		return a, nil
	}
	scheme, ok := p.in.Components.SecuritySchemes[name]
	if !ok {
		return nil, fmt.Errorf("security scheme %q is not defined", name)
	}
	a, err := scheme.parse(name)
	if err != nil {
		return nil, fmt.Errorf("security scheme %q: %w", name, err)
	}
	p.authorizers[name] = a
	return a, nil
}

func (in securityScheme) parse(name string) (*authorizer, error) {
	if in.AuthType == "awsSigv4" {
		return in.parseIAM()
	}
	if in.Authorizer == nil {
		return nil, errors.New("has no x-amazon-apigateway-authorizer, so API Gateway would leave the operation open")
	}
	x := in.Authorizer.value
	function, stream, err := parseURI(x.URI)
	ttl := defaultAuthorizerTTL
	if x.TTL != nil {
		ttl = *x.TTL
	}
	switch {
	case in.Type != "apiKey" || in.In != "header" || in.Name == "":
		return nil, errors.New("a token authorizer needs type apiKey, in header, and the name of the header")
	case in.AuthType != "" && in.AuthType != "custom":
		return nil, fmt.Errorf("x-amazon-apigateway-authtype %q is not supported by the embedded cloud: use custom or awsSigv4", in.AuthType)
	case x.Type != "token":
		return nil, fmt.Errorf("authorizer type %q is not supported by the embedded cloud: use token", x.Type)
	case err != nil:
		return nil, fmt.Errorf("authorizerUri: %w", err)
	case stream:
		return nil, errors.New("authorizerUri: an authorizer cannot stream")
	case ttl < 0 || ttl > maxAuthorizerTTL:
		return nil, fmt.Errorf("authorizerResultTtlInSeconds is %d, want 0 to %d", ttl, maxAuthorizerTTL)
	case x.IdentitySource != "" && x.IdentitySource != "method.request.header."+in.Name:
		return nil, fmt.Errorf("identitySource %q is not the header %q", x.IdentitySource, in.Name)
	}
	a := &authorizer{
		id: cloud.ID(6, "authorizer", name), header: in.Name, function: function, ttl: time.Duration(ttl) * time.Second,
	}
	if x.Expression != "" {
		if a.expression, err = regexp.Compile("^(?:" + x.Expression + ")$"); err != nil {
			return nil, fmt.Errorf("identityValidationExpression: %w", err)
		}
	}
	return a, nil
}

// parseIAM reads a scheme that leaves the decision to IAM.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html
func (in securityScheme) parseIAM() (*authorizer, error) {
	if in.Type != "apiKey" || in.In != "header" || in.Name != "Authorization" || in.Authorizer != nil {
		return nil, errors.New("awsSigv4 needs type apiKey, in header, name Authorization, and no x-amazon-apigateway-authorizer")
	}
	return &authorizer{iam: true}, nil
}
