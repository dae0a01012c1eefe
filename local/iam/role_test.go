package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func trust(action, service, condition string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":%q,"Principal":{"Service":%q},"Condition":{%s}}}`,
		action, service, condition)
}

func TestRoleOutputs(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	state, err := create(t, s, "aws:iam/role:Role", map[string]any{
		"name": "relay", "path": "/app/", "assumeRolePolicy": lambdaTrust, "description": "relays",
		"maxSessionDuration": 7200.0, "forceDetachPolicies": true, "tags": map[string]any{"team": "platform"},
	})
	require.NoError(t, err)
	assert.Equal(t, "relay", state.ID)
	assert.Equal(t, "arn:aws:iam::123456789012:role/app/relay", state.Outputs["arn"])
	assert.Equal(t, "relay", state.Outputs["name"])
	assert.Regexp(t, `^AROA[0-9A-F]{17}$`, state.Outputs["uniqueId"])
	assert.Equal(t, "2026-08-22T12:00:00Z", state.Outputs["createDate"])
	require.NoError(t, s.CheckTrust("arn:aws:iam::123456789012:role/app/relay", "lambda.amazonaws.com"))
}

func TestRoleNames(t *testing.T) {
	tests := []struct {
		name   string
		inputs map[string]any
		want   string
	}{
		{"without a name it is the logical one and a suffix", map[string]any{}, `^relay-[0-9a-f]{7}$`},
		{"a prefix is followed by 26 characters", map[string]any{"namePrefix": "app-"}, `^app-[0-9a-f]{26}$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.inputs["assumeRolePolicy"] = lambdaTrust
			state, err := create(t, iam.New(cloud.NewManualClock(start)), "aws:iam/role:Role", tt.inputs)
			require.NoError(t, err)
			assert.Regexp(t, tt.want, state.ID)
		})
	}
}

func TestCreateRoleRefuses(t *testing.T) {
	manyTags := map[string]any{}
	for i := range 51 {
		manyTags[fmt.Sprint("k", i)] = "v"
	}
	tests := []struct {
		name, property string
		value          any
		code           string
		status         int
	}{
		{"a name that exists", "name", "taken", "EntityAlreadyExists", 409},
		{"a name that differs in case only", "name", "TAKEN", "EntityAlreadyExists", 409},
		{"a long name", "name", strings.Repeat("n", 65), "ValidationError", 400},
		{"a name with a slash", "name", "a/b", "ValidationError", 400},
		{"a long prefix", "namePrefix", strings.Repeat("n", 39), "ValidationError", 400},
		{"a path without its end", "path", "/app", "ValidationError", 400},
		{"a long path", "path", "/" + strings.Repeat("p", 511) + "/", "ValidationError", 400},
		{"a long description", "description", strings.Repeat("d", 1001), "ValidationError", 400},
		{"a description beyond Latin-1", "description", "→", "ValidationError", 400},
		{"a short session", "maxSessionDuration", 3599.0, "ValidationError", 400},
		{"a long session", "maxSessionDuration", 43201.0, "ValidationError", 400},
		{"a boundary that is no policy", "permissionsBoundary", "arn:aws:iam::123456789012:role/a", "ValidationError", 400},
		{"a boundary, since there are no managed policies", "permissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess", "NoSuchEntity", 404},
		{"a long trust policy", "assumeRolePolicy", trust("sts:AssumeRole", strings.Repeat("a", 2048)+".amazonaws.com", ""), "LimitExceeded", 409},
		{"a trust policy that is not JSON", "assumeRolePolicy", "lambda", "MalformedPolicyDocument", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := iam.New(cloud.NewManualClock(start))
			createRole(t, s, "taken")
			inputs := map[string]any{"assumeRolePolicy": lambdaTrust}
			inputs[tt.property] = tt.value
			_, err := create(t, s, "aws:iam/role:Role", inputs)
			requireCode(t, err, tt.code, tt.status)
		})
	}
}

func TestCreateRoleRefusesWhatItDoesNotKnow(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	_, err := create(t, s, "aws:iam/role:Role", map[string]any{"assumeRolePolicy": lambdaTrust, "managedPolicyArns": []any{}})
	assert.ErrorContains(t, err, `does not know property "managedPolicyArns"`)
	_, err = create(t, s, "aws:iam/role:Role", map[string]any{"assumeRolePolicy": lambdaTrust, "name": "a", "namePrefix": "b"})
	requireCode(t, err, "ValidationError", 400)
}

func TestCreateRoleReportsEveryFaultAtOnce(t *testing.T) {
	_, err := create(t, iam.New(cloud.NewManualClock(start)), "aws:iam/role:Role",
		map[string]any{"assumeRolePolicy": "{}", "name": "a b", "path": "p"})
	for _, want := range []string{"roleName", "Statement is missing", "path"} {
		assert.ErrorContains(t, err, want)
	}
}

func TestTrustPolicyRefuses(t *testing.T) {
	tests := []struct{ name, policy, want string }{
		{"a resource", `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"a.amazonaws.com"},"Resource":"*"}}`, `unknown element "Resource"`},
		{"no principal", `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}`, "missing required field Principal"},
		{"everybody", `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}`, "principal: not an object"},
		{"an account, which is not evaluated", `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"123456789012"}}}`, `unknown element "AWS"`},
		{"no service", `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{}}}`, "Service is missing"},
		{"a service that cannot be one", trust("sts:AssumeRole", "lambda.example.com", ""), `"SERVICE":"lambda.example.com"`},
		{"another service's action", trust("lambda:InvokeFunction", "lambda.amazonaws.com", ""), "only specify STS"},
		{"no action", `{"Statement":{"Effect":"Allow","Principal":{"Service":"a.amazonaws.com"}}}`, "Action is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := create(t, iam.New(cloud.NewManualClock(start)), "aws:iam/role:Role", map[string]any{"assumeRolePolicy": tt.policy})
			requireCode(t, err, "MalformedPolicyDocument", 400)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestCheckTrust(t *testing.T) {
	const lambda = "lambda.amazonaws.com"
	tests := []struct {
		name, policy string
		trusted      bool
	}{
		{"the service that is named", lambdaTrust, true},
		{"another service", trust("sts:AssumeRole", "apigateway.amazonaws.com", ""), false},
		{"another action", trust("sts:TagSession", lambda, ""), false},
		{"an action with a wildcard", trust("sts:Assume*", lambda, ""), true},
		{"a condition on this account", trust("sts:AssumeRole", lambda, `"StringEquals":{"aws:SourceAccount":"123456789012"}`), true},
		{"a condition on another account", trust("sts:AssumeRole", lambda, `"StringEquals":{"aws:SourceAccount":"999999999999"}`), false},
		{"a deny beside the allow", `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["lambda.amazonaws.com"]}},
			{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := iam.New(cloud.NewManualClock(start))
			state, err := create(t, s, "aws:iam/role:Role", map[string]any{"assumeRolePolicy": tt.policy})
			require.NoError(t, err)
			err = s.CheckTrust(fmt.Sprint(state.Outputs["arn"]), lambda)
			if tt.trusted {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, "AccessDenied", 403)
		})
	}
}

func TestCheckTrustWantsTheWholeARN(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	createRole(t, s, "relay")
	for _, arn := range []string{"relay", "", "arn:aws:iam::123456789012:role/other", "arn:aws:iam::123456789012:role/app/relay"} {
		requireCode(t, s.CheckTrust(arn, "lambda.amazonaws.com"), "NoSuchEntity", 404)
	}
}

func TestRolePolicyHasItsRoleInItsID(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	createRole(t, s, "relay")
	inputs := map[string]any{"role": "relay", "policy": statements(statement("Allow", "*", "*"))}
	state, err := create(t, s, "aws:iam/rolePolicy:RolePolicy", inputs)
	require.NoError(t, err)
	assert.Regexp(t, `^relay:relay-[0-9a-f]{7}$`, state.ID)
	assert.Equal(t, state.ID, "relay:"+fmt.Sprint(state.Outputs["name"]))
}

func TestRolePolicyRefuses(t *testing.T) {
	tests := []struct {
		name, property, value, code string
		status                      int
	}{
		{"an unknown role", "role", "other", "NoSuchEntity", 404},
		{"the ARN of a role", "role", "arn:aws:iam::123456789012:role/relay", "NoSuchEntity", 404},
		{"a long name", "name", strings.Repeat("n", 129), "ValidationError", 400},
		{"a policy with a fault", "policy", "{}", "MalformedPolicyDocument", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := iam.New(cloud.NewManualClock(start))
			createRole(t, s, "relay")
			inputs := map[string]any{"role": "relay", "name": "p", "policy": statements(statement("Allow", "*", "*"))}
			inputs[tt.property] = tt.value
			_, err := create(t, s, "aws:iam/rolePolicy:RolePolicy", inputs)
			requireCode(t, err, tt.code, tt.status)
		})
	}
}

func TestInlinePoliciesHaveOneLimitTogether(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	createRole(t, s, "relay")
	sized := func(size int) string {
		frame := len(statements(statement("Allow", "s3:Get", "arn:aws:s3:::")))
		return statements(statement("Allow", "s3:Get", "arn:aws:s3:::"+strings.Repeat("b", size-frame))) + strings.Repeat(" \n", 5000)
	}
	attach(t, s, "relay", "a", sized(10000))
	attach(t, s, "relay", "a", sized(10100))
	attach(t, s, "relay", "b", sized(140))
	_, err := create(t, s, "aws:iam/rolePolicy:RolePolicy", map[string]any{"role": "relay", "name": "b", "policy": sized(141)})
	requireCode(t, err, "LimitExceeded", 409)
	createRole(t, s, "other")
	attach(t, s, "other", "b", sized(141))
}

func TestFunctions(t *testing.T) {
	answers := map[string]map[string]any{}
	for _, f := range iam.New(cloud.NewManualClock(start)).Functions() {
		answer, err := f.Call(t.Context(), "eu-west-1", map[string]any{})
		require.NoError(t, err)
		answers[f.Token] = answer
		_, err = f.Call(t.Context(), "eu-west-1", map[string]any{"id": "other"})
		requireCode(t, err, "ValidationError", 400)
		_, err = f.Call(t.Context(), "eu-west-1", map[string]any{"id": answer["id"]})
		require.NoError(t, err)
	}
	identity := answers["aws:index/getCallerIdentity:getCallerIdentity"]
	assert.Equal(t, "123456789012", identity["accountId"])
	assert.Equal(t, "123456789012", identity["id"])
	assert.Equal(t, "arn:aws:iam::123456789012:user/operator", identity["arn"])
	assert.Regexp(t, `^AIDA[0-9A-F]{17}$`, identity["userId"])
	assert.Equal(t, map[string]any{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"},
		answers["aws:index/getPartition:getPartition"])
}
