package apigw

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/contract"
)

// Caller is who made a request, as API Gateway found out.
type Caller = contract.Caller

type callerKey struct{}

// Identity returns the caller of the request that ctx belongs to, and the zero
// Caller outside a request. It comes from API Gateway alone; nothing that a
// client can send changes it.
func Identity(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// errExpired is for a credential that API Gateway still takes from memory.
var errExpired = errors.New("the credential has expired")

// errNobody is for a principal that is no tenant.
var errNobody = errors.New("the principal is no tenant")

// identify reads the caller of an event, at the time that API Gateway received
// the request.
func identify(ev events.APIGatewayProxyRequest) (Caller, error) {
	c, err := contract.ReadCaller(ev.RequestContext.Authorizer)
	if err != nil {
		return Caller{}, err
	}
	// API Gateway names the signer where IAM decides, and nowhere else.
	if signer := ev.RequestContext.Identity.UserArn; c.Tenant == "" && signer != "" {
		if c.Tenant, err = contract.PrincipalTenant(signer); err != nil {
			return Caller{}, errNobody
		}
	}
	if at := ev.RequestContext.RequestTimeEpoch; !c.Expires.IsZero() && (at == 0 || c.Expired(time.UnixMilli(at))) {
		return Caller{}, errExpired
	}
	return c, nil
}
