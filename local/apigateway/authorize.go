package apigateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/lambda"
)

// Bounds on asking an authorizer.
const (
	authorizerTimeout = 30 * time.Second
	maxAuthorizerBody = 6 << 20
)

// errUnauthorized is what a function means by failing with "Unauthorized".
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
var errUnauthorized = errors.New("the authorizer answered Unauthorized")

// errAuthorizerFailed is any other failure inside an authorizer.
var errAuthorizerFailed = errors.New("the authorizer failed")

func (s *Service) authorize(x *exchange) *refusal {
	a := x.method.authorizer
	if a == nil {
		return nil
	}
	if a.iam {
		return s.authorizeSigner(x)
	}
	token := x.r.Header.Get(a.header)
	if token == "" || (a.expression != nil && !a.expression.MatchString(token)) {
		return refuse(http.StatusUnauthorized, "UNAUTHORIZED", "Unauthorized")
	}
	key := verdictKey{a, token}
	v := x.stage.recall(key, x.at)
	if v == nil {
		var err error
		if v, err = s.ask(x, a, token); err != nil {
			return s.authorizerRefusal(x, err)
		}
		if a.ttl > 0 {
			v.until = x.at.Add(a.ttl)
			x.stage.remember(key, v, x.at)
		}
	}
	x.identity = v.context
	switch v.policy.Decide(iam.Ask{Action: "execute-api:Invoke", Resource: x.methodARN()}) {
	case iam.Allowed:
		return nil
	case iam.Denied:
		return refuse(http.StatusForbidden, "ACCESS_DENIED", "User is not authorized to access this resource with an explicit deny")
	default:
		return refuse(http.StatusForbidden, "ACCESS_DENIED", "User is not authorized to access this resource")
	}
}

func (s *Service) authorizerRefusal(x *exchange, err error) *refusal {
	if errors.Is(err, errUnauthorized) {
		return refuse(http.StatusUnauthorized, "UNAUTHORIZED", "Unauthorized")
	}
	s.warn(x, "authorizer", err)
	if errors.Is(err, errAuthorizerFailed) {
		return internalError(http.StatusInternalServerError, "AUTHORIZER_FAILURE")
	}
	return internalError(http.StatusInternalServerError, "AUTHORIZER_CONFIGURATION_ERROR")
}

// methodARN names what the caller wants to invoke, with the path it used.
func (x *exchange) methodARN() string {
	return fmt.Sprintf("%s/%s/%s/%s", x.api.executionARN(), x.stage.name, x.method.name, strings.TrimPrefix(x.route, "/"))
}

// ask invokes the authorizer and reads its verdict.
func (s *Service) ask(x *exchange, a *authorizer, token string) (*verdict, error) {
	event, err := json.Marshal(map[string]string{
		"type": "TOKEN", "authorizationToken": token, "methodArn": x.methodARN(),
	})
	if err != nil {
		return nil, err
	}
	guard := watch(x.r.Context(), s.cfg.RequestClock, authorizerTimeout, authorizerTimeout)
	defer guard.stop()
	res, err := s.cfg.Lambda.Invoke(guard.ctx, lambda.Invocation{
		FunctionARN: a.function, Payload: event, Principal: "apigateway.amazonaws.com",
		SourceARN: x.api.executionARN() + "/authorizers/" + a.id,
	})
	if err != nil {
		return nil, err
	}
	body, err := guard.readAll(res.Body, maxAuthorizerBody)
	if err != nil {
		return nil, err
	}
	if res.FunctionError != "" {
		return nil, functionFailure(body)
	}
	return parseVerdict(body)
}

func functionFailure(body []byte) error {
	var failure struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(body, &failure); err != nil {
		return fmt.Errorf("%w: %s", errAuthorizerFailed, body)
	}
	if failure.Message == "Unauthorized" {
		return errUnauthorized
	}
	return fmt.Errorf("%w: %s", errAuthorizerFailed, failure.Message)
}

// parseVerdict reads an authorizer's answer.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func parseVerdict(body []byte) (*verdict, error) {
	var answer struct {
		PrincipalID        string          `json:"principalId"`
		PolicyDocument     json.RawMessage `json:"policyDocument"`
		Context            map[string]any  `json:"context"`
		UsageIdentifierKey string          `json:"usageIdentifierKey"`
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&answer); err != nil {
		return nil, fmt.Errorf("read the authorizer's answer: %w", err)
	}
	if answer.PrincipalID == "" {
		return nil, errors.New("read the authorizer's answer: principalId is missing")
	}
	policy, err := iam.ParsePolicy(string(answer.PolicyDocument))
	if err != nil {
		return nil, fmt.Errorf("read the authorizer's policy: %w", err)
	}
	v := &verdict{policy: policy, context: map[string]string{}}
	for key, value := range answer.Context {
		switch value := value.(type) {
		case string:
			v.context[key] = value
		case json.Number:
			v.context[key] = value.String()
		case bool:
			v.context[key] = strconv.FormatBool(value)
		default:
			return nil, fmt.Errorf("read the authorizer's answer: context %q is neither text, number nor boolean", key)
		}
	}
	v.context["principalId"] = answer.PrincipalID
	return v, nil
}
