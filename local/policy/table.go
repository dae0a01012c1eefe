package policy

// right is what the AWS provider does to resources of one type.
type right struct {
	// sets names the document that it belongs to: a managed policy holds 6,144
	// characters.
	set string
	// actions of AWS's, with the service.
	actions []string
	// resources are ARNs without "arn:aws:", in which {region} stands for that of
	// a registered resource, {account} and {home} for those of the stack, and
	// {stack} for its name. None for actions that AWS offers on "*" only.
	resources []string
	// condition is one of those below. Default: none.
	condition string
}

// Documents, and names of conditions.
const (
	functionsSet = "functions"
	dataSet      = "data"
	edgeSet      = "edge"

	created = "created" // carries the stack's tag when it is made
	tagged  = "tagged"  // carries the stack's tag
	bounded = "bounded" // has the permissions boundary of the settings, if they name one
	bound   = "bound"   // the same; there is no such right if they do not
	passed  = "passed"  // goes to a service that the stack uses
	stored  = "stored"  // is asked for by DynamoDB
	granted = "granted" // is a grant that DynamoDB makes
	linked  = "linked"  // is the role of a service
	named   = "named"   // records of the stack's names
)

// Where resources are. Pulumi names them after their logical names, which begin
// with the region; the dashboard has a name of its own.
const (
	roles        = "iam::{account}:role/{region}-*"
	functions    = "lambda:{region}:{account}:function:{region}-*"
	groups       = "logs:{region}:{account}:log-group:{region}-*"
	profiles     = "bedrock:{region}:{account}:application-inference-profile/*"
	systems      = "bedrock:{region}:{account}:inference-profile/*"
	models       = "bedrock:*::foundation-model/*"
	tables       = "dynamodb:{region}:{account}:table/{home}-conversation-*"
	keys         = "kms:{region}:{account}:key/*"
	keyAliases   = "kms:{region}:{account}:alias/{region}-*"
	certificates = "acm:{region}:{account}:certificate/*"
	apis         = "apigateway:{region}::/restapis"
	api          = "apigateway:{region}::/restapis/*"
	domains      = "apigateway:{region}::/domainnames"
	domain       = "apigateway:{region}::/domainnames/*"
	apiTags      = "apigateway:{region}::/tags/*"
	apiAccount   = "apigateway:{region}::/account"
	checks       = "route53:::healthcheck/*"
	zones        = "route53:::hostedzone/*"
	alarms       = "cloudwatch:{region}:{account}:alarm:{region}-alarms-*"
	everyAlarm   = "cloudwatch:{region}:{account}:alarm:*"
	boards       = "cloudwatch::{account}:dashboard/crossregion-{stack}"
	topics       = "sns:{region}:{account}:{region}-alarms-*"
	firewalls    = "wafv2:{region}:{account}:regional/webacl/{region}-*"
	ruleSets     = "wafv2:{region}:{account}:regional/managedruleset/*"
)

// table says what each type of resource takes: to make it, read it, change it
// and remove it. What the AWS provider calls stands in its source, by type, and
// what a call takes in AWS's service authorization reference.
// Source: https://github.com/hashicorp/terraform-provider-aws (internal/service)
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/
var table = map[string][]right{
	"aws:iam/role:Role": {
		{set: functionsSet, actions: []string{"iam:CreateRole"}, resources: []string{roles}, condition: bounded},
		{set: functionsSet, actions: []string{"iam:PutRolePermissionsBoundary"}, resources: []string{roles}, condition: bound},
		{set: functionsSet, actions: []string{"iam:DeleteRole", "iam:GetRole", "iam:ListAttachedRolePolicies",
			"iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags", "iam:TagRole", "iam:UntagRole",
			"iam:UpdateAssumeRolePolicy", "iam:UpdateRole"}, resources: []string{roles}},
		{set: functionsSet, actions: []string{"iam:PassRole"}, resources: []string{roles}, condition: passed},
	},
	"aws:iam/rolePolicy:RolePolicy": {
		{set: functionsSet, actions: []string{"iam:PutRolePolicy"}, resources: []string{roles}, condition: bounded},
		{set: functionsSet, actions: []string{"iam:DeleteRolePolicy", "iam:GetRolePolicy"}, resources: []string{roles}},
	},
	"aws:lambda/function:Function": {{set: functionsSet, actions: []string{"lambda:CreateFunction", "lambda:DeleteFunction",
		"lambda:DeleteFunctionConcurrency", "lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConcurrency",
		"lambda:GetFunctionConfiguration", "lambda:ListTags", "lambda:ListVersionsByFunction", "lambda:PublishVersion",
		"lambda:PutFunctionConcurrency", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunctionCode",
		"lambda:UpdateFunctionConfiguration"}, resources: []string{functions}}},
	"aws:lambda/alias:Alias": {{set: functionsSet, actions: []string{"lambda:CreateAlias", "lambda:DeleteAlias", "lambda:GetAlias",
		"lambda:UpdateAlias"}, resources: []string{functions}}},
	"aws:lambda/permission:Permission": {{set: functionsSet, actions: []string{"lambda:AddPermission", "lambda:GetPolicy",
		"lambda:RemovePermission"}, resources: []string{functions}}},
	"aws:cloudwatch/logGroup:LogGroup": {
		{set: functionsSet, actions: []string{"logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup",
			"logs:DeleteRetentionPolicy", "logs:DisassociateKmsKey", "logs:ListTagsForResource", "logs:PutRetentionPolicy",
			"logs:TagResource", "logs:UntagResource"}, resources: []string{groups}},
		{set: functionsSet, actions: []string{"logs:DescribeLogGroups"}, resources: []string{"logs:{region}:{account}:log-group:*"}},
	},
	"aws:bedrock/inferenceProfile:InferenceProfile": {
		{set: functionsSet, actions: []string{"bedrock:CreateInferenceProfile"}, resources: []string{profiles, systems, models}},
		{set: functionsSet, actions: []string{"bedrock:GetInferenceProfile", "bedrock:ListTagsForResource"}, resources: []string{profiles}},
		{set: functionsSet, actions: []string{"bedrock:TagResource"}, resources: []string{profiles}, condition: created},
		{set: functionsSet, actions: []string{"bedrock:DeleteInferenceProfile", "bedrock:TagResource", "bedrock:UntagResource"},
			resources: []string{profiles}, condition: tagged},
	},
	"aws:bedrock/getInferenceProfile:getInferenceProfile": {{set: functionsSet, actions: []string{"bedrock:GetInferenceProfile"},
		resources: []string{systems}}},
	"aws:bedrockfoundation/getModel:getModel": {{set: functionsSet, actions: []string{"bedrock:GetFoundationModel"}, resources: []string{models}}},

	"aws:dynamodb/table:Table": {{set: dataSet, actions: []string{"dynamodb:CreateTable", "dynamodb:DeleteTable",
		"dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource",
		"dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable",
		"dynamodb:UpdateTimeToLive"}, resources: []string{tables}}},
	// DynamoDB asks, for who makes a replica, for the right to fill it.
	// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html
	"aws:dynamodb/tableReplica:TableReplica": {
		{set: dataSet, actions: []string{"dynamodb:BatchWriteItem", "dynamodb:CreateTable", "dynamodb:CreateTableReplica",
			"dynamodb:DeleteItem", "dynamodb:DeleteTable", "dynamodb:DeleteTableReplica", "dynamodb:DescribeContinuousBackups",
			"dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:GetItem", "dynamodb:ListTagsOfResource", "dynamodb:PutItem",
			"dynamodb:Query", "dynamodb:Scan", "dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups",
			"dynamodb:UpdateItem", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"}, resources: []string{tables}},
		{set: dataSet, actions: []string{"iam:CreateServiceLinkedRole"},
			resources: []string{"iam::{account}:role/aws-service-role/replication.dynamodb.amazonaws.com/*"}, condition: linked},
	},
	// A tag may count for rights only five minutes after it was set: what is asked
	// of a key that was just made does not depend on one.
	// Source: https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
	"aws:kms/key:Key": {
		{set: dataSet, actions: []string{"kms:CreateKey", "kms:TagResource"}, condition: created},
		{set: dataSet, actions: []string{"kms:DescribeKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
			"kms:ListResourceTags"}, resources: []string{keys}},
		{set: dataSet, actions: []string{"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
			"kms:UpdateKeyDescription"}, resources: []string{keys}, condition: tagged},
		{set: dataSet, actions: []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
			"kms:ReEncryptFrom", "kms:ReEncryptTo"}, resources: []string{keys}, condition: stored},
		{set: dataSet, actions: []string{"kms:CreateGrant"}, resources: []string{keys}, condition: granted},
	},
	"aws:kms/alias:Alias": {
		{set: dataSet, actions: []string{"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"}, resources: []string{keyAliases, keys}},
		{set: dataSet, actions: []string{"kms:ListAliases"}},
	},
	"aws:resourcegroupstaggingapi/getResources:getResources": {{set: dataSet, actions: []string{"tag:GetResources"}}},
	"aws:servicequotas/getServiceQuota:getServiceQuota": {{set: dataSet, actions: []string{"servicequotas:GetAWSDefaultServiceQuota",
		"servicequotas:GetServiceQuota", "servicequotas:ListAWSDefaultServiceQuotas", "servicequotas:ListServiceQuotas"}}},
	// Anybody may ask who they are, and where.
	"aws:index/getCallerIdentity:getCallerIdentity": {},
	"aws:index/getPartition:getPartition":           {},

	"aws:apigateway/restApi:RestApi": append(below(api),
		right{set: edgeSet, actions: []string{"apigateway:GET", "apigateway:POST"}, resources: []string{apis}},
		right{set: edgeSet, actions: tagVerbs, resources: []string{apiTags}}),
	"aws:apigateway/deployment:Deployment":         below(api),
	"aws:apigateway/stage:Stage":                   append(below(api), right{set: edgeSet, actions: tagVerbs, resources: []string{apiTags}}),
	"aws:apigateway/methodSettings:MethodSettings": below(api),
	"aws:apigateway/domainName:DomainName": append(below(domain),
		right{set: edgeSet, actions: []string{"apigateway:GET", "apigateway:POST"}, resources: []string{domains}},
		right{set: edgeSet, actions: tagVerbs, resources: []string{apiTags}},
		right{set: edgeSet, actions: []string{"iam:CreateServiceLinkedRole"},
			resources: []string{"iam::{account}:role/aws-service-role/ops.apigateway.amazonaws.com/*"}, condition: linked}),
	"aws:apigateway/basePathMapping:BasePathMapping": below(domain),
	"aws:apigateway/account:Account": {
		{set: edgeSet, actions: []string{"apigateway:GET", "apigateway:PATCH"}, resources: []string{apiAccount}},
		{set: functionsSet, actions: []string{"iam:PassRole"}, resources: []string{roles}, condition: passed},
	},
	"aws:acm/certificate:Certificate": {
		{set: edgeSet, actions: []string{"acm:AddTagsToCertificate", "acm:RequestCertificate"}, condition: created},
		{set: edgeSet, actions: []string{"acm:DescribeCertificate", "acm:GetCertificate", "acm:ListTagsForCertificate"}, resources: []string{certificates}},
		{set: edgeSet, actions: []string{"acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:RemoveTagsFromCertificate"},
			resources: []string{certificates}, condition: tagged},
	},
	"aws:acm/certificateValidation:CertificateValidation": {{set: edgeSet, actions: []string{"acm:DescribeCertificate"},
		resources: []string{certificates}}},
	"aws:route53/healthCheck:HealthCheck": {
		{set: edgeSet, actions: []string{"route53:CreateHealthCheck"}},
		{set: edgeSet, actions: []string{"route53:ChangeTagsForResource", "route53:DeleteHealthCheck", "route53:GetHealthCheck",
			"route53:ListTagsForResource", "route53:UpdateHealthCheck"}, resources: []string{checks}},
	},
	"aws:route53/record:Record": {
		{set: edgeSet, actions: []string{"route53:ChangeResourceRecordSets"}, resources: []string{zones}, condition: named},
		{set: edgeSet, actions: []string{"route53:GetHostedZone", "route53:ListResourceRecordSets"}, resources: []string{zones}},
		{set: edgeSet, actions: []string{"route53:GetChange"}, resources: []string{"route53:::change/*"}},
	},
	"aws:route53/getZone:getZone": {
		{set: edgeSet, actions: []string{"route53:GetHostedZone", "route53:ListTagsForResource"}, resources: []string{zones}},
		{set: edgeSet, actions: []string{"route53:ListHostedZones", "route53:ListHostedZonesByName"}},
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		{set: edgeSet, actions: []string{"cloudwatch:DeleteAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm",
			"cloudwatch:TagResource", "cloudwatch:UntagResource"}, resources: []string{alarms}},
		{set: edgeSet, actions: []string{"cloudwatch:DescribeAlarms"}, resources: []string{everyAlarm}},
	},
	"aws:cloudwatch/dashboard:Dashboard": {{set: edgeSet, actions: []string{"cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard",
		"cloudwatch:PutDashboard"}, resources: []string{boards}}},
	"aws:sns/topic:Topic": {{set: edgeSet, actions: []string{"sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes",
		"sns:ListTagsForResource", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource"}, resources: []string{topics}}},
	"aws:sns/topicSubscription:TopicSubscription": {
		{set: edgeSet, actions: []string{"sns:Subscribe"}, resources: []string{topics}},
		{set: edgeSet, actions: []string{"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"}},
	},
	// Who makes a firewall is asked for the right to each group of rules in it.
	"aws:wafv2/webAcl:WebAcl": {
		{set: edgeSet, actions: []string{"wafv2:CreateWebACL", "wafv2:UpdateWebACL"}, resources: []string{firewalls, ruleSets}},
		{set: edgeSet, actions: []string{"wafv2:DeleteWebACL", "wafv2:GetWebACL", "wafv2:ListTagsForResource", "wafv2:TagResource",
			"wafv2:UntagResource"}, resources: []string{firewalls}},
	},
	"aws:wafv2/webAclAssociation:WebAclAssociation": {
		{set: edgeSet, actions: []string{"wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACLForResource"},
			resources: []string{firewalls, api}},
		{set: edgeSet, actions: []string{"apigateway:SetWebACL"}, resources: []string{api}},
	},
}

// tagVerbs are what API Gateway calls reading and changing tags, of what exists
// and of what is being made.
var tagVerbs = []string{"apigateway:DELETE", "apigateway:GET", "apigateway:POST", "apigateway:PUT"}

// below are the rights on an API or a domain and on all that is in it, which
// has its tags where rights are concerned. Actions are those of HTTP.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html
func below(resource string) []right {
	return []right{
		{set: edgeSet, actions: []string{"apigateway:GET"}, resources: []string{resource}},
		{set: edgeSet, actions: []string{"apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"},
			resources: []string{resource}, condition: tagged},
	}
}
