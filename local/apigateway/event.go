package apigateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// event is the proxy event of a REST API.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func (x *exchange) event() ([]byte, error) {
	headers := x.headers()
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("read the query: %w", err)
	}
	body, encoded := x.payload()
	return json.Marshal(map[string]any{
		"resource": x.resource.path, "path": x.path, "httpMethod": x.method.name,
		"headers": last(headers), "multiValueHeaders": headers,
		"queryStringParameters": last(query), "multiValueQueryStringParameters": orNull(query),
		"pathParameters": orNull(x.params), "stageVariables": orNull(x.stage.variables),
		"requestContext": x.requestContext(), "body": body, "isBase64Encoded": encoded,
	})
}

func (x *exchange) requestContext() map[string]any {
	prefix, _, _ := strings.Cut(normalize(x.r.Host), ".")
	identity := x.signerIdentity()
	maps.Copy(identity, map[string]any{
		"sourceIp": x.sourceIP(), "userAgent": orNil(x.r.UserAgent()),
		"cognitoAuthenticationProvider": nil, "cognitoAuthenticationType": nil, "cognitoIdentityId": nil,
		"cognitoIdentityPoolId": nil, "principalOrgId": nil,
	})
	c := map[string]any{
		"accountId": cloud.Account, "apiId": x.api.id, "stage": x.stage.name, "deploymentId": x.stage.document.deployment,
		"requestId": x.id, "extendedRequestId": x.extendedID, "resourcePath": x.resource.path, "resourceId": x.resource.id,
		"httpMethod": x.method.name, "path": x.r.URL.EscapedPath(), "protocol": x.r.Proto,
		"domainName": normalize(x.r.Host), "domainPrefix": prefix,
		"requestTimeEpoch": x.at.UnixMilli(), "requestTime": x.at.UTC().Format("02/Jan/2006:15:04:05 -0700"),
		"identity": identity,
	}
	if x.identity != nil {
		c["authorizer"] = x.identity
	}
	if x.method.operation != "" {
		c["operationName"] = x.method.operation
	}
	return c
}

// headers are the client's and those that the edge adds.
func (x *exchange) headers() map[string][]string {
	h := x.r.Header.Clone()
	h.Set("Host", x.r.Host)
	h.Set("X-Amzn-Trace-Id", fmt.Sprintf("Root=1-%08x-%s", x.at.Unix(), cloud.ID(24, "trace", x.id)))
	h.Set("X-Forwarded-For", strings.Join(append(x.r.Header.Values("X-Forwarded-For"), x.sourceIP()), ", "))
	h.Set("X-Forwarded-Port", "443")
	h.Set("X-Forwarded-Proto", "https")
	return h
}

func (x *exchange) sourceIP() string {
	host, _, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil {
		return x.r.RemoteAddr
	}
	return host
}

// payload is the body as JSON text, in which what is no UTF-8 is replaced by
// U+FFFD, or in base64 when its media type is among the API's binary ones.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
func (x *exchange) payload() (body any, encoded bool) {
	switch {
	case len(x.body) == 0:
		return nil, false
	case x.stage.document.isBinary(x.r.Header.Get("Content-Type")):
		return base64.StdEncoding.EncodeToString(x.body), true
	default:
		return string(x.body), false
	}
}

// isBinary reports whether a media type is among those that are not text.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
func (d *document) isBinary(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType, _, _ = strings.Cut(strings.TrimSpace(mediaType), ",")
	return slices.ContainsFunc(d.binary, func(b string) bool {
		return b == "*/*" || strings.EqualFold(b, mediaType)
	})
}

// last keeps the last of each name's values, nil if there are no names.
func last(values map[string][]string) map[string]string {
	var single map[string]string
	for name, v := range values {
		if single == nil {
			single = map[string]string{}
		}
		single[name] = v[len(v)-1]
	}
	return single
}

// orNull turns an empty map into nil: REST events carry null for it.
func orNull[V any, M ~map[string]V](m M) M {
	if len(m) == 0 {
		return nil
	}
	return m
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}
