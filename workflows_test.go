package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workflows are the files of .github that hold steps, by path.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{".github/workflows/*.yml", ".github/actions/*/action.yml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, f := range files {
			raw, err := os.ReadFile(f)
			require.NoError(t, err)
			texts[f] = string(raw)
		}
	}
	return texts
}

// TestWorkflowsAreValid asks actionlint. Shell scripts in them are left to
// reviewers, so that the answer does not depend on what else is installed.
func TestWorkflowsAreValid(t *testing.T) {
	out, err := exec.Command("go", "tool", "-modfile=tools/actionlint/go.mod", "actionlint", "-no-color", "-shellcheck=", "-pyflakes=").CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

var (
	uses   = regexp.MustCompile(`uses: (\S+)(.*)`)
	pinned = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@[0-9a-f]{40}$`)
	tagged = regexp.MustCompile(`^ # v[0-9]+\.[0-9]+\.[0-9]+$`)
)

// TestActionsArePinned: a tag can be moved to other code, a commit cannot. One
// action has one version in all files.
func TestActionsArePinned(t *testing.T) {
	versions := map[string]string{}
	for file, text := range workflows(t) {
		for _, m := range uses.FindAllStringSubmatch(text, -1) {
			action, comment := m[1], m[2]
			if strings.HasPrefix(action, "./") {
				continue
			}
			assert.Regexp(t, pinned, action, "%s: name the commit, 40 hexadecimal digits", file)
			assert.Regexp(t, tagged, comment, "%s: say which version %s is", file, action)
			name, commit, _ := strings.Cut(action, "@")
			if versions[name] == "" {
				versions[name] = commit
			}
			assert.Equal(t, versions[name], commit, "%s has another version of %s than other files", file, name)
		}
	}
	assert.NotEmpty(t, versions)
}

// TestWorkflowsHoldNoKeys: credentials come from OpenID Connect, and no secret
// of the repository is used.
func TestWorkflowsHoldNoKeys(t *testing.T) {
	for file, text := range workflows(t) {
		for _, word := range []string{"secrets.", "aws-access-key-id", "AWS_SECRET_ACCESS_KEY", "pull_request_target", "write-all"} {
			assert.NotContains(t, text, word, file)
		}
	}
}

// TestEveryStackHasAPipeline: each stack file is previewed, deployed and watched.
func TestEveryStackHasAPipeline(t *testing.T) {
	files, err := filepath.Glob("Pulumi.*.yaml")
	require.NoError(t, err)
	var stacks []string
	for _, f := range files {
		stacks = append(stacks, strings.TrimSuffix(strings.TrimPrefix(f, "Pulumi."), ".yaml"))
	}
	texts := workflows(t)
	list := "[" + strings.Join(stacks, ", ") + "]"
	for _, name := range []string{"preview", "drift"} {
		assert.Contains(t, texts[".github/workflows/"+name+".yml"], "stack: "+list, name)
	}
	deploy := texts[".github/workflows/deploy.yml"]
	assert.Contains(t, deploy, `'["`+strings.Join(stacks, `", "`)+`"]'`)
	assert.Contains(t, deploy, "options: [all, "+strings.Join(stacks, ", ")+"]")
}

// TestRolloutsFitTheirPipeline: ended by its limit of time, a rollout leaves the
// stack locked and half of its regions behind.
func TestRolloutsFitTheirPipeline(t *testing.T) {
	const forPulumi = 60 * time.Minute
	limit := regexp.MustCompile(`timeout-minutes: (\d+)\n`).FindStringSubmatch(workflows(t)[".github/workflows/deploy.yml"])
	require.NotNil(t, limit)
	minutes, err := strconv.Atoi(limit[1])
	require.NoError(t, err)
	files, err := filepath.Glob("Pulumi.*.yaml")
	require.NoError(t, err)
	for _, f := range files {
		stack, err := deploy.Load(".", strings.TrimSuffix(strings.TrimPrefix(f, "Pulumi."), ".yaml"))
		require.NoError(t, err)
		waits := len(stack.Settings.Regions)
		if stack.Settings.Rollout.CanaryPercent > 0 {
			waits *= 2
		}
		waits++ // after the last step
		assert.LessOrEqual(t, time.Duration(waits)*stack.Settings.Rollout.Bake()+forPulumi, time.Duration(minutes)*time.Minute,
			"%s: shorten rollout.bakeMinutes, or roll out from elsewhere", f)
	}
}

// TestDeploymentsHearTheirCancellation: go run passes no signal on, and a shell
// waits for its child.
func TestDeploymentsHearTheirCancellation(t *testing.T) {
	deploy := workflows(t)[".github/workflows/deploy.yml"]
	assert.NotContains(t, deploy, "go run ./rollout")
	assert.Contains(t, deploy, "\n          exec \"$RUNNER_TEMP/rollout\" ")
}

// TestVulnerabilitiesStopNoCure: they fail pull requests, where nobody waits for
// a deployment, and anywhere else only who asks for it.
func TestVulnerabilitiesStopNoCure(t *testing.T) {
	assert.Contains(t, workflows(t)[".github/workflows/test.yml"],
		"VULNERABILITIES: ${{ github.event_name == 'pull_request' && 'fail' || 'tell' }}")
	script, err := os.ReadFile(filepath.Join(".ci", "run"))
	require.NoError(t, err)
	part := regexp.MustCompile(`(?s)case \$status in.*?esac`).Find(script)
	require.NotEmpty(t, part)
	for _, row := range []struct {
		name, vulnerabilities string
		found, want           int
	}{
		{"a push passes in spite of one", "tell", 3, 0},
		{"a pull request fails", "fail", 3, 1},
		{"so does whoever sets nothing", "", 3, 1},
		{"a database out of reach fails nothing", "fail", 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			cmd := exec.Command("bash", "-euc", "fail() { exit 1; }\nfound=GO-1 status="+strconv.Itoa(row.found)+"\n"+string(part))
			cmd.Env = append(os.Environ(), "VULNERABILITIES="+row.vulnerabilities)
			out, err := cmd.CombinedOutput()
			assert.Equal(t, row.want, cmd.ProcessState.ExitCode(), "%s %v", out, err)
		})
	}
}

// TestPipelinesCacheWhatTheyBuild: the modules of every go.sum that a job uses,
// and the Pulumi CLI.
func TestPipelinesCacheWhatTheyBuild(t *testing.T) {
	texts := workflows(t)
	for _, file := range []string{".github/workflows/test.yml", ".github/actions/pulumi/action.yml"} {
		for _, sums := range []string{"go.sum", "tools/go.sum", "tools/actionlint/go.sum"} {
			assert.Regexp(t, `(?m)^ {10,12}`+regexp.QuoteMeta(sums)+`$`, texts[file], file)
			assert.FileExists(t, sums)
		}
	}
	assert.Contains(t, texts[".github/workflows/test.yml"], "path: ~/.cache/crossregion\n")
}

// TestPipelinesUseTheVersionOfTheSDK: another CLI may read its state otherwise.
func TestPipelinesUseTheVersionOfTheSDK(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`github.com/pulumi/pulumi/sdk/v3 v(\S+)`).FindSubmatch(mod)
	require.NotNil(t, version)
	assert.Contains(t, workflows(t)[".github/actions/pulumi/action.yml"], "pulumi-version: "+string(version[1])+"\n")
}
