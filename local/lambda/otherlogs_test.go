package lambda_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOtherServicesWriteToLogGroups(t *testing.T) {
	w := newWorld(t)
	w.must("aws:cloudwatch/logGroup:LogGroup", "logs", props{"name": "access"})
	group := "arn:aws:logs:eu-west-1:123456789012:log-group:access"
	elsewhere := "arn:aws:logs:eu-west-2:123456789012:log-group:access"
	assert.True(t, w.HasLogGroup(group))
	assert.False(t, w.HasLogGroup(elsewhere))
	require.NoError(t, w.WriteLog(group, "one"))
	require.NoError(t, w.WriteLog(group, "two"))
	assert.ErrorContains(t, w.WriteLog(elsewhere, "three"), "ResourceNotFoundException")
	assert.Equal(t, []string{"one", "two"}, w.Logs("access"))
}
