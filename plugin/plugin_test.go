package main_test

import (
	"archive/zip"
	"bytes"
	"context"
	"flag"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("update", false, "rewrite testdata/schema.json")

const (
	root   = ".."
	golden = "testdata/schema.json"
)

// executable is what an engine looks for.
const executable = "pulumi-resource-crossregion"

// build returns a folder with the plugin in it.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, executable), ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// needsEngine leaves a test out where -short asks for quick ones.
func needsEngine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: NOT TESTED is what the real Pulumi engine makes of the plugin")
	}
}

// TestSchema: what programs in other languages see changes on purpose only.
func TestSchema(t *testing.T) {
	needsEngine(t)
	cli, err := engine.CLI(t.Context(), root, func(step string) { t.Log(step) })
	require.NoError(t, err)
	plugin := filepath.Join(build(t), executable)
	env := []string{
		"PULUMI_HOME=" + t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
	}
	schema, stderr, _, err := cli.Run(t.Context(), t.TempDir(), nil, nil, nil, env, "package", "get-schema", plugin)
	require.NoError(t, err, stderr)
	if *rewrite {
		require.NoError(t, os.WriteFile(golden, []byte(schema), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), schema, "if this is meant, run go test ./... -run TestSchema -update in plugin/")
}

// TestEachComponentIsOffered: none of the catalogue is forgotten.
func TestEachComponentIsOffered(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(root, "components", "*", "*.go"))
	require.NoError(t, err)
	schema, err := os.ReadFile(golden)
	require.NoError(t, err)
	token, found := regexp.MustCompile(`Type = "(crossregion:\w+:\w+)"`), 0
	for _, source := range sources {
		b, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, match := range token.FindAllStringSubmatch(string(b), -1) {
			assert.Contains(t, string(schema), `"`+match[1]+`": {`)
			found++
		}
	}
	assert.Equal(t, 12, found, "as many as the program below constructs")
}

// TestImports: the plugin knows components, and nothing of the rest.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	for dep := range strings.FieldsSeq(string(out)) {
		if room, ours := strings.CutPrefix(dep, "github.com/crossregion/crossregion/"); ours {
			first, _, _ := strings.Cut(room, "/")
			assert.Contains(t, []string{"plugin", "components", "contract"}, first, dep)
		}
	}
}

// open prepares an engine that finds the plugin on PATH, in an account with the
// zone and the models of the stack eu, and nothing deployed.
func open(t *testing.T) (*engine.Engine, *account.Account) {
	t.Helper()
	stack, err := deploy.Load(root, "eu")
	require.NoError(t, err)
	a, err := account.Open(account.Config{Port: "0", Viewer: "eu-west-1", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	stack.Prepare(a)
	e, err := engine.Open(t.Context(), engine.Options{
		Stack: stack, Cloud: a, Dir: t.TempDir(), Program: everything(archive(t)), Progress: func(step string) { t.Log(step) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	require.NoError(t, e.Workspace().SetEnvVars(map[string]string{
		"PATH": build(t) + string(os.PathListSeparator) + os.Getenv("PATH"), "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
	}))
	return e, a
}

// archive is a zip with a bootstrap that nobody calls.
func archive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source, bootstrap := filepath.Join(dir, "main.go"), filepath.Join(dir, "bootstrap")
	require.NoError(t, os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600))
	out, err := exec.Command("go", "build", "-o", bootstrap, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	code, err := os.ReadFile(bootstrap)
	require.NoError(t, err)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	require.NoError(t, err)
	_, err = f.Write(code)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	path := filepath.Join(dir, "code.zip")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

// TestEachComponentIsConstructed follows a program that knows the components by
// their tokens alone, from its first update to its end.
func TestEachComponentIsConstructed(t *testing.T) {
	needsEngine(t)
	e, a := open(t)
	up, err := e.Up(t.Context())
	require.NoError(t, err)
	for name, want := range map[string]string{
		"endpoint":     `^https://eu\.llm\.example\.com$`,
		"door":         `^https://llm\.example\.com$`,
		"replica":      `^arn:aws:dynamodb:eu-central-1:\d{12}:table/`,
		"function":     `^arn:aws:lambda:eu-west-1:\d{12}:function:.*:live$`,
		"profile":      `^arn:aws:bedrock:eu-west-1:\d{12}:application-inference-profile/`,
		"invokePolicy": `bedrock:InvokeModelWithResponseStream`,
		"topic":        `^arn:aws:sns:eu-west-1:`,
		"dashboard":    `^https://`,
	} {
		assert.Regexp(t, want, up.Outputs[name].Value, name)
	}
	made := kinds(t, e)
	for kind, want := range map[string]int{
		"crossregion:conversation:Tables$aws:dynamodb/table:Table":                     2,
		"crossregion:conversation:Tables$aws:dynamodb/tableReplica:TableReplica":       2,
		"crossregion:encryption:Key$aws:kms/key:Key":                                   2,
		"crossregion:inference:Profiles$aws:bedrock/inferenceProfile:InferenceProfile": 1,
		"crossregion:invoker:Role$aws:iam/role:Role":                                   2,
		"crossregion:invoker:Function$aws:iam/rolePolicy:RolePolicy":                   4,
		"crossregion:gateway:Certificate$aws:route53/record:Record":                    2,
		"crossregion:gateway:WebACL$aws:wafv2/webAcl:WebAcl":                           1,
		"crossregion:gateway:RegionalAPI$aws:apigateway/domainName:DomainName":         6,
		"crossregion:routing:FrontDoor$aws:route53/record:Record":                      1,
		"crossregion:observability:Dashboard$aws:cloudwatch/dashboard:Dashboard":       1,
	} {
		assert.Equal(t, want, made[kind], kind)
	}
	assert.Greater(t, made["crossregion:routing:GlobalRouting$aws:route53/record:Record"], 5)
	assert.Greater(t, made["crossregion:observability:RegionalAlarms$aws:cloudwatch/metricAlarm:MetricAlarm"], 5)

	_, err = e.Up(t.Context(), optup.ExpectNoChanges())
	require.NoError(t, err, "a second update has nothing to change")

	a.Skip(24 * time.Hour)
	_, err = e.Destroy(t.Context())
	require.NoError(t, err)
	assert.Empty(t, a.Resources())
}

// kinds counts the resources of the engine's state by their types and their
// parents'.
func kinds(t *testing.T, e *engine.Engine) map[string]int {
	t.Helper()
	state, err := e.Export(context.WithoutCancel(t.Context()))
	require.NoError(t, err)
	urns := regexp.MustCompile(`"urn": ?"urn:pulumi:[^"]*"`).FindAllString(string(state.Deployment), -1)
	slices.Sort(urns)
	counts := map[string]int{}
	for _, urn := range slices.Compact(urns) {
		counts[strings.Split(urn, "::")[2]]++
	}
	return counts
}
