package inference_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// offline are arguments for a region that cannot be asked.
func offline(m inference.Model) *inference.ProfilesArgs {
	a := args(m)
	a.Allowed, a.Offline = europe, &inference.Owner{Partition: "aws", Account: componenttest.Account}
	return a
}

// TestOfflineComesFromTheCatalogue: no function of AWS is asked, and what is
// registered is what its answers would have led to.
func TestOfflineComesFromTheCatalogue(t *testing.T) {
	model := inference.Model{Name: "nova-pro", Profile: "eu.amazon.nova-pro-v1:0"}
	rec := componenttest.New(nil)
	p, policy, err := run(t, rec, offline(model))
	require.NoError(t, err)
	assert.Empty(t, rec.Asked())
	assert.Equal(t, []string{"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"}, p.ModelDestinations("nova-pro"))

	asked := args(model)
	asked.Allowed = europe
	online := componenttest.New(routes("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"))
	_, want, err := run(t, online, asked)
	require.NoError(t, err)
	assert.Equal(t, want, policy)
	const profile = "aws:bedrock/inferenceProfile:InferenceProfile"
	assert.Equal(t, online.One(t, profile, "test-nova-pro").Inputs, rec.One(t, profile, "test-nova-pro").Inputs)
}

func TestOfflineModels(t *testing.T) {
	rec := componenttest.New(nil)
	p, _, err := run(t, rec, offline(inference.Model{Name: "embed", ID: "amazon.titan-embed-text-v2:0"}))
	require.NoError(t, err)
	assert.Equal(t, []string{"eu-west-1"}, p.ModelDestinations("embed"))
	assert.Empty(t, rec.Of("aws:bedrock/inferenceProfile:InferenceProfile"), "a model that makes embeddings has none")
}

func TestOfflineRejects(t *testing.T) {
	_, _, err := run(t, componenttest.New(nil), offline(inference.Model{Name: "m", Profile: "eu.unheard.of"}))
	assert.ErrorContains(t, err, "the region is offline, and the catalogue")
	outside := offline(inference.Model{Name: "m", Profile: "eu.amazon.nova-pro-v1:0"})
	outside.Allowed = []string{"eu-west-1"}
	_, _, err = run(t, componenttest.New(nil), outside)
	assert.ErrorContains(t, err, "outside jurisdiction", "the catalogue is checked as AWS is")
	incomplete := offline(inference.Model{Name: "m", Profile: "eu.amazon.nova-pro-v1:0"})
	incomplete.Offline.Account = ""
	_, _, err = run(t, componenttest.New(nil), incomplete)
	assert.ErrorContains(t, err, "the partition and the account of Offline")
}
