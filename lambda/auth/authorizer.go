package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/contract"
)

// storeTimeout bounds the wait for the store: a region that cannot read keys
// must say so while its clients still have the patience for another.
const storeTimeout = 2 * time.Second

// errUnauthorized makes API Gateway answer 401. The text is
// the protocol, capital letter and all.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
var errUnauthorized = errors.New("Unauthorized")

// Authorizer is a token authorizer for REST APIs.
type Authorizer struct {
	// Store is required.
	Store Store
	// Now is required; time.Now outside tests.
	Now func() time.Time
	// Log is required. It learns outcomes, never who asked.
	Log *slog.Logger
}

// Handle returns a policy for the whole stage, since API Gateway caches it for
// a token and applies it to every route, with the key's tenant and id as
// context. A token that opens nothing gives the error that API Gateway turns
// into a 401; if the store cannot say, the error is another and gives a 500.
func (a *Authorizer) Handle(ctx context.Context, ev events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	var refused events.APIGatewayCustomAuthorizerResponse
	stage, err := stageARN(ev.MethodArn)
	if err != nil {
		return refused, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	id, r, err := Verify(ctx, a.Store, bearer(ev.AuthorizationToken), a.Now())
	switch {
	case errors.Is(err, ErrRefused):
		a.Log.InfoContext(ctx, "authorize", "outcome", "refused")
		return refused, errUnauthorized
	case err != nil:
		a.Log.ErrorContext(ctx, "authorize", "outcome", "error", "error", err.Error())
		return refused, errors.New("authorize: the store of API keys did not answer")
	}
	a.Log.InfoContext(ctx, "authorize", "outcome", "allowed")
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: r.Tenant,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{stage + "/*"},
			}},
		},
		Context: map[string]any{contract.ContextTenant: r.Tenant, contract.ContextKeyID: id},
	}, nil
}

// bearer returns the credential of an Authorization header, "" if it is of
// another scheme. The scheme's case does not matter.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-11.1
func bearer(header string) string {
	scheme, credential, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(credential, " ")
}

// stageARN cuts method and path off the ARN of a method:
// arn:aws:execute-api:region:account:api/stage/METHOD/path.
func stageARN(method string) (string, error) {
	parts := strings.SplitN(method, "/", 3)
	if len(parts) != 3 || !strings.HasPrefix(parts[0], "arn:") || strings.Contains(parts[0], "*") || parts[1] == "" || parts[1] == "*" {
		return "", fmt.Errorf("authorize: %q is no ARN of a method of an API", method)
	}
	return parts[0] + "/" + parts[1], nil
}
