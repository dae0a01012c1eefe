package lambda_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAShareOfTheInvocations goes to a second version, until the alias says
// otherwise.
func TestAShareOfTheInvocations(t *testing.T) {
	const functionType, aliasType = "aws:lambda/function:Function", "aws:lambda/alias:Alias"
	w := newWorld(t)
	publish := func(version string) props {
		return settings(props{"publish": true, "environment": props{"variables": props{"VERSION": version}}})
	}
	change := func(token, id string, inputs props) {
		t.Helper()
		for _, r := range w.Resources() {
			if r.Token == token {
				_, err := r.Update(t.Context(), cloud.Existing{State: cloud.State{ID: id}, Region: region, Inputs: inputs}, inputs)
				require.NoError(t, err)
			}
		}
	}
	arn := w.must(functionType, "f", publish("1")).Outputs["arn"].(string)
	live := w.must(aliasType, "live", props{"functionName": "f", "functionVersion": "1", "name": "live"}).ID
	w.must("aws:lambda/permission:Permission", "live", permit(props{"qualifier": "live"}))
	change(functionType, "f", publish("2"))
	served := func() (newer int) {
		for range 10 {
			if body, _ := w.call(arn+":live", order{"do": "environment"}); strings.Contains(body, "VERSION=2") {
				newer++
			}
		}
		return newer
	}
	to := func(version string, weights props) {
		in := weighted(version, weights)
		in["name"] = "live"
		change(aliasType, live, in)
	}

	assert.Zero(t, served())
	to("1", props{"2": 0.3})
	assert.Equal(t, 3, served())
	to("1", props{})
	assert.Zero(t, served())
	to("2", props{})
	assert.Equal(t, 10, served())
}
