package main

import (
	"log/slog"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/crossregion/crossregion/local/account"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCloudWatch asks the embedded cloud's, by AWS's own client, for the alarms
// of one region among those of two.
func TestCloudWatch(t *testing.T) {
	a, err := account.Open(account.Config{Port: "0", Viewer: "eu-west-1", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	owner := a.IAM.Operator()
	cfg := aws.Config{BaseEndpoint: aws.String(a.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(owner.AccessKeyID, owner.SecretAccessKey, "")}
	ids := map[string][]string{}
	for _, region := range []string{"eu-west-1", "eu-north-1"} {
		require.NoError(t, a.OpenRegion(region))
		for _, role := range []string{"errors", "latency"} {
			made, err := a.Create(t.Context(), "aws:cloudwatch/metricAlarm:MetricAlarm", region, region+"-alarms-"+role, map[string]any{
				"comparisonOperator": "GreaterThanThreshold", "threshold": 1, "evaluationPeriods": 1, "namespace": "test", "metricName": "m",
				"period": 60, "statistic": "Sum",
			})
			require.NoError(t, err)
			ids[region] = append(ids[region], made.ID)
		}
	}
	ring := func(region, id string, state types.StateValue) {
		_, err := cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) { o.Region = region }).SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String(id), StateValue: state, StateReason: aws.String("a test"),
		})
		require.NoError(t, err)
	}
	ringing := func(region string) []string {
		found, err := cloudWatch{cfg}.Ringing(t.Context(), region, ids[region])
		require.NoError(t, err)
		return found
	}

	assert.Empty(t, ringing("eu-west-1"), "an alarm without data does not ring")
	ring("eu-west-1", ids["eu-west-1"][0], types.StateValueAlarm)
	ring("eu-west-1", ids["eu-west-1"][1], types.StateValueOk)
	assert.Equal(t, ids["eu-west-1"][:1], ringing("eu-west-1"))
	assert.Empty(t, ringing("eu-north-1"))

	stranger := cloudWatch{aws.Config{BaseEndpoint: cfg.BaseEndpoint, Credentials: credentials.NewStaticCredentialsProvider("AKIANOBODY", "secret", "")}}
	_, err = stranger.Ringing(t.Context(), "eu-west-1", ids["eu-west-1"])
	assert.Error(t, err, "who may not read them is not told that all is quiet")
}
