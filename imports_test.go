package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/crossregion/crossregion/"

// directions say which packages must not depend on which, even indirectly.
// Prefixes name a package and all below it.
var directions = []struct{ from, never, why string }{
	{"components", module + "stacks", "components do not know who uses them"},
	{"components", module + "lambda", "infrastructure does not link handlers"},
	{"components", module + "local", "components do not know the embedded cloud"},
	{"stacks", module + "lambda", "stacks meet handlers through the contract"},
	{"stacks", module + "local", "stacks do not know the embedded cloud"},
	{"lambda", "github.com/pulumi/", "handlers do not carry the engine"},
	{"lambda", module + "components", "handlers do not know the infrastructure"},
	{"lambda", module + "stacks", "handlers do not know the infrastructure"},
	{"lambda", module + "local", "no deployed binary links the embedded cloud"},
	{"lambda", service + "dynamodb/schemas", schemas},
	{"lambda", service + "bedrockruntime/schemas", schemas},
	{"command", module, "how a command line is read knows nothing of the command"},
	{"ops", "github.com/pulumi/", "operators deploy nothing"},
	{"ops", module + "components", "operators meet a stack through its outputs"},
	{"ops", module + "stacks", "operators meet a stack through its outputs"},
	{"ops", module + "local", "operators meet the embedded cloud through its file"},
	{"rollout", module + "lambda", "a rollout brings handlers, and knows none"},
	{"rollout", module + "local", "a rollout knows AWS and Pulumi only"},
	{"local/cloud", module + "contract", "the ground of the embedded cloud knows nothing of the program"},
	{"local/acm", module + "contract", embedded},
	{"local/apigateway", module + "contract", embedded},
	{"local/bedrock", module + "contract", embedded},
	{"local/cloudwatch", module + "contract", embedded},
	{"local/dynamodb", module + "contract", embedded},
	{"local/iam", module + "contract", embedded},
	{"local/kms", module + "contract", embedded},
	{"local/lambda", module + "contract", embedded},
	{"local/route53", module + "contract", embedded},
	{"local/servicequotas", module + "contract", embedded},
	{"local/sns", module + "contract", embedded},
	{"local/wafv2", module + "contract", embedded},
	{"local/bench/floor", module + "lambda", "what the gateway is compared with shares no code with it"},
	{"local/bench/upstream", module + "lambda", "what the gateway is compared with shares no code with it"},
	{"local/account", module + "stacks", "only the ways into the embedded cloud know a program"},
	{"local/account", module + "components", "only the ways into the embedded cloud know a program"},
	{"local/account", module + "lambda", "the embedded cloud shares no code with what it checks"},
	{"local/provider/pulumi-resource-aws", "github.com/", "the engine starts one for each provider, and waits for it"},
	{"local/provider/pulumi-resource-aws", module, "the engine starts one for each provider, and waits for it"},
	{"local/account", "github.com/pulumi/", "only the ways into the embedded cloud know Pulumi"},
}

// sole lists packages that only the named rooms may import themselves.
var sole = map[string][]string{
	module + "stacks": {"", "local", "local/deploy", "local/policy", "rollout"},
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config": {"stacks"},
}

const embedded = "a stand-in for AWS knows nothing of this program"

// Since dynamodb v1.69.0 and bedrockruntime v1.63.0 a client builds the schemas
// of all its operations before main, which is a quarter of an invoker's start.
const (
	service = "github.com/aws/aws-sdk-go-v2/service/"
	schemas = "its start would take a millisecond more; see \"Cold start\" in docs/performance.md before raising the client's version"
)

// TestImports keeps the directions in which rooms may know each other.
func TestImports(t *testing.T) {
	checked := map[string]bool{}
	for pkg, deps := range list(t, "Deps") {
		for _, d := range directions {
			if !within(pkg, d.from) {
				continue
			}
			checked[d.from] = true
			for _, dep := range deps {
				if strings.HasPrefix(dep, d.never) {
					t.Errorf("%s depends on %s: %s", pkg, dep, d.why)
				}
			}
		}
	}
	for _, d := range directions {
		if !checked[d.from] {
			t.Errorf("no package %s: the rule about it checks nothing", d.from)
		}
	}
}

// TestSoleImporters keeps packages that only some rooms may know to those.
func TestSoleImporters(t *testing.T) {
	for pkg, imports := range list(t, "Imports") {
		room := strings.Trim(strings.TrimPrefix(pkg+"/", module), "/")
		for _, imported := range imports {
			if rooms, limited := sole[imported]; limited && !slices.Contains(rooms, room) {
				t.Errorf("%s imports %s, which only %q may", pkg, imported, rooms)
			}
		}
	}
}

// TestTheContractNeedsNothing: it is the bottom, standard library only.
func TestTheContractNeedsNothing(t *testing.T) {
	for _, dep := range list(t, "Deps")[module+"contract"] {
		if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") && dep != module+"contract" {
			t.Errorf("contract depends on %s", dep)
		}
	}
}

func within(pkg, room string) bool {
	return pkg == module+room || strings.HasPrefix(pkg, module+room+"/")
}

// list returns a field of go list for every package.
func list(t *testing.T, field string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .`+field+` " "}}`, "./...").Output()
	require.NoError(t, err)
	packages := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		pkg, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		packages[pkg] = strings.Fields(rest)
	}
	require.NotEmpty(t, packages)
	return packages
}
