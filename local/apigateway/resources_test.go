package apigateway_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
)

const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/1"

func with(base, extra object) object {
	all := maps.Clone(base)
	maps.Copy(all, extra)
	return all
}

func TestResourcesRefuse(t *testing.T) {
	f := newFixture(t)
	id, _ := f.deploy("api", document(object{"/x": object{"get": open(buffered())}}))
	empty := f.mustCreate("RestApi", "empty", object{"endpointConfiguration": object{"types": "REGIONAL"}}).ID
	bare := f.importAPI("bare", document(object{"/x": object{"get": object{}}})).ID
	name := object{"domainName": "api.example.com", "regionalCertificateArn": certificate,
		"endpointConfiguration": object{"types": "REGIONAL"}}
	f.mustCreate("DomainName", "name", name)
	f.mustCreate("BasePathMapping", "map", object{"restApi": id, "stageName": "prod", "domainName": "api.example.com"})
	deployment := f.mustCreate("Deployment", "again", object{"restApi": id}).ID
	api := object{"endpointConfiguration": object{"types": "REGIONAL"}}
	stage := object{"restApi": id, "deployment": deployment, "stageName": "beta"}
	mapping := object{"restApi": id, "stageName": "prod", "domainName": "api.example.com"}
	settings := object{"restApi": id, "stageName": "prod", "methodPath": "*/*", "settings": object{}}
	tests := []struct {
		name, token string
		base, edit  object
		want        string
	}{
		{"an edge-optimized API", "RestApi", api, object{"endpointConfiguration": object{"types": "EDGE"}}, "use REGIONAL"},
		{"an API of the default type, edge", "RestApi", object{}, object{}, "endpointConfiguration is missing"},
		{"an API of one address family, the new one", "RestApi", api,
			object{"endpointConfiguration": object{"types": "REGIONAL", "ipAddressType": "ipv6"}}, "neither ipv4 nor dualstack"},
		{"a resource policy", "RestApi", api, object{"policy": "{}"}, "resource policies are not supported"},
		{"compression", "RestApi", api, object{"minimumCompressionSize": "1024"}, "compression is not supported"},
		{"an unknown import mode", "RestApi", api, object{"putRestApiMode": "patch"}, "neither overwrite nor merge"},
		{"an unknown source of API keys", "RestApi", api, object{"apiKeySource": "QUERY"}, "neither HEADER"},
		{"an unknown property", "RestApi", api, object{"parameters": object{}}, `does not know property "parameters"`},
		{"a deployment of no API", "Deployment", object{"restApi": "nothing"}, nil, "NotFoundException: Invalid API identifier"},
		{"a deployment of an empty API", "Deployment", object{"restApi": empty}, nil, "doesn't contain any methods"},
		{"a deployment of a method without integration", "Deployment", object{"restApi": bare}, nil, "No integration defined for method: GET /x"},
		{"a deployment that makes its own stage", "Deployment", object{"restApi": id}, object{"stageName": "prod"}, "deprecated"},
		{"a stage of no deployment", "Stage", stage, object{"deployment": "none"}, "Deployment id does not exist"},
		{"a second stage of a name", "Stage", stage, object{"stageName": "prod"}, "ConflictException: Stage already exists"},
		{"a stage with a strange name", "Stage", stage, object{"stageName": "v1/x"}, "Stage name only allows"},
		{"a stage with a cache", "Stage", stage, object{"cacheClusterEnabled": true}, "cache clusters are not supported"},
		{"access logs without the account's role", "Stage", stage,
			object{"accessLogSettings": object{"destinationArn": "arn:x", "format": "x"}},
			"CloudWatch Logs role ARN must be set in account settings to enable logging"},
		{"a certificate of another region", "DomainName", name,
			object{"domainName": "b.example.com", "regionalCertificateArn": "arn:aws:acm:us-east-1:1:certificate/1"}, "no such certificate"},
		{"a name that the certificate does not cover", "DomainName", name, object{"domainName": "b.example.org"}, "does not cover"},
		{"a domain name that is none", "DomainName", name, object{"domainName": "B.example.com"}, "Invalid domain name"},
		{"a second custom domain of a name", "DomainName", name, object{}, "ConflictException"},
		{"an unknown security policy", "DomainName", name, object{"securityPolicy": "TLS_1_3"}, "use TLS_1_2"},
		{"an edge-optimized domain", "DomainName", name,
			object{"domainName": "b.example.com", "endpointConfiguration": object{"types": "EDGE"}}, "use REGIONAL"},
		{"a mapping of no domain", "BasePathMapping", mapping, object{"domainName": "x.example.com"}, "NotFoundException"},
		{"a mapping to no stage", "BasePathMapping", mapping, object{"stageName": "beta"}, "no stage"},
		{"a mapping to no API", "BasePathMapping", mapping, object{"restApi": "x"}, "Invalid API identifier"},
		{"a base path with a slash before it", "BasePathMapping", mapping, object{"basePath": "/v1"}, "Invalid base path"},
		{"a second mapping of a base path", "BasePathMapping", mapping, object{}, "ConflictException"},
		{"execution logs", "MethodSettings", settings, object{"settings": object{"loggingLevel": "INFO"}}, "execution logs are not supported"},
		{"a trace of data", "MethodSettings", settings, object{"settings": object{"dataTraceEnabled": true}}, "execution logs are not supported"},
		{"a negative throttle", "MethodSettings", settings, object{"settings": object{"throttlingRateLimit": -2.0}}, "Invalid throttling"},
		{"caching", "MethodSettings", settings, object{"settings": object{"cachingEnabled": true}}, "does not know property"},
		{"settings of no method", "MethodSettings", settings, object{"methodPath": "/x/GET"}, "without a leading slash"},
		{"settings of no stage", "MethodSettings", settings, object{"stageName": "beta"}, "no stage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.create(tt.token, "other", with(tt.base, tt.edit))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestResourcesTellWhatAWSWould(t *testing.T) {
	f := newFixture(t)
	api := f.importAPI("api", document(object{"/x": object{"get": open(buffered())}}))
	assert.Regexp(t, "^[a-z0-9]{10}$", api.ID)
	assert.Equal(t, "arn:aws:apigateway:eu-west-1::/restapis/"+api.ID, api.Outputs["arn"])
	assert.Equal(t, "arn:aws:execute-api:eu-west-1:123456789012:"+api.ID, api.Outputs["executionArn"])
	assert.Regexp(t, "^api-[0-9a-f]{7}$", api.Outputs["name"])
	deployment := f.mustCreate("Deployment", "api", object{"restApi": api.ID})
	stage := f.mustCreate("Stage", "api", object{"restApi": api.ID, "deployment": deployment.ID, "stageName": "prod"})
	assert.Equal(t, "ags-"+api.ID+"-prod", stage.ID)
	assert.Equal(t, "https://"+api.ID+".execute-api.eu-west-1.amazonaws.com/prod", stage.Outputs["invokeUrl"])
	assert.Equal(t, "arn:aws:apigateway:eu-west-1::/restapis/"+api.ID+"/stages/prod", stage.Outputs["arn"])
	domain := f.mustCreate("DomainName", "d", object{"domainName": "*.example.com", "regionalCertificateArn": certificate,
		"endpointConfiguration": object{"types": "REGIONAL", "ipAddressType": "dualstack"}, "securityPolicy": "TLS_1_2"})
	assert.Equal(t, "*.example.com", domain.ID)
	assert.Regexp(t, `^d-[a-z0-9]{10}\.execute-api\.eu-west-1\.amazonaws\.com$`, domain.Outputs["regionalDomainName"])
	assert.Regexp(t, "^Z[0-9A-F]{13}$", domain.Outputs["regionalZoneId"])
	assert.Equal(t, []string{"*.example.com"}, f.service.Domains(region))
	assert.Empty(t, f.service.Domains("us-east-1"))
}

func TestTwoAPIsOfOneNameAreTwo(t *testing.T) {
	f := newFixture(t)
	a, b := f.importAPI("api", document(object{})), f.importAPI("api", document(object{}))
	assert.NotEqual(t, a.ID, b.ID)
}
