package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// typed is a step of a preview about a resource of a type.
func typed(op, kind, name, more string) string {
	return `{"op":"` + op + `","urn":"urn:pulumi:eu::crossregion::crossregion:x:Y$` + kind + "::" + name + `"` + more + `}`
}

const tableType, keyType = "aws:dynamodb/table:Table", "aws:kms/key:Key"

// TestTheDifferenceIsShown before anything is touched, and no value of it.
func TestTheDifferenceIsShown(t *testing.T) {
	try := newTrial(t)
	const secret = `,"diffReasons":["code","environment"],"oldState":{"inputs":{"environment":"hunter2"}},"newState":{"inputs":{"environment":"hunter3"}}`
	try.engine.preview = parsed(t,
		typed("update", "aws:lambda/function:Function", "eu-central-1-invoker-fn", secret),
		typed("update", "aws:lambda/function:Function", "eu-central-1-health-fn", secret),
		typed("update", aliasType, "eu-central-1-invoker-alias", `,"diffReasons":["functionVersion"]`),
		typed("create-replacement", "aws:apigateway/stage:Stage", "eu-west-1-gateway-stage", `,"diffReasons":["name","tags"],"replaceReasons":["name"]`),
		typed("create", "crossregion:observability:Alarms", "eu-west-1-alarms", `,"newState":{"urn":"x","custom":false}`),
		typed("create", alarmType, "eu-west-1-alarms-a", ""), typed("create", alarmType, "eu-west-1-alarms-b", ""),
		typed("create", alarmType, "eu-west-1-alarms-c", ""), typed("create", alarmType, "eu-west-1-alarms-d", ""),
		typed("delete", "aws:route53/record:Record", "routing-c", ""), typed("delete", "aws:route53/record:Record", "routing-d", ""),
		typed("delete", "aws:route53/record:Record", "routing-a", ""), typed("delete", "aws:route53/record:Record", "routing-b", ""),
	)
	var before string
	try.engine.after = func() {
		if before == "" {
			before = try.out.String()
		}
	}
	require.NoError(t, try.roll(t.Context()))
	_, before, _ = strings.Cut(before, "ring\n")
	assert.Equal(t, `what will change:
1. eu-central-1: 3 to update
    ~ update  aws:lambda:Alias eu-central-1-invoker-alias [diff: functionVersion]
    ~ update  aws:lambda:Function eu-central-1-health-fn, eu-central-1-invoker-fn [diff: code, environment]
2. eu-west-1: 1 to replace, 4 to create
   +- replace aws:apigateway:Stage eu-west-1-gateway-stage [diff: name, tags] [replaced for: name]
    + create  aws:cloudwatch:MetricAlarm eu-west-1-alarms-a, eu-west-1-alarms-b, eu-west-1-alarms-c and 1 more
3. what all regions share, and what goes: 4 to delete
    - delete  aws:route53:Record routing-a, routing-b, routing-c, routing-d
step 1 of 3: eu-central-1
`, before)
	assert.NotContains(t, try.out.String(), "hunter")
	assert.Equal(t, "components alone", count([]change{{op: create, component: true}}))
}

// TestDataIsNotLost by a mistake in a commit.
func TestDataIsNotLost(t *testing.T) {
	tests := []struct {
		name, step string
		want       string // "" if nothing is lost
	}{
		{"a table is replaced", typed("replace", tableType, "eu-central-1-conversation-content", `,"replaceReasons":["name"]`),
			"+- replace aws:dynamodb:Table eu-central-1-conversation-content [replaced for: name]"},
		{"a replica goes", typed("delete", "aws:dynamodb/tableReplica:TableReplica", "eu-west-1-conversation-control", ""), "- delete  aws:dynamodb:TableReplica eu-west-1-conversation-control"},
		{"a key is deleted before it is replaced", typed("delete-replaced", keyType, "eu-west-1-encryption-key", ""), "+- replace aws:kms:Key"},
		{"logs go", typed("delete", "aws:cloudwatch/logGroup:LogGroup", "eu-west-1-invoker-logs", ""), "- delete  aws:cloudwatch:LogGroup"},
		{"a table is changed", typed("update", tableType, "eu-central-1-conversation-content", ""), ""},
		{"a table comes", typed("create", tableType, "eu-central-1-conversation-content", ""), ""},
		{"a function is replaced", typed("replace", "aws:lambda/function:Function", "eu-central-1-invoker-fn", ""), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			try := newTrial(t)
			try.engine.preview = parsed(t, tt.step)
			for _, plan := range []bool{true, false} {
				err := try.run(t.Context(), options{stack: "eu", plan: plan})
				if tt.want == "" {
					require.NoError(t, err)
					continue
				}
				assert.ErrorContains(t, err, tt.want)
				assert.ErrorContains(t, err, "--allow-data-loss")
				assert.Empty(t, try.engine.ups)
			}
			require.NoError(t, try.run(t.Context(), options{stack: "eu", dataLoss: true}))
			assert.NotEmpty(t, try.engine.ups)
		})
	}
}
