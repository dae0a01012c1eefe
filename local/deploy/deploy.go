package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Stack is one stack of a project, as its files describe it.
type Stack struct {
	Root     string            // folder of Pulumi.yaml
	Project  string            // its name
	Name     string            // of the stack
	Config   map[string]string // by full key; objects are JSON
	Settings stacks.Settings   // decoded and valid
}

// Load reads Pulumi.yaml and Pulumi.<name>.yaml in root.
func Load(root, name string) (*Stack, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("project folder: %w", err)
	}
	project, err := workspace.LoadProject(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		return nil, fmt.Errorf("read project: %w", err)
	}
	file := filepath.Join(root, "Pulumi."+name+".yaml")
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("no stack %q in %s: known stacks are %s", name, root, strings.Join(stackNames(root), ", "))
	}
	sink := diag.DefaultSink(os.Stderr, os.Stderr, diag.FormatOptions{Color: "never"})
	stack, err := workspace.LoadProjectStack(sink, project, file)
	if err != nil {
		return nil, fmt.Errorf("read stack %s: %w", name, err)
	}
	s := &Stack{Root: root, Project: string(project.Name), Name: name}
	if s.Config, err = plainConfig(stack.Config); err != nil {
		return nil, fmt.Errorf("stack %s: %w", name, err)
	}
	if err := s.parse(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Stack) parse() (err error) {
	if s.Settings, err = stacks.ParseConfig(s.Project, s.Config); err != nil {
		return fmt.Errorf("settings of stack %s:\n%w", s.Name, err)
	}
	return nil
}

// Override replaces the settings that over names.
func (s *Stack) Override(over map[string]any) error {
	if err := s.edit(func(settings map[string]any) { maps.Copy(settings, over) }); err != nil {
		return err
	}
	return s.parse()
}

// edit changes the settings in the configuration.
func (s *Stack) edit(change func(settings map[string]any)) error {
	key := s.Project + ":settings"
	var settings map[string]any
	if err := json.Unmarshal([]byte(s.Config[key]), &settings); err != nil {
		return fmt.Errorf("config %s: %w", key, err)
	}
	change(settings)
	b, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("settings of stack %s: %w", s.Name, err)
	}
	s.Config[key] = string(b)
	return nil
}

// plainConfig refuses secrets: the embedded cloud has no key to them.
func plainConfig(in config.Map) (map[string]string, error) {
	for _, key := range in.SecureKeys() {
		return nil, fmt.Errorf("config %s is encrypted, and the embedded cloud has no key to it", key)
	}
	values, err := in.Decrypt(config.NopDecrypter)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for key, value := range values {
		out[key.String()] = value
	}
	return out, nil
}

// stackNames lists the stacks that have a file in root.
func stackNames(root string) []string {
	files, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	if err != nil || len(files) == 0 {
		return []string{"none"}
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "Pulumi."), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Prepare does what an account's owner has done before the stack is deployed:
// the hosted zones of its names exist, and its guardrails.
func (s *Stack) Prepare(a *account.Account) {
	zones := map[string]bool{}
	if d := s.Settings.Domain; d != nil {
		zones[d.Zone] = true
	}
	if d := s.Settings.FrontDoor; d != nil {
		zones[d.Zone] = true
	}
	for zone := range zones {
		a.Route53.CreateZone(zone)
	}
	for region, g := range s.Settings.Guardrail {
		a.Bedrock.AddGuardrail(region, g.ID, g.Version)
	}
}

// Deploy runs the project's program for the stack, as [Stack.ForThisMachine] has
// it; see [Run].
func (s *Stack) Deploy(ctx context.Context, target Target, created func(Resource)) (map[string]any, error) {
	if err := s.ForThisMachine(); err != nil {
		return nil, err
	}
	return Run(ctx, s, s.Program(), Options{target, created})
}

// elsewhere are the settings that name the real account, or what only that one
// has. Here the account is another, its operator deploys, and there are no
// managed policies.
var elsewhere = []string{"account", "deployers", "permissionsBoundary"}

// ForThisMachine makes the configuration, not the [Stack]'s Settings, one that
// can be deployed here: it asks for handlers that this machine can execute, and
// leaves out what holds in the real account only.
func (s *Stack) ForThisMachine() error {
	s.Config[s.Project+":platform"] = runtime.GOOS + "/" + runtime.GOARCH
	return s.edit(func(settings map[string]any) {
		for _, key := range elsewhere {
			delete(settings, key)
		}
	})
}

// Program is the project's program, for any engine.
func (s *Stack) Program() pulumi.RunFunc { return stacks.ProgramIn(s.Root) }

// Options say where a program's resources go. All fields are required.
type Options struct {
	Target Target
	// Created hears of each resource, from several goroutines.
	Created func(Resource)
}

// Run runs a program for the stack by way of Pulumi's mock monitor and creates
// what it registers. It returns the stack's outputs.
func Run(ctx context.Context, s *Stack, program pulumi.RunFunc, o Options) (map[string]any, error) {
	m := &monitor{ctx: ctx, target: o.Target, created: o.Created, providers: map[string]Provider{}, urns: map[resource.URN]bool{}}
	pctx, err := pulumi.NewContext(ctx, pulumi.RunInfo{
		Project: s.Project, Stack: s.Name, RootDirectory: s.Root, Config: s.Config, Mocks: m, Parallel: 16,
	})
	if err != nil {
		return nil, err
	}
	outputs := map[string]any{}
	err = pulumi.RunWithContext(pctx, func(ctx *pulumi.Context) error {
		if err := program(ctx); err != nil {
			return err
		}
		pulumi.Map(ctx.GetCurrentExportMap()).ToMapOutput().ApplyT(func(values map[string]any) any {
			maps.Copy(outputs, values)
			return nil
		})
		return nil
	})
	return outputs, errors.Join(flatten(err), pctx.Close())
}

// flatten undoes the SDK's list of errors, which numbers and indents even a
// single one.
func flatten(err error) error {
	const layer = "waiting for RPCs: "
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), layer) {
		return flatten(inner)
	}
	var list interface{ WrappedErrors() []error }
	if !errors.As(err, &list) {
		return err
	}
	var all []error
	for _, e := range list.WrappedErrors() {
		all = append(all, flatten(e))
	}
	return errors.Join(all...)
}

// FindRoot is the nearest folder upwards that holds Pulumi.yaml.
func FindRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no Pulumi.yaml in %s or above it: run this in the project's folder", start)
		}
	}
}
