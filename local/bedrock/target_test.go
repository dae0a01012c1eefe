package bedrock_test

import (
	"fmt"
	"testing"

	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	invoke       = "bedrock:InvokeModel on "
	invokeStream = "bedrock:InvokeModelWithResponseStream on "
)

func TestIdentifiers(t *testing.T) {
	b := fast(t)
	app := b.profile(t, "us-east-1", "app", systemARN("us-east-1", "us."+haiku))
	tests := []struct {
		name, id, code, want string
	}{
		{"a system profile's ID is accepted", "us." + haiku, "", ""},
		{"a system profile's ARN is accepted", systemARN("us-east-1", "us."+haiku), "", ""},
		{"an application profile's ARN is accepted", app, "", ""},
		{"a model that the region serves on demand is accepted", novaPro, "", ""},
		{"the ARN of such a model is accepted", "arn:aws:bedrock:us-east-1::foundation-model/" + novaPro, "", ""},
		{"a model that needs a profile is refused", sonnet, "ValidationException", "with on-demand throughput isn’t supported"},
		{"a model that only another region serves is refused", "meta.llama3-3-70b-instruct-v1:0", "ValidationException", "with on-demand throughput"},
		{"a model that nobody makes is refused", "acme.oracle-v1:0", "ValidationException", "model identifier is invalid"},
		{"a profile of another geography is refused", "eu." + haiku, "ValidationException", "model identifier is invalid"},
		{"an ARN of another region is refused", systemARN("us-west-2", "us."+haiku), "ValidationException", "model identifier is invalid"},
		{"an ARN of another account is refused", "arn:aws:bedrock:us-east-1:999999999999:inference-profile/us." + haiku, "ValidationException", "invalid"},
		{"an ARN that ends early is refused", "arn:aws:bedrock", "ValidationException", "invalid"},
		{"an application profile that nobody created is refused", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/none12345678", "ResourceNotFoundException", "was not found"},
		{"an embeddings model is refused", "amazon.titan-embed-text-v2:0", "ValidationException", "supported text or chat model"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.client("us-east-1").Converse(patience(t), ask(tt.id, "hello"))
			if tt.code == "" {
				require.NoError(t, err)
				return
			}
			code, _ := codeAndStatus(t, err)
			assert.Equal(t, tt.code, code)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAuthorizationAsksForEveryDestination(t *testing.T) {
	b := fast(t)
	app := b.profile(t, "us-east-1", "app", systemARN("us-east-1", "us."+haiku))
	appGlobal := b.profile(t, "us-east-1", "app-global", systemARN("us-east-1", "global."+haiku))
	appModel := b.profile(t, "us-east-1", "app-model", model("us-east-1", novaPro))
	system, global := systemARN("us-east-1", "us."+haiku), systemARN("us-east-1", "global."+haiku)
	tests := []struct {
		name, id string
		want     []string
	}{
		{"of a system profile", "us." + haiku, []string{
			system + " in us-east-1",
			model("us-east-1", haiku) + " in us-east-1 by " + system,
			model("us-east-2", haiku) + " in us-east-2 by " + system,
			model("us-west-2", haiku) + " in us-west-2 by " + system,
		}},
		{"of an application profile, and of what it was copied from", app, []string{
			app + " in us-east-1",
			system + " in us-east-1 by " + app,
			model("us-east-1", haiku) + " in us-east-1 by " + app,
			model("us-east-2", haiku) + " in us-east-2 by " + app,
			model("us-west-2", haiku) + " in us-west-2 by " + app,
		}},
		{"of a global profile, as nowhere in particular", "global." + haiku, []string{
			global + " in us-east-1",
			model("", haiku) + " in unspecified by " + global,
			model("us-east-1", haiku) + " in us-east-1 by " + global,
		}},
		{"of an application profile of a global one", appGlobal, []string{
			appGlobal + " in us-east-1",
			global + " in us-east-1 by " + appGlobal,
			model("", haiku) + " in unspecified by " + appGlobal,
			model("us-east-1", haiku) + " in us-east-1 by " + appGlobal,
		}},
		{"of an application profile of one model", appModel, []string{
			appModel + " in us-east-1",
			model("us-east-1", novaPro) + " in us-east-1 by " + appModel,
		}},
		{"of a model on demand", novaPro, []string{model("us-east-1", novaPro) + " in us-east-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.iam.asked = nil
			_, err := b.client("us-east-1").Converse(patience(t), ask(tt.id, "hello"))
			require.NoError(t, err)
			assert.Equal(t, checks(invoke, tt.want), b.iam.asked)

			b.iam.asked = nil
			require.NoError(t, stream(patience(t), b.client("us-east-1"), ask(tt.id, "hello")).err)
			assert.Equal(t, checks(invokeStream, tt.want), b.iam.asked)
		})
	}
}

func TestReadingsOfWhatIsNotDocumented(t *testing.T) {
	system := systemARN("us-east-1", "us."+haiku)
	for _, reads := range []bedrock.Readings{
		{}, {SystemProfileNotNeeded: true}, {ConditionIsSystemProfile: true}, {SystemProfileNotNeeded: true, ConditionIsSystemProfile: true},
	} {
		t.Run(fmt.Sprintf("%+v", reads), func(t *testing.T) {
			b := benchThat(t, cloud.RealClock(20), reads)
			app := b.profile(t, "us-east-1", "app", systemARN("us-east-1", "us."+haiku))
			by := " by " + map[bool]string{false: app, true: system}[reads.ConditionIsSystemProfile]
			want := []string{app + " in us-east-1"}
			if !reads.SystemProfileNotNeeded {
				want = append(want, system+" in us-east-1"+by)
			}
			for _, region := range []string{"us-east-1", "us-east-2", "us-west-2"} {
				want = append(want, model(region, haiku)+" in "+region+by)
			}
			_, err := b.client("us-east-1").Converse(patience(t), ask(app, "hello"))
			require.NoError(t, err)
			assert.Equal(t, checks(invoke, want), b.iam.asked)
		})
	}
	t.Run("change nothing for a system profile itself", func(t *testing.T) {
		b := benchThat(t, cloud.RealClock(20), bedrock.Readings{SystemProfileNotNeeded: true, ConditionIsSystemProfile: true})
		_, err := b.client("us-east-1").Converse(patience(t), ask("us."+haiku, "hello"))
		require.NoError(t, err)
		assert.Contains(t, b.iam.asked, check(invoke+system+" in us-east-1"))
		assert.Contains(t, b.iam.asked, check(invoke+model("us-west-2", haiku)+" in us-west-2 by "+system))
	})
}

func TestOneDeniedResourceDeniesTheCall(t *testing.T) {
	for _, which := range []string{"profile", "system", "destination"} {
		t.Run(which, func(t *testing.T) {
			b := fast(t)
			app := b.profile(t, "us-east-1", "app", systemARN("us-east-1", "us."+haiku))
			b.iam.denied = []string{map[string]string{
				"profile": app, "system": systemARN("us-east-1", "us."+haiku), "destination": model("us-west-2", haiku),
			}[which]}
			_, err := b.client("us-east-1").Converse(patience(t), ask(app, "hello"))
			code, status := codeAndStatus(t, err)
			assert.Equal(t, "AccessDeniedException", code)
			assert.Equal(t, 403, status)
			assert.Empty(t, b.Calls())
		})
	}
}

func TestDestinationsTakeTurnsBeginningWithTheSource(t *testing.T) {
	b := fast(t)
	for range 4 {
		_, err := b.client("us-west-1").Converse(patience(t), ask("us."+haiku, "hello"))
		require.NoError(t, err)
	}
	require.NoError(t, stream(patience(t), b.client("us-west-1"), ask("us."+haiku, "hello")).err)
	var served []string
	for _, c := range b.Calls() {
		served = append(served, c.Destination)
	}
	assert.Equal(t, []string{"us-west-1", "us-east-1", "us-east-2", "us-west-2", "us-west-1"}, served)
	last := b.Calls()[4]
	assert.False(t, last.At.IsZero())
	assert.Equal(t, bedrock.Call{
		Source: "us-west-1", Destination: "us-west-1", ModelID: "us." + haiku, Stream: true, Principal: role, Asked: "hello", At: last.At,
	}, last)
}

func model(region, id string) string { return "arn:aws:bedrock:" + region + "::foundation-model/" + id }

func checks(action string, resources []string) []check {
	var all []check
	for _, r := range resources {
		all = append(all, check(action+r))
	}
	return all
}
