package kms_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/kms"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	region = "eu-west-1"
	trust  = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}`
	keeper = `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:PutKeyPolicy", "Resource": "*"}`
	reader = `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:Decrypt", "Resource": "*", "Condition": {
		"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/reader"},
		"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com", "kms:CallerAccount": "123456789012"}}}`
	logs = `{"Effect": "Allow", "Principal": {"Service": "logs.eu-west-1.amazonaws.com"}, "Action": "kms:Encrypt", "Resource": "*", "Condition": {
		"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:123456789012:log-group:*"}}}`
)

type object = map[string]any

func document(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",") + `]}`
}

type bench struct {
	*kms.Service
	t   *testing.T
	iam *iam.Service
}

func newBench(t *testing.T) *bench {
	s := iam.New(cloud.NewManualClock(time.Unix(0, 0)))
	return &bench{Service: kms.New(s), t: t, iam: s}
}

func (b *bench) create(token, region string, inputs object) (cloud.State, error) {
	b.t.Helper()
	for _, r := range append(b.Resources(), b.iam.Resources()...) {
		if r.Token == token {
			return r.Create(b.t.Context(), region, "test", inputs)
		}
	}
	require.Fail(b.t, "no such resource type", token)
	return cloud.State{}, nil
}

func (b *bench) must(token string, inputs object) cloud.State {
	b.t.Helper()
	state, err := b.create(token, region, inputs)
	require.NoError(b.t, err)
	return state
}

// key makes a key with the statements besides that of its keepers.
func (b *bench) key(statements ...string) string {
	b.t.Helper()
	return fmt.Sprint(b.must("aws:kms/key:Key", object{"policy": document(append(statements, keeper)...)}).Outputs["arn"])
}

// role makes a role that IAM lets decrypt with every key.
func (b *bench) role(name string) cloud.Caller {
	b.t.Helper()
	b.must("aws:iam/role:Role", object{"name": name, "assumeRolePolicy": trust})
	b.must("aws:iam/rolePolicy:RolePolicy", object{"role": name, "name": "use",
		"policy": document(`{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}`)})
	return cloud.Caller{ARN: "arn:aws:sts::123456789012:assumed-role/" + name + "/s", Role: name, Region: region}
}

func use(key, service string, actions ...string) kms.Use {
	return kms.Use{Key: key, Service: service, Actions: actions, Context: map[string]string{"aws:logs:arn": "arn:aws:logs:eu-west-1:123456789012:log-group:g"}}
}

func TestUseFor(t *testing.T) {
	const dynamodb = "dynamodb.eu-west-1.amazonaws.com"
	b := newBench(t)
	key, named, other := b.key(reader), b.role("reader"), b.role("other")
	assert.NoError(t, b.UseFor(named, use(key, dynamodb, "kms:Decrypt")))
	assert.ErrorContains(t, b.UseFor(named, use(key, "dynamodb.eu-west-2.amazonaws.com", "kms:Decrypt")), "no resource-based policy", "through another region")
	assert.ErrorContains(t, b.UseFor(named, use(key, dynamodb, "kms:Decrypt", "kms:Encrypt")), "kms:Encrypt", "every action must be allowed")
	assert.ErrorContains(t, b.UseFor(other, use(key, dynamodb, "kms:Decrypt")), "no resource-based policy", "a role that the key does not name")
	assert.ErrorContains(t, b.UseFor(named, use(key+"x", dynamodb, "kms:Decrypt")), "NotFoundException")
}

// TestAGrantIsForTheServiceThatAsks, which policies can demand of grants alone.
func TestAGrantIsForTheServiceThatAsks(t *testing.T) {
	forAWS := func(action, value string) string {
		return `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "` + action + `", "Resource": "*",
			"Condition": {"Bool": {"kms:GrantIsForAWSResource": "` + value + `"}}}`
	}
	b := newBench(t)
	ask := func(key, action string) error {
		return b.UseFor(iam.OperatorCaller(region), use(key, "dynamodb.eu-west-1.amazonaws.com", action))
	}
	assert.NoError(t, ask(b.key(forAWS("kms:CreateGrant", "true")), "kms:CreateGrant"))
	b = newBench(t)
	assert.Error(t, ask(b.key(forAWS("kms:CreateGrant", "false")), "kms:CreateGrant"))
	b = newBench(t)
	assert.Error(t, ask(b.key(forAWS("kms:Decrypt", "true")), "kms:Decrypt"), "the key is there for grants only")
}

// TestTheKeysPolicyIsNotEnough for a role that its own policies do not allow.
func TestTheKeysPolicyIsNotEnough(t *testing.T) {
	b := newBench(t)
	b.must("aws:iam/role:Role", object{"name": "reader", "assumeRolePolicy": trust})
	err := b.UseFor(cloud.Caller{ARN: "arn:s", Role: "reader"}, use(b.key(reader), "dynamodb.eu-west-1.amazonaws.com", "kms:Decrypt"))
	assert.ErrorContains(t, err, "no identity-based policy")
}

func TestUseBy(t *testing.T) {
	b := newBench(t)
	key := b.key(logs)
	assert.NoError(t, b.UseBy(use(key, "logs.eu-west-1.amazonaws.com", "kms:Encrypt")))
	assert.ErrorContains(t, b.UseBy(use(key, "logs.eu-west-2.amazonaws.com", "kms:Encrypt")), "AccessDeniedException")
	assert.ErrorContains(t, b.UseBy(use(key, "logs.eu-west-1.amazonaws.com", "kms:Encrypt", "kms:Decrypt")), "kms:Decrypt")
	assert.ErrorContains(t, b.UseBy(use(key+"x", "logs.eu-west-1.amazonaws.com", "kms:Encrypt")), "NotFoundException")
}

// TestKeysOfARegionAreDisabled for whoever asks, and all well again afterwards.
func TestKeysOfARegionAreDisabled(t *testing.T) {
	b := newBench(t)
	key, reads := b.key(reader, logs), b.role("reader")
	ask := func() []error {
		return []error{
			b.UseFor(reads, use(key, "dynamodb.eu-west-1.amazonaws.com", "kms:Decrypt")),
			b.UseBy(use(key, "logs.eu-west-1.amazonaws.com", "kms:Encrypt")),
		}
	}
	b.Disable("eu-west-2")
	assert.Equal(t, []error{nil, nil}, ask(), "those of another region")
	b.Disable(region)
	for _, err := range ask() {
		assert.ErrorContains(t, err, "DisabledException")
	}
	assert.Equal(t, 2, b.Enable(region))
	assert.Equal(t, []error{nil, nil}, ask())
	assert.Zero(t, b.Enable(region), "it was enabled already")
}
