package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/blang/semver"
	"github.com/gofrs/flock"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// Where the CLI's source is, and where its version is written into it.
const (
	cliModule   = "github.com/pulumi/pulumi/pkg/v3"
	cliPackage  = cliModule + "/cmd/pulumi"
	versionFlag = "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version="
)

// CLI returns the Pulumi CLI: the one on PATH if it is of the version that
// tools/go.mod below root pins, or a later one of the same major; else one that
// it builds from source, once for each version and user. The build takes a few
// minutes; progress hears of it. Processes that build at the same time wait for
// each other.
func CLI(ctx context.Context, root string, progress func(string)) (auto.PulumiCommand, error) {
	tools := filepath.Join(root, "tools")
	pinned, err := goTool(ctx, tools, "list", "-m", "-f", "{{.Version}}", cliModule)
	if err != nil {
		return nil, fmt.Errorf("find the version of the Pulumi CLI: %w", err)
	}
	version, err := semver.ParseTolerant(pinned)
	if err != nil {
		return nil, fmt.Errorf("version of the Pulumi CLI in %s: %w", tools, err)
	}
	if found, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Version: version}); err == nil {
		return found, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("build the Pulumi CLI: %w", err)
	}
	dir := filepath.Join(cache, "crossregion", "pulumi-"+version.String())
	if err := buildCLI(ctx, tools, dir, pinned, progress); err != nil {
		return nil, fmt.Errorf("build the Pulumi CLI %s: %w; or put one on PATH: https://www.pulumi.com/docs/install/", pinned, err)
	}
	return auto.NewPulumiCommand(&auto.PulumiCommandOptions{Version: version, Root: dir})
}

// buildCLI leaves bin/pulumi in dir, which is where the Automation API looks. A
// build that was cut off leaves nothing there.
func buildCLI(ctx context.Context, tools, dir, version string, progress func(string)) (err error) {
	built := filepath.Join(dir, "bin", "pulumi")
	if err := os.MkdirAll(filepath.Dir(built), 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another build: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if _, err := os.Stat(built); err == nil {
		return nil
	}
	progress("building the Pulumi CLI " + version + ", once; this takes minutes")
	if _, err := goTool(ctx, tools, "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w "+versionFlag+version, "-o", built+".new", cliPackage); err != nil {
		return err
	}
	return os.Rename(built+".new", built)
}

// goTool runs go in a folder and returns what it prints.
func goTool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
