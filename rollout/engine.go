package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// engine is Pulumi, for one stack.
type engine interface {
	// Config returns the stack's configuration by full key.
	Config(ctx context.Context) (map[string]string, error)
	// Preview tells what an update would change, but for the excluded.
	Preview(ctx context.Context, exclude []string) (preview, error)
	// Up changes what s names. The aliases of functions in a canary keep a share
	// of their calls with the version that they have.
	Up(ctx context.Context, s step, canary *canary) error
	// State tells what is deployed.
	State(ctx context.Context) (deployed, error)
}

// canary is the value of the configuration key of that name; package stacks
// reads it.
type canary struct {
	Percent  int               `json:"percent"`  // of calls that the new version gets
	Versions map[string]string `json:"versions"` // before, by function
}

// project is the namespace of the configuration.
const project = "crossregion"

// cli is the engine by way of Pulumi's command.
type cli struct {
	stack string
	dir   string // of the project; "" for the current one
	out   io.Writer
}

func (c cli) Config(ctx context.Context) (map[string]string, error) {
	raw, err := c.output(ctx, "config", "--json")
	if err != nil {
		return nil, err
	}
	var values map[string]struct {
		Value  *string `json:"value"`
		Secret bool    `json:"secret"`
	}
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, fmt.Errorf("read what pulumi config --json prints: %w", err)
	}
	config := map[string]string{}
	for key, v := range values {
		if v.Secret && key == project+":settings" {
			return nil, fmt.Errorf("config %s of stack %s is a secret, and would be spread in plain text: settings hold no secrets, store it in plain", key, c.stack)
		}
		if v.Value != nil && !v.Secret {
			config[key] = *v.Value
		}
	}
	return config, nil
}

func (c cli) Preview(ctx context.Context, exclude []string) (preview, error) {
	raw, err := c.output(ctx, append([]string{"preview", "--json"}, flags("--exclude", exclude)...)...)
	p, malformed := parsePreview(raw)
	switch fault := p.fault(); {
	case err == nil:
		return p, malformed
	case fault != nil:
		return p, fmt.Errorf("the preview fails, and nothing was changed: %w", fault)
	}
	return p, err
}

func (c cli) Up(ctx context.Context, s step, canary *canary) (err error) {
	args := append([]string{"up", "--yes", "--skip-preview", "--suppress-outputs"}, flags("--target", s.targets)...)
	args = append(args, flags("--exclude", s.exclude)...)
	if canary != nil {
		// Pulumi writes what --config sets into the file: into a copy of it.
		file, copied := c.copyConfig()
		if copied != nil {
			return copied
		}
		defer func() { err = errors.Join(err, os.RemoveAll(filepath.Dir(file))) }()
		value, malformed := json.Marshal(canary)
		if malformed != nil {
			return fmt.Errorf("canary: %w", malformed)
		}
		args = append(args, "--config-file", file, "--config", project+":canary="+string(value))
	}
	cmd := c.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = c.out, c.out
	if err := cmd.Run(); err != nil {
		return explain(err, "")
	}
	return nil
}

// copyConfig copies the stack's file to a temporary one, which keeps its ending.
func (c cli) copyConfig() (string, error) {
	content, err := os.ReadFile(filepath.Join(c.dir, "Pulumi."+c.stack[strings.LastIndex(c.stack, "/")+1:]+".yaml"))
	if err != nil {
		return "", fmt.Errorf("copy the stack's file: %w", err)
	}
	dir, err := os.MkdirTemp("", "rollout-")
	if err != nil {
		return "", fmt.Errorf("copy the stack's file: %w", err)
	}
	file := filepath.Join(dir, "Pulumi.canary.yaml")
	return file, os.WriteFile(file, content, 0o600)
}

// deployed is what a stack's state says.
type deployed struct {
	live      bool // an update has come to its end once, so that there may be clients
	alarms    []alarm
	endpoints map[string]string // by region, and that of the [sharedName]
	// regions have a provider, which is the last of a region to go: outputs know
	// no more of one that leaves, though what it had may be there still.
	regions []string
}

// providerType is what a region's resources are made with, named after it.
const providerType = "pulumi:providers:aws"

// alarmType is what rings.
const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm"

// alarm is one of CloudWatch, by its own name and that which the program gave.
type alarm struct{ id, name string }

func (c cli) State(ctx context.Context) (deployed, error) {
	raw, err := c.output(ctx, "stack", "export")
	if err != nil {
		return deployed{}, err
	}
	return parseState(raw)
}

func parseState(raw []byte) (deployed, error) {
	var export struct {
		Deployment struct {
			Resources []state `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(raw, &export); err != nil {
		return deployed{}, fmt.Errorf("read what pulumi stack export prints: %w", err)
	}
	var d deployed
	for _, r := range export.Deployment.Resources {
		switch r.Type {
		case providerType:
			d.regions = append(d.regions, name(r.URN))
		case alarmType:
			d.alarms = append(d.alarms, alarm{id: r.ID, name: name(r.URN)})
		case "pulumi:pulumi:Stack":
			if len(r.Outputs) == 0 {
				continue
			}
			d.live = true
			var err error
			if d.endpoints, err = endpoints(r.Outputs); err != nil {
				return d, err
			}
		}
	}
	return d, nil
}

// endpoints are those in a stack's outputs. Without a domain the shared one is a
// region's.
func endpoints(raw []byte) (map[string]string, error) {
	var outputs struct {
		Endpoint          string
		RegionalEndpoints map[string]string
	}
	if err := json.Unmarshal(raw, &outputs); err != nil {
		return nil, fmt.Errorf("read the stack's outputs: %w", err)
	}
	all := map[string]string{}
	maps.Copy(all, outputs.RegionalEndpoints)
	if !slices.Contains(slices.Collect(maps.Values(all)), outputs.Endpoint) {
		all[sharedName] = outputs.Endpoint
	}
	return all, nil
}

func flags(flag string, values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, flag, v)
	}
	return all
}

func (c cli) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "pulumi", append(args, "--stack", c.stack, "--non-interactive")...)
	cmd.Dir = c.dir
	// Interrupted, Pulumi finishes what is under way and writes its state. At a
	// second signal it gives up at once, so that it must not hear a terminal's
	// Ctrl-C besides: that goes to a whole group of processes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

// output is what a command prints, even if it fails.
func (c cli) output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := c.command(ctx, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return out.Bytes(), explain(fmt.Errorf("pulumi %s: %w", args[0], err), strings.TrimSpace(stderr.String()))
	}
	return out.Bytes(), nil
}

func explain(err error, said string) error {
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: install the Pulumi CLI", err)
	case said != "":
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}
