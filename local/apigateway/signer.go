package apigateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
)

// signingName is the service that callers of an API sign for.
const signingName = "execute-api"

// Signers tells who signed a request; local/iam implements it.
type Signers interface {
	// VerifyIn returns who signed r for the region, or a [cloud.APIError].
	VerifyIn(region string, r *http.Request, body []byte) (iam.Signer, error)
}

// authorizeSigner lets IAM decide: by the signature, which must be for this
// region, and by the policies of who made it.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func (s *Service) authorizeSigner(x *exchange) *refusal {
	signer, err := s.cfg.Signers.VerifyIn(x.region, x.r, x.body)
	if err != nil {
		return unverified(err)
	}
	if signer.Service != signingName {
		return refuse(http.StatusForbidden, "INVALID_SIGNATURE", "Credential should be scoped to correct service: '"+signingName+"'.")
	}
	if err := s.cfg.Roles.Authorize(signer.Caller, "execute-api:Invoke", x.methodARN(), nil); err != nil {
		return refuse(http.StatusForbidden, "ACCESS_DENIED", err.Error())
	}
	x.signer = &signer
	return nil
}

// unverified is the answer to a request whose signature is missing or wrong.
func unverified(err error) *refusal {
	kind, message := "INVALID_SIGNATURE", err.Error()
	var api *cloud.APIError
	if errors.As(err, &api) {
		message = api.Message
		switch api.Code {
		case "MissingAuthenticationTokenException":
			kind = "MISSING_AUTHENTICATION_TOKEN"
		case "ExpiredTokenException":
			kind = "EXPIRED_TOKEN"
		}
	}
	return refuse(http.StatusForbidden, kind, message)
}

// signerIdentity is what functions learn of a signer; nil values for none.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
func (x *exchange) signerIdentity() map[string]any {
	names := []string{"accessKey", "accountId", "caller", "user", "userArn"}
	identity := map[string]any{}
	for _, name := range names {
		identity[name] = nil
	}
	if x.signer == nil {
		return identity
	}
	_, session, _ := strings.Cut(x.signer.ARN[strings.LastIndex(x.signer.ARN, ":")+1:], "/")
	principal := strings.ToUpper(cloud.ID(20, "principal", session))
	identity["accessKey"], identity["accountId"] = x.signer.KeyID, cloud.Account
	identity["caller"], identity["user"], identity["userArn"] = principal, principal, x.signer.ARN
	return identity
}
