// Package engine runs a program on the real Pulumi engine, against the embedded
// cloud: its CLI, a state in a folder, and the AWS provider that the cloud is.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// passphrase encrypts what is secret in the state. It guards nothing: the cloud
// that the state is about is open to whoever runs it.
const passphrase = "embedded"

// Options configure [Open].
type Options struct {
	// Stack is what to deploy. Required.
	Stack *deploy.Stack
	// Program is run for it. Default: the project's.
	Program pulumi.RunFunc
	// Cloud is where its resources go. Required.
	Cloud provider.Cloud
	// Dir keeps state and settings of the stack from one engine to the next. It
	// is created. Required.
	Dir string
	// Progress hears of what takes long. Default: nobody.
	Progress func(string)
}

// Engine is a stack under the real engine. Its Stack previews, updates,
// refreshes and destroys.
type Engine struct {
	auto.Stack
	broker *provider.Broker
}

// Open prepares the engine. The caller closes what it returns.
func Open(ctx context.Context, o Options) (_ *Engine, err error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Program == nil {
		o.Program = o.Stack.Program()
	}
	cli, err := CLI(ctx, o.Stack.Root, o.Progress)
	if err != nil {
		return nil, err
	}
	e := &Engine{}
	if e.broker, err = provider.Listen(o.Cloud); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	ws, err := e.workspace(ctx, o, cli)
	if err != nil {
		return nil, fmt.Errorf("workspace of the engine in %s: %w", o.Dir, err)
	}
	if e.Stack, err = auto.UpsertStack(ctx, o.Stack.Name, ws); err != nil {
		return nil, fmt.Errorf("stack %s in %s: %w", o.Stack.Name, o.Dir, err)
	}
	return e, nil
}

// Configure gives the engine other settings of the stack for its next operation.
func (e *Engine) Configure(ctx context.Context, s *deploy.Stack) error {
	settings, err := projectStack(s, e.Workspace().WorkDir())
	if err != nil {
		return err
	}
	return e.Workspace().SaveStackSettings(ctx, s.Name, settings)
}

// Close ends the provider.
func (e *Engine) Close() error { return e.broker.Close() }

// workspace is the engine's folder, with nothing of this machine's in it: not its
// login, plugins or settings.
func (e *Engine) workspace(ctx context.Context, o Options, cli auto.PulumiCommand) (auto.Workspace, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	home, state := filepath.Join(dir, "home"), filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	if err := install(ctx, o.Stack.Root, home); err != nil {
		return nil, err
	}
	settings, err := projectStack(o.Stack, dir)
	if err != nil {
		return nil, err
	}
	return auto.NewLocalWorkspace(ctx, auto.WorkDir(dir), auto.PulumiHome(home), auto.Pulumi(cli), auto.Program(o.Program),
		auto.Project(workspace.Project{
			Name: tokens.PackageName(o.Stack.Project), Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Backend: &workspace.ProjectBackend{URL: "file://" + state},
		}),
		auto.Stacks(map[string]workspace.ProjectStack{o.Stack.Name: *settings}),
		auto.EnvVars(map[string]string{
			provider.Variable: e.broker.Address(), "PULUMI_CONFIG_PASSPHRASE": passphrase, "PULUMI_BACKEND_URL": "file://" + state,
			"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true", "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
			// The state is written once, at the end of an update, which makes it five
			// times as fast: a cloud in memory does not outlive an engine that is killed.
			"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true",
		}))
}

// projectStack are the stack's settings, under the encryption that the folder
// knows already.
func projectStack(s *deploy.Stack, dir string) (*workspace.ProjectStack, error) {
	settings := &workspace.ProjectStack{}
	file := filepath.Join(dir, "Pulumi."+s.Name+".yaml")
	if _, err := os.Stat(file); err == nil {
		known, err := workspace.LoadProjectStack(nil, &workspace.Project{Name: tokens.PackageName(s.Project)}, file)
		if err != nil {
			return nil, err
		}
		settings.EncryptionSalt = known.EncryptionSalt
	}
	settings.Config = config.Map{}
	for name, value := range s.Config {
		key, err := config.ParseKey(name)
		if err != nil {
			return nil, fmt.Errorf("config %s: %w", name, err)
		}
		settings.Config[key] = config.NewValue(value)
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			settings.Config[key] = config.NewObjectValue(value)
		}
	}
	return settings, nil
}

// install puts the provider where the engine looks for that of the program's
// SDK.
func install(ctx context.Context, root, home string) error {
	plugin := filepath.Join(home, "plugins", "resource-aws-v"+provider.Version, "pulumi-resource-aws")
	if _, err := goTool(ctx, root, "build", "-trimpath", "-buildvcs=false", "-o", plugin, "./local/provider/pulumi-resource-aws"); err != nil {
		return fmt.Errorf("build the provider's process: %w", err)
	}
	return nil
}
