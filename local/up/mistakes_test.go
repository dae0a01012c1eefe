package up_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mistake is one of the easiest to make on AWS, made on purpose.
type mistake struct {
	name string
	how  alteration
	want string // what the refusal, or the log of what fails, says
}

// TestMistakesAreRefused makes each mistake in the eu stack, whose deployment
// fails as it would on AWS.
func TestMistakesAreRefused(t *testing.T) {
	for _, m := range refused() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			_, err := startAltered(t, m.how, up.Options{})
			assert.ErrorContains(t, err, m.want)
		})
	}
}

// TestMistakesFail makes each mistake that AWS deploys without a word: what it
// breaks fails, and a log says why.
func TestMistakesFail(t *testing.T) {
	for _, m := range failing() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p, err := startAltered(t, m.how, up.Options{})
			require.NoError(t, err)
			failure := p.all(t.Context())
			require.Error(t, failure)
			assert.Contains(t, failure.Error()+"\n"+p.log(), m.want)
		})
	}
}

// TestNoStackHasADefaultProvider, which would put a resource that names none into
// whatever region the shell is set to.
func TestNoStackHasADefaultProvider(t *testing.T) {
	for _, name := range []string{"eu", "prod"} {
		stack, err := deploy.Load("../..", name)
		require.NoError(t, err)
		assert.JSONEq(t, `["aws"]`, stack.Config["pulumi:disable-default-providers"], name)
	}
}

// on alters the resource of a logical name.
func on(name string, alter func(*registration)) alteration {
	return alteration{resource: func(r *registration) {
		if r.name == name {
			alter(r)
		}
	}}
}

// set gives an input of a resource another value; nil leaves it out.
func set(name, input string, value any) alteration {
	return on(name, func(r *registration) {
		if value == nil {
			delete(r.inputs, input)
			return
		}
		r.inputs[input] = value
	})
}

// replace replaces text in an input of a resource.
func replace(name, input, old, with string) alteration {
	return on(name, func(r *registration) {
		r.inputs[input] = strings.ReplaceAll(r.inputs[input].(string), old, with)
	})
}

func refused() []mistake {
	return []mistake{
		{"a profile is believed for its prefix", alteration{answer: leave}, "may be processed in eu-west-2, which is outside jurisdiction"},
		{"a bare model in place of a profile", on("eu-central-1-inference-claude-sonnet", func(r *registration) {
			r.inputs["modelSource"] = map[string]any{"copyFrom": "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"}
		}), "on-demand throughput isn’t supported"},
		{"a description of a profile with parentheses", set("eu-central-1-inference-nova-pro", "description", "Nova (EU)"), "ValidationException"},
		{"a table whose replicas have no stream", set("eu-central-1-conversation-control", "streamViewType", "KEYS_ONLY"), "needs streams with NEW_AND_OLD_IMAGES"},
		{"a replica without a key", set("eu-west-1-conversation-control", "kmsKeyArn", nil), "all replicas of"},
		{"a replica with the key of another region", replace("eu-west-1-conversation-control", "kmsKeyArn", ":eu-west-1:", ":eu-central-1:"), "want the ARN of a key in eu-west-1"},
		{"a replica by the provider of the table's own region", in("eu-west-1-conversation-control", "eu-central-1"), "Cannot add, delete, or update the local region"},
		{"a log group by the provider of another region", in("eu-west-1-invoker-logs", "eu-north-1"), "is not a key of eu-north-1"},
		{"a certificate of another region", replace("eu-west-1-gateway-shared", "regionalCertificateArn", ":eu-west-1:", ":eu-central-1:"), "Could not find certificate"},
		{"one name for the roles of all regions", alteration{resource: func(r *registration) {
			if strings.HasSuffix(r.name, "-invoker-role-iam") {
				r.inputs["name"] = "invoker"
			}
		}}, "EntityAlreadyExists"},
		{"a failover record that does not evaluate its target", on("routing-eu-west-1-primary", func(r *registration) {
			r.inputs["aliases"].([]any)[0].(map[string]any)["evaluateTargetHealth"] = false
		}), "a failover alias must set evaluateTargetHealth"},
		{"two routing policies under one name", on("routing-eu-west-1-secondary", func(r *registration) {
			delete(r.inputs, "failoverRoutingPolicies")
			r.inputs["latencyRoutingPolicies"] = []any{map[string]any{"region": "eu-west-1"}}
		}), "InvalidChangeBatch"},
		{"a key that CloudWatch Logs may not use", replace("eu-central-1-encryption-key", "policy", "logs.eu-central-1.amazonaws.com", "logs.eu-west-1.amazonaws.com"),
			"The specified KMS key does not exist or is not allowed to be used"},
	}
}

// leave makes AWS route a profile out of the jurisdiction, as it does for some
// source regions.
func leave(token, region string, out map[string]any) {
	if token == "aws:bedrock/getInferenceProfile:getInferenceProfile" && region == "eu-west-1" {
		out["models"] = append(out["models"].([]any), map[string]any{"modelArn": "arn:aws:bedrock:eu-west-2::foundation-model/m"})
	}
}

// in registers a resource by the provider of another region.
func in(name, region string) alteration {
	return on(name, func(r *registration) { r.region = region })
}

func failing() []mistake {
	return []mistake{
		{"a stream with the buffered invocation", on("eu-central-1-gateway-api", func(r *registration) {
			r.inputs["body"] = strings.NewReplacer("2021-11-15/functions", "2015-03-31/functions", "response-streaming-invocations", "invocations").Replace(r.inputs["body"].(string))
		}), "the integration is STREAM, but its uri invokes without streaming"},
		{"a permission without the alias", set("eu-central-1-gateway-invoker", "qualifier", nil), "not authorized to perform: lambda:InvokeFunction"},
		{"a permission for another stage", replace("eu-central-1-gateway-invoker", "sourceArn", "/live/", "/prod/"), "not authorized to perform: lambda:InvokeFunction"},
		{"a policy with the models of its own region only", on("eu-central-1-invoker-role-invoke-models", ownModels), `"outcome":"denied"`},
		{"a custom domain without a mapping", on("eu-central-1-gateway-wildcard-mapping", func(r *registration) { r.leftOut = true }), "403"},
		{"a key that does not name who reads the table", replace("eu-central-1-encryption-key", "policy", "health-role", "other-role"), "because no resource-based policy allows the kms:Decrypt action"},
	}
}

// ownModels leaves the invoke policy the models of one region: the profile may
// route to others, and every call is denied.
func ownModels(r *registration) {
	var kept []string
	for _, part := range strings.Split(r.inputs["policy"].(string), `"`) {
		if strings.Contains(part, "::foundation-model/") {
			part = strings.Replace(part, part[:strings.Index(part, "::")], "arn:aws:bedrock:eu-central-1", 1)
		}
		kept = append(kept, part)
	}
	r.inputs["policy"] = strings.Join(kept, `"`)
}
