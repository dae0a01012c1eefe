package up

import (
	"context"
	"fmt"
	"io"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// runEngine deploys with the real engine. What its folder says exists is made
// again first: the cloud is new, the state is not.
func (r *Running) runEngine(ctx context.Context, stack *deploy.Stack, o Options) (map[string]any, error) {
	stack.ForThisMachine()
	var err error
	r.Engine, err = engine.Open(ctx, engine.Options{Stack: stack, Cloud: r.Account, Dir: o.State, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	out := o.Diff
	if out == nil {
		out = io.Discard
	}
	o.Progress("pulumi up")
	result, err := r.Engine.Up(ctx, optup.Diff(), optup.SuppressOutputs(), optup.ProgressStreams(out))
	if err != nil {
		return nil, fmt.Errorf("pulumi up: %w", err)
	}
	outputs := map[string]any{}
	for name, value := range result.Outputs {
		outputs[name] = value.Value
	}
	for _, n := range *result.Summary.ResourceChanges {
		r.Resources += n
	}
	return outputs, nil
}
