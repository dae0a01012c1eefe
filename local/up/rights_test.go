package up_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rights of one region are tried: those of the others are made by the same
// code.
const (
	rightsOf        = "eu-central-1"
	policyToken     = "aws:iam/rolePolicy:RolePolicy"
	permissionToken = "aws:lambda/permission:Permission"
)

// readings are all ways to read what AWS leaves open, the strictest first.
var readings = []bedrock.Readings{
	{}, {SystemProfileNotNeeded: true}, {ConditionIsSystemProfile: true}, {SystemProfileNotNeeded: true, ConditionIsSystemProfile: true},
}

// removal takes one right out of a stack.
type removal struct {
	token, name string // of the resource that gives it
	right       string
	whole, left string // policies before and after; nothing is left of an empty one
}

// document is a role's policy. Its statements only allow.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// TestEveryRightIsNecessary removes one right at a time from the roles of a
// region, and from what lets its gateway invoke their functions: something fails
// because it is denied. With all of them, in each reading, nothing is.
//
// A right is one action or one resource of one statement. That a statement or a
// policy is needed follows: there are no denials, so without more of it no less
// fails.
func TestEveryRightIsNecessary(t *testing.T) {
	if testing.Short() {
		t.Skip("left out of -short: it deploys a stack for each right of a region")
	}
	var rights []removal
	for i, reading := range readings {
		t.Run(fmt.Sprintf("with all of them nothing is denied: %+v", reading), func(t *testing.T) {
			var found rightsFound
			p, err := startAltered(t, alteration{resource: found.observe}, up.Options{Readings: reading})
			require.NoError(t, err)
			require.NoError(t, p.all(t.Context()))
			assert.NotRegexp(t, denied, p.log())
			if i == 0 {
				rights = found.removals(t)
			}
		})
	}
	require.NotEmpty(t, rights)
	for _, x := range rights {
		t.Run(strings.TrimPrefix(x.name, rightsOf+"-")+": "+x.right, func(t *testing.T) {
			t.Parallel()
			require.True(t, slices.ContainsFunc(readings, x.missed(t)), "nothing in any reading fails without it: drop it, or add what needs it")
		})
	}
}

// missed tells whether a stack without the right fails to do something in a
// reading, because it is denied.
func (x removal) missed(t *testing.T) func(bedrock.Readings) bool {
	return func(reading bedrock.Readings) bool {
		p, err := startAltered(t, alteration{resource: x.remove}, up.Options{Readings: reading})
		require.NoError(t, err)
		failure := p.all(t.Context())
		t.Logf("%+v: %v", reading, failure)
		if failure != nil {
			assert.Regexp(t, denied, p.log(), "it failed for another reason")
		}
		return failure != nil
	}
}

func (x removal) remove(r *registration) {
	if r.token != x.token || r.name != x.name {
		return
	}
	if x.left == "" {
		r.leftOut = true
		return
	}
	if r.inputs["policy"] != x.whole {
		panic("the policy of " + r.name + " is not the one whose rights were listed")
	}
	r.inputs["policy"] = x.left
}

// rightsFound are the resources of a region that give rights.
type rightsFound struct {
	mu    sync.Mutex
	found []registration
}

func (f *rightsFound) observe(r *registration) {
	if r.region == rightsOf && (r.token == policyToken || r.token == permissionToken) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.found = append(f.found, *r)
	}
}

func (f *rightsFound) removals(t *testing.T) []removal {
	t.Helper()
	slices.SortFunc(f.found, func(a, b registration) int { return strings.Compare(a.name, b.name) })
	var all []removal
	for _, r := range f.found {
		if r.token == permissionToken {
			all = append(all, removal{token: r.token, name: r.name, right: "the permission"})
			continue
		}
		whole := r.inputs["policy"].(string)
		var d document
		require.NoError(t, json.Unmarshal([]byte(whole), &d))
		for i, s := range d.Statement {
			require.Equal(t, "Allow", s.Effect)
			for j, right := range append(slices.Clone(s.Action), s.Resource...) {
				left := d.without(i, j)
				if !slices.ContainsFunc(all, func(x removal) bool { return x.name == r.name && x.left == left }) {
					all = append(all, removal{r.token, r.name, right, whole, left})
				}
			}
		}
	}
	return all
}

// without is d without the j-th of the actions and resources of the i-th
// statement. A statement that has none left goes, and so does the document.
func (d document) without(i, j int) string {
	s := d.Statement[i]
	if n := len(s.Action); j < n {
		s.Action = slices.Delete(slices.Clone(s.Action), j, j+1)
	} else {
		s.Resource = slices.Delete(slices.Clone(s.Resource), j-n, j-n+1)
	}
	d.Statement = slices.Clone(d.Statement)
	d.Statement[i] = s
	if len(s.Action) == 0 || len(s.Resource) == 0 {
		d.Statement = slices.Delete(d.Statement, i, i+1)
	}
	if len(d.Statement) == 0 {
		return ""
	}
	b, err := json.Marshal(d)
	if err != nil { // strings always marshal
		return ""
	}
	return string(b)
}
