package up

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/engine"
	"github.com/crossregion/crossregion/local/provider"
	"github.com/gofrs/flock"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// runEngine deploys with the real engine. What its folder says exists is made
// again first: the cloud is new, the state is not.
func (r *Running) runEngine(ctx context.Context, stack *deploy.Stack, o Options) (map[string]any, error) {
	if err := r.claim(o.State); err != nil {
		return nil, err
	}
	err := stack.ForThisMachine()
	if err != nil {
		return nil, err
	}
	r.Engine, err = engine.Open(ctx, engine.Options{Stack: stack, Cloud: r.Account, Dir: o.State, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	options := []optup.Option{optup.SuppressOutputs(), optup.Color("never")}
	known, err := r.restore(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("make again what %s says exists: %w; use another --state, or remove that folder to start anew", o.State, err)
	}
	if known {
		options = append(options, optup.Diff())
	}
	if known && o.Diff != nil {
		options = append(options, optup.ProgressStreams(o.Diff))
	}
	result, err := r.Engine.Up(ctx, options...)
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

// claim keeps others from the state for as long as r runs: what they change of it
// is not in r's cloud, and what r changes not in theirs.
func (r *Running) claim(state string) error {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	r.claimed = flock.New(filepath.Join(state, "lock"))
	switch got, err := r.claimed.TryLock(); {
	case err != nil:
		return fmt.Errorf("lock the state in %s: %w", state, err)
	case !got:
		return fmt.Errorf("another go run ./local up keeps its state in %s: end that one, or give another folder with --state", state)
	}
	return nil
}

// restore reports whether the engine's state knew of resources, and makes them
// again in the account.
func (r *Running) restore(ctx context.Context, o Options) (known bool, err error) {
	state, err := r.Engine.Export(ctx)
	if err != nil {
		return false, err
	}
	if err := provider.Restore(ctx, r.Account, state.Deployment); err != nil {
		return false, err
	}
	n := len(r.Account.Resources())
	if n > 0 {
		o.Progress(fmt.Sprintf("made %d resources again, without what was in them", n))
	}
	return n > 0, nil
}
