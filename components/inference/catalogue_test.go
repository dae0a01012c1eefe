package inference_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCatalogueIsACrossCheck: AWS's answer counts, and a difference is told.
func TestCatalogueIsACrossCheck(t *testing.T) {
	const sonnet = "eu.anthropic.claude-sonnet-4-6"
	tests := []struct {
		name, profile, source string
		answer                []string
		want                  string // part of the only difference; empty for none
	}{
		{"the same in another order", sonnet, "eu-west-1",
			[]string{"eu-west-3", "eu-west-1", "eu-south-2", "eu-south-1", "eu-north-1", "eu-central-1"}, ""},
		{"a source that is a destination for itself alone", sonnet, "eu-west-2", append([]string{"eu-west-2"}, europe...), ""},
		{"one less", sonnet, "eu-west-1", []string{"eu-central-1", "eu-west-1"},
			sonnet + " called from eu-west-1: the catalogue of 2026-11 expects destinations eu-central-1, eu-north-1, eu-south-1, eu-south-2, " +
				"eu-west-1, eu-west-3, AWS answers eu-central-1, eu-west-1;"},
		{"one more", sonnet, "eu-west-1", append([]string{"eu-central-2"}, europe...), "AWS answers eu-central-1, eu-central-2,"},
		{"a source that is not listed", sonnet, "ca-west-1", []string{"ca-west-1"}, ""},
		{"a profile that is not listed", "eu.acme.model-9", "eu-west-1", []string{"eu-west-1"}, ""},
		{"a profile whose destinations depend on the source", "eu.amazon.nova-pro-v1:0", "il-central-1",
			[]string{"eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-3", "il-central-1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, _, err := run(t, componenttest.New(routes(tt.answer...)), &inference.ProfilesArgs{
				Region: tt.source, Jurisdiction: "test", Allowed: append([]string{tt.source}, tt.answer...),
				Models: []inference.Model{{Name: "m", Profile: tt.profile}},
			})
			require.NoError(t, err)
			assert.ElementsMatch(t, tt.answer, p.ModelDestinations("m"), "the catalogue is not the authority")
			if tt.want == "" {
				assert.Empty(t, p.Differences)
				return
			}
			require.Len(t, p.Differences, 1)
			assert.Contains(t, p.Differences[0], tt.want)
		})
	}
}
