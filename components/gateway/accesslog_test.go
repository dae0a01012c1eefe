package gateway_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheAccountRoleReachesOneAccountAndRegion(t *testing.T) {
	got, err := gateway.AccountRolePolicy("arn:aws:logs:eu-west-1:111122223333:log-group:access")
	require.NoError(t, err)
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
		"logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogGroups","logs:DescribeLogStreams",
		"logs:PutLogEvents","logs:GetLogEvents","logs:FilterLogEvents"],
		"Resource":["arn:aws:logs:eu-west-1:111122223333:log-group:*"]}]}`, got)
	_, err = gateway.AccountRolePolicy("access")
	assert.ErrorContains(t, err, "is not an ARN")
}
