package lambda_test

import (
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
)

// TestLogGroupKey must let CloudWatch Logs of the region encrypt the group.
func TestLogGroupKey(t *testing.T) {
	const token = "aws:cloudwatch/logGroup:LogGroup"
	w, key := newWorld(t), cloud.ARN("kms", region, "key/k")
	w.must(token, "logs", props{"name": "g", "kmsKeyId": key})
	assert.Equal(t, key, w.keys.use.Key)
	assert.Equal(t, "logs.eu-west-1.amazonaws.com", w.keys.use.Service)
	assert.Equal(t, map[string]string{"aws:logs:arn": "arn:aws:logs:eu-west-1:123456789012:log-group:g"}, w.keys.use.Context)

	w.keys.deny = "kms:GenerateDataKey"
	_, err := w.create(token, "logs", props{"name": "h", "kmsKeyId": key})
	assert.ErrorContains(t, err, "AccessDeniedException: The specified KMS key does not exist or is not allowed to be used with "+
		"Arn 'arn:aws:logs:eu-west-1:123456789012:log-group:h'")
}

func TestActiveTracingNeedsBothActions(t *testing.T) {
	for _, action := range []string{"PutTraceSegments", "PutTelemetryRecords"} {
		w := newWorld(t)
		w.iam.denied = []string{"xray:" + action}
		_, err := w.create("aws:lambda/function:Function", "f", settings(props{"tracingConfig": props{"mode": "Active"}}))
		assert.ErrorContains(t, err, "execution role does not have permissions to call "+action+" on XRAY")
		w.must("aws:lambda/function:Function", "f", settings(props{"tracingConfig": props{"mode": "PassThrough"}}))
	}
}
