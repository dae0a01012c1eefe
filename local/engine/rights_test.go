package engine_test

import (
	"testing"

	"github.com/crossregion/crossregion/local/up"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnUpdateThatFailsLeavesOtherRegionsTheirRights gives a model another
// profile, which fails in the second region: the functions of the third go on
// calling the profile that they know.
func TestAnUpdateThatFailsLeavesOtherRegionsTheirRights(t *testing.T) {
	needsEngine(t)
	j := journeys[0]
	r, err := up.Start(t.Context(), up.Options{Root: root, Stack: j.stack, Listen: "127.0.0.1:0", State: t.TempDir(), Speed: 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	c := ask(t, r, j.leaving)
	models := j.models()
	models[1] = map[string]any{"name": "nova-pro", "profile": j.geography + ".amazon.nova-2-lite-v1:0"}
	stack := load(t, j.stack, map[string]any{"models": models})
	require.NoError(t, r.Engine.Configure(t.Context(), stack))
	transform(r.Engine, stack, func(name string, args any) {
		if fn, ok := args.(*lambda.FunctionArgs); ok && name == j.partner+"-invoker-fn" {
			fn.MemorySize = pulumi.Int(1)
		}
	})
	answered, failures := c.during(func() {
		got, err := update(t, r.Engine)
		require.Error(t, err)
		assert.Contains(t, got.of("create-replacement"), j.leaving+"-inference-nova-pro")
		assert.NoError(t, eventually(t.Context(), "clients are answered after the failure", c.more(50)))
	})
	assert.Empty(t, failures)
	assert.Positive(t, answered)
}

// more is a condition: that many more requests than by now are answered.
func (c *clients) more(n int) func() bool {
	count := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.answered
	}
	want := count() + n
	return func() bool { return count() >= want }
}
