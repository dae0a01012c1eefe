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

const table = "arn:aws:dynamodb:eu-west-1:123456789012:table/turns"

// statements is a policy of these statements.
func statements(list ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
}

func statement(effect, action, resource string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q}`, effect, action, resource)
}

func decide(t *testing.T, policy, action, resource string, keys cloud.Keys) iam.Decision {
	t.Helper()
	p, err := iam.ParsePolicy(policy)
	require.NoError(t, err)
	return p.Decide(iam.Ask{Action: action, Resource: resource, Keys: keys})
}

func TestDecide(t *testing.T) {
	allow := statement("Allow", "dynamodb:GetItem", table)
	deny := statement("Deny", "dynamodb:*", table)
	tests := []struct {
		name, policy, action, resource string
		want                           iam.Decision
	}{
		{"what is named is allowed", statements(allow), "dynamodb:GetItem", table, iam.Allowed},
		{"another action is not", statements(allow), "dynamodb:PutItem", table, iam.Neutral},
		{"another resource is not", statements(allow), "dynamodb:GetItem", table + "2", iam.Neutral},
		{"an action's case does not matter", statements(allow), "DynamoDB:getitem", table, iam.Allowed},
		{"a resource's case does", statements(allow), "dynamodb:GetItem", strings.ToUpper(table), iam.Neutral},
		{"a deny wins after an allow", statements(allow, deny), "dynamodb:GetItem", table, iam.Denied},
		{"a deny wins before an allow", statements(deny, allow), "dynamodb:GetItem", table, iam.Denied},
		{"a deny of something else does not matter", statements(allow, statement("Deny", "s3:*", "*")), "dynamodb:GetItem", table, iam.Allowed},
		{"a wildcard in an action", statements(statement("Allow", "dynamodb:*Item", table)), "dynamodb:GetItem", table, iam.Allowed},
		{"a wildcard that does not reach the end", statements(statement("Allow", "dynamodb:*Item", table)), "dynamodb:GetItems", table, iam.Neutral},
		{"a question mark is one character", statements(statement("Allow", "*", table[:len(table)-1]+"?")), "s3:Get", table, iam.Allowed},
		{"a question mark is not none", statements(statement("Allow", "*", table+"?")), "s3:Get", table, iam.Neutral},
		{"a wildcard crosses slashes and colons", statements(statement("Allow", "*", "arn:aws:dynamodb:*:*:*/turns")), "s3:Get", table, iam.Allowed},
		{"a wildcard stands for nothing too", statements(statement("Allow", "*", table+"*")), "s3:Get", table, iam.Allowed},
		{"two wildcards go back to the last only", statements(statement("Allow", "*", "arn:aws:s3:::*ab*ac")), "s3:Get", "arn:aws:s3:::abaabac", iam.Allowed},
		{"everything is legal", statements(statement("Allow", "*", "*")), "s3:Get", "anything", iam.Allowed},
		{"a model without a region is not one with a region", statements(statement("Allow", "*", "arn:aws:bedrock:::foundation-model/m")),
			"bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/m", iam.Neutral},
		{"NotAction spares what it names", `{"Statement":{"Effect":"Allow","NotAction":["s3:*"],"Resource":"*"}}`, "s3:Get", "r", iam.Neutral},
		{"NotAction takes the rest", `{"Statement":{"Effect":"Allow","NotAction":["s3:*"],"Resource":"*"}}`, "sts:Get", "r", iam.Allowed},
		{"NotResource spares what it names", `{"Statement":{"Effect":"Deny","Action":"*","NotResource":["` + table + `"]}}`, "s3:Get", table, iam.Neutral},
		{"NotResource takes the rest", `{"Statement":{"Effect":"Deny","Action":"*","NotResource":["` + table + `"]}}`, "s3:Get", "r", iam.Denied},
		{"white space is of no account", "\n{ \"Id\": \"x\", \"Statement\" :\n [ { \"Sid\": \"A1\", \"Effect\": \"Allow\", \"Action\": [ \"s3:Get\" ] , \"Resource\": [\n\"*\" ], \"Condition\": {} } ] }\n",
			"s3:Get", "r", iam.Allowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, decide(t, tt.policy, tt.action, tt.resource, nil))
		})
	}
}

func TestTheZeroPolicySaysNothing(t *testing.T) {
	assert.Equal(t, iam.Neutral, new(iam.Policy).Decide(iam.Ask{Action: "s3:Get", Resource: "*"}))
}

func TestConditions(t *testing.T) {
	const role = `"arn:aws:iam::123456789012:role/*"`
	yes, no := iam.Allowed, iam.Neutral
	tests := []struct {
		name, condition string
		values          []string // of the key "test:k"; nil when the request lacks it
		want            iam.Decision
	}{
		{"StringEquals compares with case", `"StringEquals":{"test:k":"A"}`, []string{"A"}, yes},
		{"StringEquals knows no other case", `"StringEquals":{"test:k":"A"}`, []string{"a"}, no},
		{"StringEquals knows no wildcards", `"StringEquals":{"test:k":"A*"}`, []string{"AB"}, no},
		{"StringEquals wants one of its values", `"StringEquals":{"test:k":["A","B"]}`, []string{"B"}, yes},
		{"StringEquals fails without the key", `"StringEquals":{"test:k":"A"}`, nil, no},
		{"a key without values is missing", `"StringEquals":{"test:k":"A"}`, []string{}, no},
		{"a key's name has no case", `"StringEquals":{"TEST:K":"A"}`, []string{"A"}, yes},
		{"StringEqualsIfExists holds without the key", `"StringEqualsIfExists":{"test:k":"A"}`, nil, yes},
		{"StringEqualsIfExists compares with the key", `"StringEqualsIfExists":{"test:k":"A"}`, []string{"B"}, no},
		{"StringNotEquals holds for another value", `"StringNotEquals":{"test:k":["A","B"]}`, []string{"C"}, yes},
		{"StringNotEquals fails for any of its values", `"StringNotEquals":{"test:k":["A","B"]}`, []string{"B"}, no},
		{"StringNotEquals holds without the key", `"StringNotEquals":{"test:k":"A"}`, nil, yes},
		{"StringNotEquals wants none of many", `"StringNotEquals":{"test:k":"A"}`, []string{"B", "A"}, no},
		{"StringEqualsIgnoreCase has no case", `"StringEqualsIgnoreCase":{"test:k":"A"}`, []string{"a"}, yes},
		{"StringLike knows wildcards", `"StringLike":{"test:k":"t#*#?"}`, []string{"t#1#2"}, yes},
		{"StringLike takes whole characters", `"StringLike":{"test:k":"z?rich"}`, []string{"zürich"}, yes},
		{"StringLike fails otherwise", `"StringLike":{"test:k":"t#*"}`, []string{"u#1"}, no},
		{"StringNotLike is the contrary", `"StringNotLike":{"test:k":"t#*"}`, []string{"t#1"}, no},
		{"ArnLike matches", `"ArnLike":{"test:k":` + role + `}`, []string{"arn:aws:iam::123456789012:role/a/b:c"}, yes},
		{"ArnEquals matches likewise", `"ArnEquals":{"test:k":` + role + `}`, []string{"arn:aws:iam::123456789012:role/a"}, yes},
		{"ArnLike keeps a wildcard in its field", `"ArnLike":{"test:k":"arn:aws:*:*:*:b"}`, []string{"arn:aws:s3:::a:b"}, no},
		{"ArnLike refuses what is no ARN", `"ArnLike":{"test:k":"arn:*:*:*:*:*"}`, []string{"role/a"}, no},
		{"ArnNotLike is the contrary", `"ArnNotLike":{"test:k":` + role + `}`, []string{"arn:aws:iam::123456789012:role/a"}, no},
		{"ArnNotEquals holds for another", `"ArnNotEquals":{"test:k":` + role + `}`, []string{"arn:aws:iam::123456789012:user/a"}, yes},
		{"Bool has no case", `"Bool":{"test:k":true}`, []string{"True"}, yes},
		{"Bool compares", `"Bool":{"test:k":"false"}`, []string{"true"}, no},
		{"Bool fails without the key", `"Bool":{"test:k":"false"}`, nil, no},
		{"Null true holds without the key", `"Null":{"test:k":"true"}`, nil, yes},
		{"Null true fails with the key", `"Null":{"test:k":"true"}`, []string{"A"}, no},
		{"Null false holds with the key", `"Null":{"test:k":false}`, []string{"A"}, yes},
		{"Null false fails without the key", `"Null":{"test:k":false}`, nil, no},
		{"NumericEquals compares numbers", `"NumericEquals":{"test:k":10}`, []string{"10.0"}, yes},
		{"NumericEquals refuses other text", `"NumericEquals":{"test:k":"10"}`, []string{"ten"}, no},
		{"NumericLessThan is strict", `"NumericLessThan":{"test:k":10}`, []string{"10"}, no},
		{"NumericLessThan holds below", `"NumericLessThan":{"test:k":10}`, []string{"9"}, yes},
		{"NumericLessThanEquals is not strict", `"NumericLessThanEquals":{"test:k":10}`, []string{"10"}, yes},
		{"NumericGreaterThan is strict", `"NumericGreaterThan":{"test:k":10}`, []string{"10"}, no},
		{"NumericGreaterThan holds above", `"NumericGreaterThan":{"test:k":10}`, []string{"11"}, yes},
		{"NumericGreaterThanEquals is not strict", `"NumericGreaterThanEquals":{"test:k":10}`, []string{"10"}, yes},
		{"ForAnyValue wants one", `"ForAnyValue:StringEquals":{"test:k":["A","B"]}`, []string{"C", "A"}, yes},
		{"ForAnyValue fails for none", `"ForAnyValue:StringEquals":{"test:k":["A","B"]}`, []string{"C"}, no},
		{"ForAnyValue fails without the key", `"ForAnyValue:StringEquals":{"test:k":"A"}`, nil, no},
		{"ForAnyValue of a negated operator fails without the key", `"ForAnyValue:StringNotEquals":{"test:k":"A"}`, nil, no},
		{"ForAnyValue of a negated operator wants one stranger", `"ForAnyValue:StringNotEquals":{"test:k":"A"}`, []string{"A", "B"}, yes},
		{"ForAllValues wants all", `"ForAllValues:StringEquals":{"test:k":["A","B"]}`, []string{"A", "B"}, yes},
		{"ForAllValues fails for one stranger", `"ForAllValues:StringEquals":{"test:k":["A","B"]}`, []string{"A", "C"}, no},
		{"ForAllValues holds without the key", `"ForAllValues:StringEquals":{"test:k":"A"}`, nil, yes},
		{"ForAllValues of a negated operator wants strangers only", `"ForAllValues:StringNotEquals":{"test:k":"A"}`, []string{"A", "B"}, no},
		{"ForAnyValue and IfExists go together", `"ForAnyValue:StringLikeIfExists":{"test:k":"A*"}`, nil, yes},
		{"all operators must hold", `"StringLike":{"test:k":"A*"},"StringNotEquals":{"test:k":"AB"}`, []string{"AB"}, no},
		{"all keys must hold", `"StringLike":{"test:k":"A*","test:other":"B"}`, []string{"A"}, no},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys := cloud.Keys{}
			if tt.values != nil {
				keys["Test:K"] = tt.values
			}
			policy := statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{` + tt.condition + `}}`)
			assert.Equal(t, tt.want, decide(t, policy, "s3:Get", "r", keys))
		})
	}
}

func TestParsePolicyRejects(t *testing.T) {
	with := func(element string) string {
		return statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"*",` + element + `}`)
	}
	tests := []struct{ name, policy, want string }{
		{"what is not JSON", `{`, "not JSON"},
		{"text after the policy", statements(statement("Allow", "*", "*")) + "{}", "not JSON"},
		{"a list", `[]`, "not an object"},
		{"an unknown element", `{"Statement":[],"Extra":1}`, `unknown element "Extra"`},
		{"an element in another case", `{"statement":[]}`, `unknown element "statement"`},
		{"an unknown version", `{"Version":"2020-01-01","Statement":[]}`, `version "2020-01-01" is not known`},
		{"a version that is no string", `{"Version":null,"Statement":[]}`, "Version is not a string"},
		{"an id that is no string", `{"Id":1,"Statement":[]}`, "Id is not a string"},
		{"no statement", `{"Version":"2012-10-17"}`, "Statement is missing"},
		{"an empty list of statements", statements(), "Statement is empty"},
		{"a statement that is no object", statements(`"Allow"`), "statement 1: not an object"},
		{"an unknown effect", statements(statement("allow", "*", "*")), `effect is "allow"`},
		{"no effect", statements(`{"Action":"*","Resource":"*"}`), `effect is ""`},
		{"an effect that is no string", statements(`{"Effect":true,"Action":"*","Resource":"*"}`), "Effect is not a string"},
		{"a principal", with(`"Principal":"*"`), `unknown element "Principal"`},
		{"an element that stands twice", with(`"Effect":"Deny"`), `"Effect" stands twice`},
		{"an action and its contrary", with(`"NotAction":"s3:Put"`), "exactly one of Action and NotAction"},
		{"no action", statements(`{"Effect":"Allow","Resource":"*"}`), "exactly one of Action and NotAction"},
		{"an empty list of actions", statements(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Action is empty"},
		{"a list within a list", statements(`{"Effect":"Allow","Action":[["s3:Get"]],"Resource":"*"}`), "Action: want a string"},
		{"an action without a vendor", statements(statement("Allow", "GetItem", "*")), `action "GetItem"`},
		{"no resource", statements(`{"Effect":"Allow","Action":"*"}`), "exactly one of Resource and NotResource"},
		{"a resource that is no ARN", statements(statement("Allow", "*", "turns")), `resource "turns" must be`},
		{"a resource with missing fields", statements(statement("Allow", "*", "arn:aws:s3")), "all its 6 fields"},
		{"a resource of another partition", statements(statement("Allow", "*", "arn:aws-cn:s3:::b")), `partition "aws-cn"`},
		{"a resource of any service", statements(statement("Allow", "*", "arn:aws:*:::b")), "must name one service"},
		{"a policy variable", statements(statement("Allow", "*", "arn:aws:s3:::${aws:PrincipalAccount}")), "policy variables"},
		{"a policy variable in a condition", with(`"Condition":{"StringEquals":{"aws:x":"${aws:y}"}}`), "policy variables"},
		{"a bad statement id", with(`"Sid":"a-b"`), "alpha-numeric"},
		{"a statement id that is no string", with(`"Sid":{}`), "Sid is not a string"},
		{"two statements of one id", statements(`{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}`,
			`{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}`), "must be unique"},
		{"a condition that is no object", with(`"Condition":[]`), "condition: not an object"},
		{"an unknown operator", with(`"Condition":{"StringIs":{"aws:x":"y"}}`), `operator "StringIs"`},
		{"an operator that is not evaluated", with(`"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), `operator "IpAddress"`},
		{"Null with IfExists", with(`"Condition":{"NullIfExists":{"aws:x":"true"}}`), `operator "NullIfExists"`},
		{"two prefixes", with(`"Condition":{"ForAnyValue:ForAllValues:StringLike":{"aws:x":"y"}}`), "operator"},
		{"an operator without keys", with(`"Condition":{"Bool":"true"}`), "condition Bool: not an object"},
		{"a key without a vendor", with(`"Condition":{"StringLike":{"x":"y"}}`), "prefaced by a vendor"},
		{"a key that stands twice", with(`"Condition":{"StringLike":{"aws:x":"y","aws:x":"z"}}`), `"aws:x" stands twice`},
		{"an empty list of values", with(`"Condition":{"StringLike":{"aws:x":[]}}`), "aws:x is empty"},
		{"a value that is an object", with(`"Condition":{"StringLike":{"aws:x":{}}}`), "want a string"},
		{"a value that is null", with(`"Condition":{"StringLike":{"aws:x":[null]}}`), "want a string"},
		{"a truth that is none", with(`"Condition":{"Bool":{"aws:x":"yes"}}`), `value "yes"`},
		{"a number that is none", with(`"Condition":{"NumericEquals":{"aws:x":"ten"}}`), `value "ten"`},
		{"an ARN that is none", with(`"Condition":{"ArnLike":{"aws:x":"role/a"}}`), `value "role/a"`},
		{"a document beyond IAM's limit", with(`"Sid":"` + strings.Repeat("a", 131072) + `"`), "at most 131072"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := iam.ParsePolicy(tt.policy)
			requireCode(t, err, "MalformedPolicyDocument", 400)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// Wildcards must not make a policy a way to stop the cloud.
func TestManyWildcardsEndSoon(t *testing.T) {
	policy := statements(statement("Allow", "*", "arn:aws:s3:::"+strings.Repeat("*a", 1000)+"b"))
	assert.Equal(t, iam.Neutral, decide(t, policy, "s3:Get", "arn:aws:s3:::"+strings.Repeat("a", 4000), nil))
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(statements(statement("Allow", "s3:Get", "arn:aws:s3:::a*")))
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":[],"NotResource":"*","Condition":{"ForAnyValue:Bool":{"a:b":[true,1]}}}}`)
	f.Fuzz(func(t *testing.T, document string) {
		p, err := iam.ParsePolicy(document)
		if err != nil {
			requireCode(t, err, "MalformedPolicyDocument", 400)
			return
		}
		assert.Contains(t, []iam.Decision{iam.Neutral, iam.Allowed, iam.Denied}, p.Decide(iam.Ask{Action: "s3:Get", Resource: "a"}))
	})
}
