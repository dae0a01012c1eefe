package apigateway

import (
	"context"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

type accountInputs struct {
	CloudwatchRoleARN string `json:"cloudwatchRoleArn,omitempty"`
}

// createAccount sets the role that API Gateway writes logs of a region with.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
func (s *Service) createAccount(_ context.Context, r cloud.Request[accountInputs]) (cloud.State, error) {
	role := r.In.CloudwatchRoleARN
	if err := s.checkLogRole(r.Region, role); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, set := s.logRoles[r.Region]; set {
		return cloud.State{}, conflict("the account's settings in %s are managed already: "+
			"AWS would let the later one win, so keep one Account for each region", r.Region)
	}
	s.logRoles[r.Region] = role
	return cloud.State{ID: "api-gateway-account", Outputs: map[string]any{"apiKeyVersion": "4"}}, nil
}

func (s *Service) updateAccount(_ context.Context, r cloud.Request[accountInputs]) (cloud.State, error) {
	if err := s.checkLogRole(r.Region, r.In.CloudwatchRoleARN); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logRoles[r.Region] = r.In.CloudwatchRoleARN
	return cloud.State{}, nil
}

// deleteAccount leaves what it set, as the provider does: the settings are the
// account's, and others may rely on them.
// Source: https://www.pulumi.com/registry/packages/aws/api-docs/apigateway/account/
func (s *Service) deleteAccount(_ context.Context, r cloud.Request[accountInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.logRoles, r.Region)
	return nil
}

// checkLogRole refuses a role that API Gateway could not write logs with. No
// role is none to refuse.
func (s *Service) checkLogRole(region, role string) error {
	if role == "" {
		return nil
	}
	if err := s.tryLogRole(region, role); err != nil {
		return badRequest("The role ARN does not have required permissions configured. "+
			"Please grant trust permission for API Gateway and add the required role policy. (%v)", err)
	}
	return nil
}

// tryLogRole asks for all that AWS documents the role to need, in the group
// that API Gateway tries it with.
// Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAPIGatewayPushToCloudWatchLogs.html
func (s *Service) tryLogRole(region, role string) error {
	if err := s.cfg.Roles.CheckTrust(role, "apigateway.amazonaws.com"); err != nil {
		return err
	}
	group := cloud.ARN("logs", region, "log-group:/aws/apigateway/welcome")
	stream := group + ":log-stream:welcome"
	for action, resource := range map[string]string{
		"logs:CreateLogGroup": group, "logs:CreateLogStream": stream, "logs:DescribeLogGroups": group, "logs:DescribeLogStreams": group,
		"logs:PutLogEvents": stream, "logs:GetLogEvents": stream, "logs:FilterLogEvents": group,
	} {
		if err := s.cfg.Roles.Authorize(logCaller(region, role), action, resource, nil); err != nil {
			return err
		}
	}
	return nil
}

// logCaller is API Gateway in the role of the account.
func logCaller(region, role string) cloud.Caller {
	name := role[strings.LastIndex(role, "/")+1:]
	return cloud.Caller{
		ARN: cloud.ARN("sts", "", "assumed-role/"+name+"/BackplaneAssumeRoleSession"), Role: name, Home: region, Region: region,
	}
}
