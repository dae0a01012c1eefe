package servicequotas_test

import (
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/servicequotas"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

const (
	concurrency = "L-B99A9384"
	novaPro     = "Cross-region model inference tokens per minute for Amazon Nova Pro"
)

func get(t *testing.T, s *servicequotas.Service, region string, args object) (object, error) {
	t.Helper()
	for _, f := range s.Functions() {
		if f.Token == "aws:servicequotas/getServiceQuota:getServiceQuota" {
			return f.Call(t.Context(), region, args)
		}
	}
	t.Fatal("no function getServiceQuota")
	return nil, nil
}

func TestAQuotaIsFoundByCodeAndByName(t *testing.T) {
	s := servicequotas.New()
	byCode, err := get(t, s, "eu-west-1", object{"serviceCode": "lambda", "quotaCode": concurrency})
	require.NoError(t, err)
	byName, err := get(t, s, "eu-west-1", object{"serviceCode": "lambda", "quotaName": "Concurrent executions"})
	require.NoError(t, err)
	assert.Equal(t, byCode, byName)
	arn := "arn:aws:servicequotas:eu-west-1:" + cloud.Account + ":lambda/" + concurrency
	assert.Equal(t, object{
		"id": arn, "arn": arn, "serviceCode": "lambda", "serviceName": "AWS Lambda", "quotaCode": concurrency, "quotaName": "Concurrent executions",
		"defaultValue": 1000.0, "value": 1000.0, "adjustable": true, "globalQuota": false, "usageMetrics": []any{},
	}, byCode)
}

func TestDefaultsDifferByRegion(t *testing.T) {
	s := servicequotas.New()
	for region, want := range map[string]float64{"us-east-1": 800_000, "us-east-2": 800_000, "us-west-2": 800_000, "us-west-1": 200_000, "eu-west-1": 200_000} {
		q, err := get(t, s, region, object{"serviceCode": "bedrock", "quotaName": novaPro})
		require.NoError(t, err)
		assert.Equal(t, want, q["value"], region)
		assert.Equal(t, want, q["defaultValue"], region)
	}
}

func TestAnAccountHasItsOwnValueInOneRegion(t *testing.T) {
	s := servicequotas.New()
	require.NoError(t, s.Set("eu-west-1", "lambda", concurrency, 0))
	for region, want := range map[string]float64{"eu-west-1": 0, "eu-central-1": 1000} {
		q, err := get(t, s, region, object{"serviceCode": "lambda", "quotaCode": concurrency})
		require.NoError(t, err)
		assert.Equal(t, want, q["value"], region)
		assert.Equal(t, 1000.0, q["defaultValue"], "the default stays")
	}
}

func TestGetQuotaRefuses(t *testing.T) {
	const noQuota = "NoSuchResourceException: The request failed because the specified quota does not exist."
	tests := []struct {
		name string
		args object
		want string
	}{
		{"an unknown code", object{"serviceCode": "lambda", "quotaCode": "L-00000000"}, noQuota},
		{"an unknown name", object{"serviceCode": "lambda", "quotaName": "Concurrency"}, noQuota},
		{"a name in other letters", object{"serviceCode": "lambda", "quotaName": "concurrent executions"}, noQuota},
		{"a quota of another service", object{"serviceCode": "bedrock", "quotaCode": concurrency}, noQuota},
		{"an unknown service", object{"serviceCode": "Lambda", "quotaCode": concurrency},
			"NoSuchResourceException: The request failed because the specified service does not exist."},
		{"neither code nor name", object{"serviceCode": "lambda"}, "one of quotaCode and quotaName must be specified"},
		{"both code and name", object{"serviceCode": "lambda", "quotaCode": concurrency, "quotaName": "Concurrent executions"}, "and not both"},
		{"no service", object{"quotaCode": concurrency}, `missing required property "serviceCode"`},
		{"an unknown property", object{"serviceCode": "lambda", "quotaCode": concurrency, "contextId": "x"}, `does not know property "contextId"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := get(t, servicequotas.New(), "eu-west-1", tt.args)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestSetRefuses(t *testing.T) {
	s := servicequotas.New()
	assert.ErrorContains(t, s.Set("eu-west-9", "lambda", concurrency, 1), "no such region")
	assert.ErrorContains(t, s.Set("eu-west-1", "lambda", "L-00000000", 1), "specified quota does not exist")
	assert.ErrorContains(t, s.Set("eu-west-1", "sqs", concurrency, 1), "specified service does not exist")
	assert.ErrorContains(t, s.Set("eu-west-1", "lambda", "", 1), "specified quota does not exist", "no code is not the code of any")
}
