package stacks

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Configuration keys, below the project's namespace.
const (
	settingsKey = "settings"
	platformKey = "platform"
	canaryKey   = "canary"
)

// LoadSettings reads and validates the stack's settings. The error names every
// fault with its path and what to do.
func LoadSettings(ctx *pulumi.Context) (Settings, error) {
	raw, err := config.Try(ctx, settingsKey)
	if err != nil || raw == "" {
		return Settings{}, fmt.Errorf("config %s:%s is missing: add it to Pulumi.%s.yaml", ctx.Project(), settingsKey, ctx.Stack())
	}
	if ctx.IsConfigSecret(ctx.Project() + ":" + settingsKey) {
		return Settings{}, fmt.Errorf("config %s:%s is a secret, and would be spread in plain text: "+
			"settings hold no secrets, store it in plain", ctx.Project(), settingsKey)
	}
	s, err := ParseSettings(raw)
	if err != nil {
		return Settings{}, fmt.Errorf("config %s:%s of stack %s:\n%w", ctx.Project(), settingsKey, ctx.Stack(), err)
	}
	return s, nil
}

// ParseConfig reads and validates everything that a project's namespace of a
// stack's configuration holds, given by full key. The error names every fault.
func ParseConfig(project string, config map[string]string) (Settings, error) {
	var all Faults
	for _, key := range slices.Sorted(maps.Keys(config)) {
		name, ours := strings.CutPrefix(key, project+":")
		known := map[string]reflect.Type{settingsKey: nil, platformKey: nil, canaryKey: nil}
		if _, is := known[name]; ours && !is {
			all = append(all, Fault{key, "unknown key", suggestion(name, known)})
		}
	}
	if raw, given := config[project+":"+platformKey]; given {
		if _, err := parsePlatform(raw); err != nil {
			all = append(all, Fault{project + ":" + platformKey, err.Error(), "use linux/arm64 or linux/amd64"})
		}
	}
	if _, err := parseCanary(config[project+":"+canaryKey]); err != nil {
		all = append(all, Fault{project + ":" + canaryKey, err.Error(), "leave it out: go run ./rollout sets it for itself"})
	}
	raw := config[project+":"+settingsKey]
	if raw == "" {
		return Settings{}, append(all, Fault{project + ":" + settingsKey, "missing", "see the settings table in README.md"})
	}
	s, err := ParseSettings(raw)
	var more Faults
	if errors.As(err, &more) {
		all = append(all, more...)
	}
	if len(all) > 0 {
		return Settings{}, all
	}
	return s, err
}

// ParseSettings decodes settings from JSON and validates them.
func ParseSettings(raw string) (Settings, error) {
	s, faults := decodeSettings(raw)
	if slices.ContainsFunc(faults, func(f Fault) bool { return f.Path == "settings" }) {
		return Settings{}, faults // there are none, of which all else would be missing
	}
	faults = append(faults, unreported(s.validate(), faults)...)
	if len(faults) > 0 {
		return Settings{}, faults
	}
	return s, nil
}

// loadPlatform reads what the handlers are built for. The embedded cloud asks
// for its own machine's here, and for nothing else anywhere.
func loadPlatform(ctx *pulumi.Context) (invoker.Platform, error) {
	raw := config.Get(ctx, platformKey)
	if raw == "" {
		return invoker.DefaultPlatform, nil
	}
	p, err := parsePlatform(raw)
	if err != nil {
		return p, fmt.Errorf("config %s:%s: %w", ctx.Project(), platformKey, err)
	}
	return p, nil
}

// parsePlatform refuses what neither Lambda nor this machine runs.
func parsePlatform(raw string) (invoker.Platform, error) {
	p, err := invoker.ParsePlatform(raw)
	if err == nil && p.OS != invoker.DefaultPlatform.OS && p.OS != runtime.GOOS {
		err = fmt.Errorf("platform %s: Lambda runs %s only", p, invoker.DefaultPlatform.OS)
	}
	return p, err
}
