package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/crossregion/crossregion/"

// directions say which packages must not depend on which, even indirectly.
// Prefixes name a package and all below it.
var directions = []struct{ from, never, why string }{
	{"contract", "github.com/", "the contract imports the standard library only"},
	{"contract", "golang.org/", "the contract imports the standard library only"},
	{"components", module + "stacks", "components do not know who uses them"},
	{"components", module + "lambda", "infrastructure does not link handlers"},
	{"components", module + "local", "components do not know the embedded cloud"},
	{"stacks", module + "lambda", "stacks meet handlers through the contract"},
	{"stacks", module + "local", "stacks do not know the embedded cloud"},
	{"lambda", "github.com/pulumi/", "handlers do not carry the engine"},
	{"lambda", module + "components", "handlers do not know the infrastructure"},
	{"lambda", module + "stacks", "handlers do not know the infrastructure"},
	{"lambda", module + "local", "no deployed binary links the embedded cloud"},
	{"local/cloud", module + "contract", "the ground of the embedded cloud knows nothing of the program"},
	{"local/acm", module + "contract", embedded},
	{"local/apigateway", module + "contract", embedded},
	{"local/bedrock", module + "contract", embedded},
	{"local/dynamodb", module + "contract", embedded},
	{"local/iam", module + "contract", embedded},
	{"local/lambda", module + "contract", embedded},
	{"local/route53", module + "contract", embedded},
	{"local/account", module + "stacks", "only the ways into the embedded cloud know a program"},
	{"local/account", module + "components", "only the ways into the embedded cloud know a program"},
	{"local/account", module + "lambda", "the embedded cloud shares no code with what it checks"},
	{"local/account", "github.com/pulumi/", "only the ways into the embedded cloud know Pulumi"},
}

const embedded = "a stand-in for AWS knows nothing of this program"

// TestImports keeps the directions in which rooms may know each other.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...").Output()
	require.NoError(t, err)
	checked := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		pkg, deps, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, d := range directions {
			if pkg != module+d.from && !strings.HasPrefix(pkg, module+d.from+"/") {
				continue
			}
			checked[d.from] = true
			for dep := range strings.FieldsSeq(deps) {
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
