package lambda_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const functionToken = "aws:lambda/function:Function"

func TestFunctionRefuses(t *testing.T) {
	tests := []struct {
		name    string
		changes props
		want    string
	}{
		{"a property that it does not know", props{"vpcConfig": props{}}, `does not know property "vpcConfig"`},
		{"a managed runtime", props{"runtime": "nodejs22.x"}, "not supported by the embedded cloud"},
		{"an image", props{"packageType": "Image"}, "use Zip"},
		{"no handler", props{"handler": nil}, "Runtime and Handler are mandatory"},
		{"no runtime", props{"runtime": nil}, "Runtime and Handler are mandatory"},
		{"a handler with a space", props{"handler": "boot strap"}, "'handler'"},
		{"two architectures", props{"architectures": []any{"arm64", "x86_64"}}, "'architectures'"},
		{"an unknown architecture", props{"architectures": []any{"riscv"}}, "'architectures'"},
		{"an architecture of another machine", props{"architectures": []any{map[string]string{"amd64": "arm64", "arm64": "x86_64"}[runtime.GOARCH]}}, "build it for this machine"},
		{"too little memory", props{"memorySize": 127.0}, "greater than or equal to 128"},
		{"too much memory", props{"memorySize": 10241.0}, "less than or equal to 10240"},
		{"no time", props{"timeout": 0.0}, "greater than or equal to 1"},
		{"too much time", props{"timeout": 901.0}, "less than or equal to 900"},
		{"a long name", props{"name": strings.Repeat("n", 65)}, "less than or equal to 64"},
		{"a name with a dot", props{"name": "a.b"}, "'functionName'"},
		{"a long description", props{"description": strings.Repeat("d", 257)}, "less than or equal to 256"},
		{"a reserved variable", variables(props{"AWS_REGION": "eu-west-1", "_HANDLER": "x"}), "Reserved keys used in this request: AWS_REGION, _HANDLER"},
		{"an endpoint of its own", variables(props{"AWS_ENDPOINT_URL": "http://x"}), "AWS_ENDPOINT_URL"},
		{"a variable with a dash", variables(props{"A-B": "x"}), "'environment.variables'"},
		{"4097 bytes of variables", variables(props{"KEY": strings.Repeat("v", 4094)}), "exceeded the 4096 bytes limit"},
		{"an unknown log format", props{"loggingConfig": props{"logFormat": "XML"}}, "[Text, JSON]"},
		{"log levels without JSON", props{"loggingConfig": props{"logFormat": "Text", "systemLogLevel": "INFO"}}, "set logFormat to JSON"},
		{"an unknown application log level", props{"loggingConfig": props{"logFormat": "JSON", "applicationLogLevel": "LOUD"}}, "applicationLogLevel"},
		{"an unknown system log level", props{"loggingConfig": props{"logFormat": "JSON", "systemLogLevel": "ERROR"}}, "systemLogLevel"},
		{"an impossible log group", props{"loggingConfig": props{"logFormat": "JSON", "logGroup": "a b"}}, "logGroupName"},
		{"an unknown tracing mode", props{"tracingConfig": props{"mode": "On"}}, "tracingConfig.mode"},
		{"a key of another region", props{"kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k"}, "not a key of eu-west-1"},
		{"a role that does not trust Lambda", props{"role": role + "2"}, "The role defined for the function cannot be assumed by Lambda."},
		{"a negative reservation", props{"reservedConcurrentExecutions": -2.0}, "greater than or equal to -1"},
		{"a reservation that leaves too little", props{"reservedConcurrentExecutions": 901.0}, "below its minimum value of [100]"},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.create(functionToken, "f", settings(tt.changes))
			assert.ErrorContains(t, err, tt.want)
		})
	}
	w.must(functionToken, "f", settings(variables(props{"KEY": strings.Repeat("v", 4093)})))
	_, err := w.create(functionToken, "f", settings(nil))
	assertAPIError(t, err, "ResourceConflictException", 409)
}

func variables(v props) props { return props{"environment": props{"variables": v}} }

func TestCodeIsRefused(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the rows hold Linux executables")
	}
	executable, err := os.ReadFile(filepath.Join(filepath.Dir(bootstrapZip), "bootstrap"))
	require.NoError(t, err)
	foreign := bytes.Clone(executable)
	foreign[18] = 0xf3 // the machine in an ELF header: RISC-V
	good := entry{"bootstrap", 0o755, executable, 0}
	tests := []struct {
		name    string
		entries []entry
		want    string
	}{
		{"without bootstrap", []entry{{"main", 0o755, executable, 0}}, "no bootstrap at its root"},
		{"with bootstrap in a folder", []entry{{"bin/bootstrap", 0o755, executable, 0}}, "no bootstrap at its root"},
		{"with a bootstrap that is not executable", []entry{{"bootstrap", 0o644, executable, 0}}, "not executable"},
		{"with a script", []entry{{"bootstrap", 0o755, []byte("#!/bin/sh\n"), 0}}, "not an executable of this system"},
		{"for another machine", []entry{{"bootstrap", 0o755, foreign, 0}}, "executable for EM_RISCV"},
		{"that leads out of its folder", []entry{good, {"../x", 0o644, nil, 0}}, "leads out of it"},
		{"with an absolute path", []entry{good, {"/etc/x", 0o644, nil, 0}}, "leads out of it"},
		{"with a link", []entry{good, {"link", 0o777 | os.ModeSymlink, []byte("/etc"), 0}}, "neither file nor folder"},
		{"with a file twice", []entry{good, good}, "file exists"},
		{"over 50 MB", []entry{good, {"large", 0o644, make([]byte, 51<<20), 0}}, "RequestEntityTooLargeException"},
		{"with a file that is larger than it says", []entry{good, {"more", 0o644, make([]byte, 9), 8}}, "not a valid zip file"},
		{"over 250 MB unpacked", []entry{good, {"zeros", 0o644, []byte("x"), 250 << 20}}, "Unzipped size must be smaller"},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "code.zip")
			require.NoError(t, writeZip(path, tt.entries...))
			for range 2 {
				_, err := w.create(functionToken, "f", settings(props{"code": path}))
				assert.ErrorContains(t, err, tt.want)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "code.zip")
	require.NoError(t, os.WriteFile(path, []byte("no zip"), 0o600))
	_, err = w.create(functionToken, "f", settings(props{"code": path}))
	assertAPIError(t, err, "InvalidParameterValueException", 400)
	_, err = w.create(functionToken, "f", settings(props{"code": path + "x"}))
	assert.ErrorIs(t, err, os.ErrNotExist)
	w.must(functionToken, "f", settings(nil))
}

func TestFunctionOutputs(t *testing.T) {
	w := newWorld(t)
	const arn = "arn:aws:lambda:eu-west-1:123456789012:function:"
	const uri = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + arn
	plain := w.must(functionToken, "f", settings(nil))
	assert.Equal(t, "f", plain.ID)
	assert.Equal(t, arn+"f", plain.Outputs["arn"])
	assert.Equal(t, uri+"f/invocations", plain.Outputs["invokeArn"])
	assert.Equal(t, "$LATEST", plain.Outputs["version"])
	assert.Equal(t, arn+"f:$LATEST", plain.Outputs["qualifiedArn"])
	assert.Equal(t, "2026-03-01T12:00:00.000+0000", plain.Outputs["lastModified"])
	assert.Len(t, plain.Outputs["sourceCodeHash"], 44)
	published := w.must(functionToken, "g", settings(props{"name": nil, "publish": true}))
	assert.Regexp(t, `^g-[0-9a-f]{7}$`, published.ID)
	assert.Equal(t, "1", published.Outputs["version"])
	assert.Equal(t, uri+published.ID+":1/invocations", published.Outputs["qualifiedInvokeArn"])
}

func TestAlias(t *testing.T) {
	const token = "aws:lambda/alias:Alias"
	w := newWorld(t)
	arn := w.function(props{"publish": true})
	live := w.must(token, "live", props{"functionName": arn, "functionVersion": "1", "name": "live"})
	assert.Equal(t, arn+":live", live.Outputs["arn"])
	assert.Contains(t, live.Outputs["invokeArn"], arn+":live/invocations")
	tests := []struct {
		name   string
		inputs props
		want   string
	}{
		{"one that exists", props{"functionName": "f", "functionVersion": "1", "name": "live"}, "ResourceConflictException"},
		{"an unknown version", props{"functionName": "f", "functionVersion": "2", "name": "x"}, "ResourceNotFoundException"},
		{"an unknown function", props{"functionName": "g", "functionVersion": "1", "name": "x"}, "ResourceNotFoundException"},
		{"a function of another region", props{"functionName": strings.Replace(arn, "eu-west-1", "eu-west-2", 1), "functionVersion": "1", "name": "x"}, "not reachable in this region"},
		{"a number", props{"functionName": "f", "functionVersion": "1", "name": "7"}, "ValidationException"},
		{"a qualified function", props{"functionName": arn + ":1", "functionVersion": "1", "name": "x"}, "ValidationException"},
		{"a share for an unknown version", weighted("1", props{"2": 0.1}), "ResourceNotFoundException"},
		{"a share for the same version", weighted("1", props{"1": 0.1}), "already included"},
		{"a share for the latest", weighted("1", props{"$LATEST": 0.1}), "not supported for an alias"},
		{"a share over all", weighted("1", props{"2": 1.5}), "not from 0.0 to 1.0"},
		{"shares for two more", weighted("1", props{"2": 0.1, "3": 0.1}), "cannot be greater than 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.create(token, "a", tt.inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	_, err := w.Invoke(t.Context(), invocation(arn+":live", order{"do": "answer"}, false))
	assertAPIError(t, err, "AccessDeniedException", 403)
	w.must("aws:lambda/permission:Permission", "live", permit(props{"qualifier": "live"}))
	body, _ := w.call(arn+":live", order{"do": "context"})
	assert.Equal(t, arn+":live", decode(t, body)["arn"])
}

func TestPermissionDecides(t *testing.T) {
	tests := []struct {
		name      string
		changes   props
		qualifier string
		allowed   bool
	}{
		{"the function for the function", nil, "", true},
		{"any Lambda action", props{"action": "lambda:*"}, "", true},
		{"another action", props{"action": "lambda:GetFunction"}, "", false},
		{"another principal", props{"principal": "events.amazonaws.com"}, "", false},
		{"the function, not its alias", nil, "live", false},
		{"an alias, not its function", props{"qualifier": "live"}, "", false},
		{"an alias for the alias", props{"qualifier": "live"}, "live", true},
		{"an alias named with the function", props{"function": "f:live"}, "live", true},
		{"an alias, not its version", props{"qualifier": "live"}, "1", false},
		{"the exact source", props{"sourceArn": source}, "", true},
		{"any route of the API", props{"sourceArn": "arn:aws:execute-api:eu-west-1:123456789012:api/*"}, "", true},
		{"another API", props{"sourceArn": "arn:aws:execute-api:eu-west-1:123456789012:ipa/*"}, "", false},
		{"another region", props{"sourceArn": "arn:aws:execute-api:eu-west-2:123456789012:api/*"}, "", false},
		{"the account of the source", props{"sourceAccount": "123456789012"}, "", true},
		{"another account", props{"sourceAccount": "999999999999"}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			state := w.must(functionToken, "f", settings(props{"publish": true, "reservedConcurrentExecutions": 0.0}))
			w.must("aws:lambda/alias:Alias", "live", props{"functionName": "f", "functionVersion": "1", "name": "live"})
			w.must("aws:lambda/permission:Permission", "p", permit(tt.changes))
			arn := strings.TrimSuffix(state.Outputs["arn"].(string)+":"+tt.qualifier, ":")
			_, err := w.Invoke(t.Context(), invocation(arn, order{}, false))
			// No concurrency is left, so whoever may invoke is throttled.
			if tt.allowed {
				assertAPIError(t, err, "TooManyRequestsException", 429)
			} else {
				assertAPIError(t, err, "AccessDeniedException", 403)
			}
		})
	}
}

func TestPermissionIsRefused(t *testing.T) {
	tests := []struct {
		name    string
		changes props
		want    string
	}{
		{"for an unknown function", props{"function": "g"}, "ResourceNotFoundException"},
		{"for an unknown qualifier", props{"qualifier": "live"}, "ResourceNotFoundException"},
		{"for the version that can change", props{"qualifier": "$LATEST"}, "do not support adding policies for $LATEST"},
		{"with two qualifiers", props{"function": "f:1", "qualifier": "2"}, "does not match the specified qualifier"},
		{"with an action of another service", props{"action": "s3:GetObject"}, "'action'"},
		{"for an account", props{"principal": "123456789012"}, "not supported by the embedded cloud"},
		{"with a source that is no ARN", props{"sourceArn": "api"}, "'sourceArn'"},
		{"with a source account that is no number", props{"sourceAccount": "me"}, "'sourceAccount'"},
		{"with a statement id that exists", props{"statementId": "s"}, "ResourceConflictException"},
		{"with an impossible statement id", props{"statementId": "a b"}, "'statementId'"},
	}
	w := newWorld(t)
	w.must(functionToken, "f", settings(nil))
	state := w.must("aws:lambda/permission:Permission", "p", permit(props{"statementId": "s"}))
	assert.Equal(t, "s", state.ID)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.create("aws:lambda/permission:Permission", "p", permit(tt.changes))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestSourcePatternsMatchEachPartOnItsOwn(t *testing.T) {
	tests := []struct {
		name, pattern, arn string
		want               bool
	}{
		{"a star crosses slashes", "arn:aws:s:r:1:api/*/x", "arn:aws:s:r:1:api/a/b/x", true},
		{"a star crosses colons in the last part", "arn:aws:s:r:1:a*z", "arn:aws:s:r:1:a:b:z", true},
		{"a star does not cross into the next part", "arn:aws:s:*:x", "arn:aws:s:r:1:x", false},
		{"a question mark is one character", "arn:aws:s:r:1:a?c", "arn:aws:s:r:1:abc", true},
		{"a question mark is not none", "arn:aws:s:r:1:ab?", "arn:aws:s:r:1:ab", false},
		{"a star may be nothing", "arn:aws:s:r:1:ab*", "arn:aws:s:r:1:ab", true},
		{"the rest must match", "arn:aws:s:r:1:*b", "arn:aws:s:r:1:abc", false},
		{"a star takes the longest that fits", "arn:aws:s:r:1:*ab", "arn:aws:s:r:1:aabab", true},
		{"no source matches nothing", "arn:aws:s:r:1:*", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, lambda.Like(tt.pattern, tt.arn))
		})
	}
}

func TestLogGroup(t *testing.T) {
	const token = "aws:cloudwatch/logGroup:LogGroup"
	w := newWorld(t)
	named := w.must(token, "logs", props{"name": "/aws/lambda/f", "retentionInDays": 30.0, "kmsKeyId": cloud.ARN("kms", region, "key/k"), "tags": props{"a": "b"}})
	assert.Equal(t, "/aws/lambda/f", named.ID)
	assert.Equal(t, "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f", named.Outputs["arn"])
	assert.Regexp(t, `^logs-[0-9a-f]{7}$`, w.must(token, "logs", props{}).ID)
	assert.Regexp(t, `^p/[0-9a-f]{26}$`, w.must(token, "logs", props{"namePrefix": "p/"}).ID)
	tests := []struct {
		name   string
		inputs props
		want   string
	}{
		{"a name that exists", props{"name": "/aws/lambda/f"}, "ResourceAlreadyExistsException"},
		{"a name and a prefix", props{"name": "a", "namePrefix": "b"}, "exclude each other"},
		{"a name with a space", props{"name": "a b"}, "'logGroupName'"},
		{"a retention that AWS does not offer", props{"retentionInDays": 31.0}, "'retentionInDays'"},
		{"an unknown class", props{"logGroupClass": "GOLD"}, "'logGroupClass'"},
		{"a key of another region", props{"kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k"}, "not a key of eu-west-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.create(token, "x", tt.inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// weighted are an alias's inputs with a second version.
func weighted(version string, weights props) props {
	return props{"functionName": "f", "functionVersion": version, "name": "x", "routingConfig": props{"additionalVersionWeights": weights}}
}
