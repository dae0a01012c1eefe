package up_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/crossregion/crossregion/local/policy"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// under has every role of a stack bound by a service control policy, whose
// denials count as those of its own policies do.
func under(t *testing.T, control policy.Document) alteration {
	t.Helper()
	return alteration{resource: func(r *registration) {
		if r.token != policyToken {
			return
		}
		var d policy.Document
		assert.NoError(t, json.Unmarshal([]byte(r.inputs["policy"].(string)), &d))
		for _, s := range control.Statement {
			s.Sid = ""
			d.Statement = append(d.Statement, s)
		}
		b, err := json.Marshal(d)
		assert.NoError(t, err)
		r.inputs["policy"] = string(b)
	}}
}

// TestUnderItsServiceControlPolicy: the policy that this project writes for an
// account lets everything through that a stack does. One that leaves out a
// region to which Bedrock may route, as those do that list a stack's own, stops
// every call of the model.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
func TestUnderItsServiceControlPolicy(t *testing.T) {
	o := up.Options{Root: "../..", Stack: "eu"}
	control, err := policy.Control(policy.Options{Root: o.Root, Stack: o.Stack})
	require.NoError(t, err)

	p, err := startAltered(t, under(t, control), o)
	require.NoError(t, err)
	require.NoError(t, p.all(t.Context()))
	assert.NotRegexp(t, denied, p.log())

	narrow := control.Statement[0].Condition["StringNotEquals"]
	narrow["aws:RequestedRegion"] = slices.DeleteFunc(narrow["aws:RequestedRegion"], func(region string) bool { return region == "eu-south-2" })
	p, err = startAltered(t, under(t, control), o)
	require.NoError(t, err)
	err = p.all(t.Context())
	require.ErrorContains(t, err, "403")
	assert.Regexp(t, `"error":"access_denied".*"region":"eu-north-1","reason":"failover","outcome":"denied"`, p.log(), "all of them are")
}
