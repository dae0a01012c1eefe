package residency_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/residency"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryPlaceOfTheEuropeanStackIsInTheUnion(t *testing.T) {
	var report bytes.Buffer
	require.NoError(t, residency.Write(t.Context(), &report, residency.Options{Root: "../..", Stack: "eu"}))
	text := report.String()
	assert.Contains(t, text, "Jurisdiction **eu**")
	assert.NotContains(t, text, "**no**")
	for _, want := range []string{
		"| conversation table | stored | eu-north-1 | yes |",
		"| model nova-pro, called from eu-west-1 | processed | eu-west-3 | yes | AWS names it as a destination of eu.amazon.nova-pro-v1:0 called from eu-west-1 |",
		"| model claude-sonnet, called from eu-central-1 | processed | eu-south-2 | yes |",
	} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, 1, strings.Count(text, "model nova-pro, called from eu-west-1 | processed | eu-west-3"), "each place once")
}

// TestAStackThatIsDeployedIsShown: its settings name a real account, who may
// deploy there, and what bounds its roles, none of which the embedded cloud has.
func TestAStackThatIsDeployedIsShown(t *testing.T) {
	root := t.TempDir()
	project, err := os.ReadFile("../../Pulumi.yaml")
	require.NoError(t, err)
	stack, err := os.ReadFile("../../Pulumi.eu.yaml")
	require.NoError(t, err)
	deployed := string(stack) + `    account: "210987654321"
    deployers: ["arn:aws:iam::210987654321:role/deploy-eu"]
    permissionsBoundary: arn:aws:iam::210987654321:policy/edge
secretsprovider: awskms://alias/pulumi?region=eu-west-3
encryptedkey: AQICAHg=
`
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.yaml"), project, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.eu.yaml"), []byte(deployed), 0o600))
	var report bytes.Buffer
	require.NoError(t, residency.Write(t.Context(), &report, residency.Options{Root: root, Stack: "eu"}))
	assert.Contains(t, report.String(), "Jurisdiction **eu**")
}

func TestAnUnknownStackIsRefused(t *testing.T) {
	var report bytes.Buffer
	assert.ErrorContains(t, residency.Write(t.Context(), &report, residency.Options{Root: "../..", Stack: "qa"}), `no stack "qa"`)
	assert.Empty(t, report)
}

func TestCommandRefuses(t *testing.T) {
	var out bytes.Buffer
	assert.ErrorContains(t, residency.Command(t.Context(), []string{"eu"}, &out), `takes no argument "eu"`)
	assert.ErrorContains(t, residency.Command(t.Context(), []string{"--region", "x"}, &out), "residency -h")
	require.NoError(t, residency.Command(t.Context(), []string{"-h"}, &out))
	assert.Contains(t, out.String(), "usage: go run ./local residency")
}
