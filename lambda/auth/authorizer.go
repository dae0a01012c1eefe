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

// timeout bounds all that one question takes: a region that cannot tell who a
// caller is must say so while its clients still have the patience for another.
const timeout = 4 * time.Second

// errUnauthorized makes API Gateway answer 401. The text is
// the protocol, capital letter and all.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
var errUnauthorized = errors.New("Unauthorized")

// Verifier tells whom a credential speaks for.
type Verifier interface {
	// Verify returns the caller, or [ErrRefused] if the credential opens nothing.
	// Any other error means that it cannot tell.
	Verify(ctx context.Context, credential string) (contract.Caller, error)
}

// Keys is the [Verifier] of API keys.
type Keys struct {
	// Reader is required.
	Reader Reader
	// Now is required; time.Now outside tests.
	Now func() time.Time
}

// Verify implements [Verifier].
func (k Keys) Verify(ctx context.Context, key string) (contract.Caller, error) {
	id, r, err := Verify(ctx, k.Reader, key, k.Now())
	if err != nil {
		return contract.Caller{}, err
	}
	return contract.Caller{Tenant: r.Tenant, KeyID: id, Models: r.Models, Expires: r.Expires}, nil
}

// Authorizer is a token authorizer for REST APIs.
type Authorizer struct {
	// Verifier is required.
	Verifier Verifier
	// Log is required. It learns outcomes, never who asked.
	Log *slog.Logger
}

// Handle returns a policy for the whole stage, since API Gateway caches it for
// a token and applies it to every route, with what is known of the caller as
// context. A token that opens nothing gives the error that API Gateway turns
// into a 401; if that cannot be told, the error is another and gives a 500.
//
// API Gateway keeps the answer for up to five minutes. A revocation takes effect
// after that; when a credential expires, whoever reads the context sees to it on
// time. The limits of the tenant are no part of the answer, so a table that does
// not tell them shuts nobody out, and API keys take one call to it.
func (a *Authorizer) Handle(ctx context.Context, ev events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	var refused events.APIGatewayCustomAuthorizerResponse
	stage, err := stageARN(ev.MethodArn)
	if err != nil {
		return refused, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	caller, err := a.Verifier.Verify(ctx, bearer(ev.AuthorizationToken))
	var refusal *RefusedError
	switch {
	case errors.As(err, &refusal):
		a.Log.InfoContext(ctx, "authorize", "outcome", "refused", "reason", refusal.Reason)
		return refused, errUnauthorized
	case errors.Is(err, ErrRefused):
		a.Log.InfoContext(ctx, "authorize", "outcome", "refused")
		return refused, errUnauthorized
	case err != nil:
		a.Log.ErrorContext(ctx, "authorize", "outcome", "error", "error", err.Error())
		return refused, errors.New("authorize: who the caller is could not be found out")
	}
	a.Log.InfoContext(ctx, "authorize", "outcome", "allowed")
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: caller.Tenant,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{stage + "/*"},
			}},
		},
		Context: caller.Context(),
	}, nil
}

// RefusedError is an [ErrRefused] that says why, in words that hold nothing of
// the credential.
type RefusedError struct{ Reason string }

// Error implements error.
func (e *RefusedError) Error() string { return "the credential is refused: " + e.Reason }

// Unwrap makes it an [ErrRefused].
func (e *RefusedError) Unwrap() error { return ErrRefused }

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
