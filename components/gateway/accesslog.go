package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// AccessLogs writes one line of JSON for each request, into a log group of its
// own: what was asked of which route and how long it took, and nothing that
// says who asked or what.
type AccessLogs struct {
	// RetentionDays is a value that CloudWatch Logs knows. Default: 30.
	RetentionDays int
	// KeyArn is the key that encrypts the lines; its policy must let CloudWatch
	// Logs of the region use it. Default: a key of CloudWatch Logs.
	KeyArn pulumi.StringInput
	// OwnsAccountRole creates the role that API Gateway writes logs with, and
	// makes it the account's in the region. All APIs there share that one
	// setting, so at most one stack may own it. Destroying the stack removes the
	// role but leaves the setting. Default: the account has such a role already.
	OwnsAccountRole bool
	// PermissionsBoundary is the ARN of a managed policy for that role.
	// Default: none.
	PermissionsBoundary string
}

// accessLogFormat returns the line. Every value is quoted, since API Gateway
// writes a dash for what it does not have. There is no path, which may name a
// conversation, only the route; and no body, query, credential, user agent or
// address.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
func accessLogFormat() (string, error) {
	b, err := json.Marshal(map[string]string{
		"requestId":          "$context.requestId",
		"extendedRequestId":  "$context.extendedRequestId",
		"requestTime":        "$context.requestTimeEpoch",
		"route":              "$context.httpMethod $context.resourcePath",
		"status":             "$context.status",
		"integrationStatus":  "$context.integration.status",
		"integrationLatency": "$context.integration.latency",
		"timeToFirstContent": "$context.integration.timeToFirstContent",
		"responseLatency":    "$context.responseLatency",
		"errorType":          "$context.error.responseType",
	})
	return string(b), err
}

// log adds access logs to a stage that is about to be registered, and returns
// what must exist before it.
func (a *RegionalAPI) log(ctx *pulumi.Context, name string, logs *AccessLogs, stage *apigateway.StageArgs) ([]pulumi.Resource, error) {
	format, err := accessLogFormat()
	if err != nil {
		return nil, err
	}
	groupArgs := &cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(cmp.Or(logs.RetentionDays, 30))}
	if logs.KeyArn != nil {
		groupArgs.KmsKeyId = logs.KeyArn.ToStringOutput().ToStringPtrOutput()
	}
	group, err := cloudwatch.NewLogGroup(ctx, name+"-access", groupArgs, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("access log of %s: %w", name, err)
	}
	stage.AccessLogSettings = apigateway.StageAccessLogSettingsArgs{DestinationArn: group.Arn, Format: pulumi.String(format)}
	if !logs.OwnsAccountRole {
		return nil, nil
	}
	return a.ownAccountRole(ctx, name, logs, group.Arn)
}

// ownAccountRole lets API Gateway write logs in this account and region.
func (a *RegionalAPI) ownAccountRole(ctx *pulumi.Context, name string, logs *AccessLogs, group pulumi.StringOutput) ([]pulumi.Resource, error) {
	roleArgs := &iam.RoleArgs{AssumeRolePolicy: group.ApplyT(accountRoleTrust).(pulumi.StringOutput)}
	if logs.PermissionsBoundary != "" {
		roleArgs.PermissionsBoundary = pulumi.String(logs.PermissionsBoundary)
	}
	role, err := iam.NewRole(ctx, name+"-logs-role", roleArgs, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("log role of %s: %w", name, err)
	}
	grant, err := iam.NewRolePolicy(ctx, name+"-write-logs", &iam.RolePolicyArgs{
		Role: role.Name, Policy: group.ApplyT(accountRolePolicy).(pulumi.StringOutput),
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("grant to the log role of %s: %w", name, err)
	}
	// API Gateway tries the role when it is set, so it must have its rights.
	account, err := apigateway.NewAccount(ctx, name+"-account", &apigateway.AccountArgs{
		CloudwatchRoleArn: role.Arn,
	}, pulumi.Parent(a), pulumi.DependsOn([]pulumi.Resource{grant}))
	if err != nil {
		return nil, fmt.Errorf("account settings of %s: %w", name, err)
	}
	return []pulumi.Resource{account}, nil
}

// accountRoleTrust lets API Gateway assume the role for the account that the log
// group is in. AWS documents no condition for it, least of all on the API.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
func accountRoleTrust(group string) (string, error) {
	arn, err := splitARN(group)
	if err != nil {
		return "", err
	}
	return policy.TrustFor("apigateway.amazonaws.com", arn[4]), nil
}

// splitARN is partition, service, region, account and the rest, behind "arn".
func splitARN(group string) ([]string, error) {
	arn := strings.SplitN(group, ":", 6)
	if len(arn) < 6 {
		return nil, fmt.Errorf("access log %q is not an ARN", group)
	}
	return arn, nil
}

// accountRolePolicy allows what AWS documents for the role, by way of a managed
// policy on every resource, here for the log groups of one account and region.
// It cannot name them: the role serves all APIs there, and API Gateway is seen
// to try it with a group of its own, /aws/apigateway/welcome.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
// Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAPIGatewayPushToCloudWatchLogs.html
func accountRolePolicy(group string) (string, error) {
	arn, err := splitARN(group)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(object{"Version": "2012-10-17", "Statement": []object{{
		"Effect": "Allow",
		"Action": []string{
			"logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams",
			"logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents",
		},
		"Resource": []string{fmt.Sprintf("arn:%s:logs:%s:%s:log-group:*", arn[1], arn[3], arn[4])},
	}}})
	return string(b), err
}
