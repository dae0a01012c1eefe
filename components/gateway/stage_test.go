package gateway_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// record registers an API with the given arguments.
func record(t *testing.T, args *gateway.RegionalAPIArgs) *componenttest.Recorder {
	t.Helper()
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		return newRegion(ctx, func(r region) error {
			_, err := r.api(args)
			return err
		})
	}))
	rec.CheckComponents(t)
	return rec
}

func TestMethodsAreLimited(t *testing.T) {
	settings := func(args *gateway.RegionalAPIArgs) map[string]any {
		inputs := record(t, args).One(t, "aws:apigateway/methodSettings:MethodSettings", "test-settings").Inputs.Mappable()
		assert.Equal(t, "*/*", inputs["methodPath"])
		return inputs["settings"].(map[string]any)
	}
	assert.Equal(t, map[string]any{
		"throttlingRateLimit": 100.0, "throttlingBurstLimit": 200.0,
		"metricsEnabled": true, "loggingLevel": "OFF", "dataTraceEnabled": false,
	}, settings(&gateway.RegionalAPIArgs{}))
	given := settings(&gateway.RegionalAPIArgs{RateLimit: 2.5, BurstLimit: 7})
	assert.Equal(t, 2.5, given["throttlingRateLimit"])
	assert.Equal(t, 7.0, given["throttlingBurstLimit"])
}

// TestHealthChecksAreNotThrottledByClients: a region that is asked too much
// would else leave DNS, and its load would do the same to its partner.
func TestHealthChecksAreNotThrottledByClients(t *testing.T) {
	rec := record(t, &gateway.RegionalAPIArgs{RateLimit: 1, BurstLimit: 1})
	inputs := rec.One(t, "aws:apigateway/methodSettings:MethodSettings", "test-health-settings").Inputs.Mappable()
	assert.Equal(t, "healthz/GET", inputs["methodPath"])
	assert.Equal(t, 200.0, inputs["settings"].(map[string]any)["throttlingRateLimit"])
}

func TestThereAreNoAccessLogsUnlessAskedFor(t *testing.T) {
	rec := record(t, &gateway.RegionalAPIArgs{})
	assert.NotContains(t, rec.One(t, "aws:apigateway/stage:Stage", "test-stage").Inputs, "accessLogSettings")
	assert.Empty(t, rec.Of("aws:apigateway/account:Account"))
}

// TestAccessLogsSayNothingOfAnybody by a list of what they may say.
func TestAccessLogsSayNothingOfAnybody(t *testing.T) {
	rec := record(t, &gateway.RegionalAPIArgs{AccessLogs: &gateway.AccessLogs{RetentionDays: 7, KeyArn: pulumi.String("arn:key")}})
	group := rec.One(t, "aws:cloudwatch/logGroup:LogGroup", "test-access").Inputs
	assert.Equal(t, 7.0, group["retentionInDays"].NumberValue())
	assert.Equal(t, "arn:key", group["kmsKeyId"].StringValue())
	settings := rec.One(t, "aws:apigateway/stage:Stage", "test-stage").Inputs["accessLogSettings"].ObjectValue()
	assert.Contains(t, settings["destinationArn"].StringValue(), ":test-access:")
	format := settings["format"].StringValue()
	assert.NotContains(t, format, "\n")
	assert.Less(t, len(format), 3072, "quota on the format")
	var line map[string]string
	require.NoError(t, json.Unmarshal([]byte(format), &line))
	assert.ElementsMatch(t, []string{
		"$context.requestId", "$context.extendedRequestId", "$context.requestTimeEpoch", "$context.httpMethod", "$context.resourcePath",
		"$context.status", "$context.integration.status", "$context.integration.latency", "$context.integration.timeToFirstContent",
		"$context.responseLatency", "$context.error.responseType",
	}, regexp.MustCompile(`\$context\.[A-Za-z.]*[A-Za-z]`).FindAllString(format, -1))
	assert.Empty(t, rec.Of("aws:apigateway/account:Account"), "the account's setting is another's")
}

func TestTheAccountRoleIsOwnedOnRequest(t *testing.T) {
	rec := record(t, &gateway.RegionalAPIArgs{AccessLogs: &gateway.AccessLogs{OwnsAccountRole: true, PermissionsBoundary: "arn:boundary"}})
	role := rec.One(t, "aws:iam/role:Role", "test-logs-role").Inputs
	assert.Contains(t, role["assumeRolePolicy"].StringValue(), `"Service":"apigateway.amazonaws.com"`)
	assert.Contains(t, role["assumeRolePolicy"].StringValue(), `"aws:SourceAccount":["`+componenttest.Account+`"]`, "and for nobody else's APIs")
	assert.Equal(t, "arn:boundary", role["permissionsBoundary"].StringValue())
	account := rec.One(t, "aws:apigateway/account:Account", "test-account")
	assert.Contains(t, account.Inputs["cloudwatchRoleArn"].StringValue(), ":test-logs-role:")
	assert.Contains(t, account.DependsOn, "test-write-logs", "API Gateway tries the role when it is set")
	assert.Contains(t, rec.One(t, "aws:apigateway/stage:Stage", "test-stage").DependsOn, "test-account")
}

// TestAnAPICanSpeakBothAddressFamilies, and says which of them: the provider takes
// silence for no change.
func TestAnAPICanSpeakBothAddressFamilies(t *testing.T) {
	domain := func(args *gateway.RegionalAPIArgs, tokens ...string) {
		rec := componenttest.New(nil)
		require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
			return newRegion(ctx, func(r region) error {
				certificate, err := gateway.NewCertificate(ctx, "certificate", &gateway.CertificateArgs{Domain: "llm.example.com", ZoneID: "Z"}, r.provider)
				if err != nil {
					return err
				}
				args.Domain = &gateway.Domain{Name: "llm.example.com", Certificate: certificate}
				_, err = r.api(args)
				return err
			})
		}))
		for _, token := range tokens {
			for _, g := range rec.Of(token) {
				endpoint := g.Inputs["endpointConfiguration"].ObjectValue()
				require.True(t, endpoint.HasValue("ipAddressType"), g.Name)
				assert.Equal(t, map[bool]string{true: "dualstack", false: "ipv4"}[args.DualStack], endpoint["ipAddressType"].StringValue(), g.Name)
			}
		}
	}
	for _, dual := range []bool{true, false} {
		domain(&gateway.RegionalAPIArgs{DualStack: dual}, "aws:apigateway/restApi:RestApi", "aws:apigateway/domainName:DomainName")
	}
}

func TestAnAliasIsANameOfItsOwn(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		return newRegion(ctx, func(r region) error {
			own, err := gateway.NewCertificate(ctx, "own", &gateway.CertificateArgs{Domain: "eu.llm.example.com", ZoneID: "Z"}, r.provider)
			if err != nil {
				return err
			}
			front, err := gateway.NewCertificate(ctx, "front", &gateway.CertificateArgs{
				Domain: "llm.example.com", Proven: true, NameOnly: true,
			}, r.provider)
			if err != nil {
				return err
			}
			_, err = r.api(&gateway.RegionalAPIArgs{Domain: &gateway.Domain{
				Name: "eu.llm.example.com", Certificate: own, Aliases: []gateway.Alias{{Name: "llm.example.com", Certificate: front}},
			}})
			return err
		})
	}))
	rec.CheckComponents(t)
	certificates := map[string]string{}
	for _, d := range rec.Of("aws:apigateway/domainName:DomainName") {
		certificates[d.Inputs["domainName"].StringValue()] = d.Inputs["regionalCertificateArn"].StringValue()
	}
	require.Len(t, certificates, 3, "no wildcard for the alias")
	assert.Equal(t, certificates["eu.llm.example.com"], certificates["*.eu.llm.example.com"])
	assert.Contains(t, certificates["llm.example.com"], ":front-cert:")
	assert.Len(t, rec.Of("aws:apigateway/basePathMapping:BasePathMapping"), 3)
	assert.NotContains(t, rec.One(t, "aws:acm/certificate:Certificate", "front-cert").Inputs, "subjectAlternativeNames")
	assert.Len(t, rec.Of("aws:route53/record:Record"), 1, "another stack proves the front door's name")
	validation := rec.One(t, "aws:acm/certificateValidation:CertificateValidation", "front-validation").Inputs
	assert.Equal(t, "_proof.llm.example.com", validation["validationRecordFqdns"].ArrayValue()[0].StringValue())
}
