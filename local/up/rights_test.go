package up_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	keyToken        = "aws:kms/key:Key"
	permissionToken = "aws:lambda/permission:Permission"
)

// readings are all ways to read what AWS leaves open, the strictest first.
var readings = []bedrock.Readings{
	{}, {ConditionIsSystemProfile: true}, {SystemProfileNotNeeded: true}, {SystemProfileNotNeeded: true, ConditionIsSystemProfile: true},
}

// removal takes one right out of a stack.
type removal struct {
	token, name string // of the resource that gives it
	right       string
	whole, left string // policies before and after; nothing is left of an empty one
}

// document is a role's policy or a key's. Its statements only allow.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  []string
	Condition map[string]map[string]*[]string `json:",omitempty"`
}

// TestEveryRightIsNecessary removes one right at a time from the roles of a
// region, from what lets its gateway invoke their functions and from the policy
// of its key: something fails because it is denied. With all of them, in each
// reading, nothing is.
//
// A right is one action, one resource or one value of a condition, each of which
// lets more through; in the policy of a key, which also lets in those who look
// after it by hand, it is a whole statement. That a statement or a policy is needed follows: there are no
// denials, so without more of it no less fails.
func TestEveryRightIsNecessary(t *testing.T) {
	if testing.Short() {
		t.Skip("left out of -short: it deploys a stack for each right of a region")
	}
	tried := map[string]bool{}
	for _, o := range []up.Options{{Root: "../..", Stack: "eu"}, {Root: writeEverything(t), Stack: "all"}} {
		t.Run("of stack "+o.Stack, func(t *testing.T) {
			rights := whole(t, o).removals(t, tried)
			require.NotEmpty(t, rights)
			for _, x := range rights {
				t.Run(strings.TrimPrefix(x.name, rightsOf+"-")+": "+x.right, func(t *testing.T) {
					t.Parallel()
					missed := slices.ContainsFunc(readings, func(reading bedrock.Readings) bool {
						o := o
						o.Readings = reading
						return x.missed(t, o)
					})
					require.True(t, missed, "nothing in any reading fails without it: drop it, or add what needs it")
				})
			}
		})
	}
}

// whole deploys a stack with all its rights, by which nothing is denied in any
// reading.
func whole(t *testing.T, o up.Options) *rightsFound {
	t.Helper()
	var last *rightsFound
	for _, o.Readings = range readings {
		t.Run(fmt.Sprintf("nothing is denied: %+v", o.Readings), func(t *testing.T) {
			last = &rightsFound{}
			p, err := startAltered(t, alteration{resource: last.observe}, o)
			require.NoError(t, err)
			require.NoError(t, p.all(t.Context()))
			assert.NotRegexp(t, denied, p.log())
		})
	}
	return last
}

// missed reports whether a stack without the right cannot be deployed, or fails
// to do something, because it is denied.
func (x removal) missed(t *testing.T, o up.Options) bool {
	var removed atomic.Bool
	p, failure := startAltered(t, alteration{resource: func(r *registration) {
		if x.remove(r) {
			removed.Store(true)
		}
	}}, o)
	require.True(t, removed.Load(), "the policy is not the one whose rights were listed")
	log := func() string { return "" }
	if failure == nil {
		log, failure = p.log, p.all(t.Context())
	}
	t.Logf("%+v: %v", o.Readings, failure)
	if failure == nil {
		return false
	}
	// A line may be written after the answer that it is about.
	assert.Eventually(t, func() bool { return denied.MatchString(failure.Error() + log()) }, 30*time.Second, 10*time.Millisecond, "it failed for another reason")
	return true
}

// remove reports whether r gave the right, which it does no longer.
func (x removal) remove(r *registration) bool {
	switch {
	case r.token != x.token || r.name != x.name:
		return false
	case x.left == "":
		r.leftOut = true
		return true
	case r.inputs["policy"] != x.whole:
		return false
	default:
		r.inputs["policy"] = x.left
		return true
	}
}

// rightsFound are the resources of a region that give rights.
type rightsFound struct {
	mu    sync.Mutex
	found []registration
}

func (f *rightsFound) observe(r *registration) {
	if r.region == rightsOf && slices.Contains([]string{policyToken, permissionToken, keyToken}, r.token) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.found = append(f.found, *r)
	}
}

// removals are all rights of statements with an action that has not been tried.
func (f *rightsFound) removals(t *testing.T, tried map[string]bool) []removal {
	t.Helper()
	slices.SortFunc(f.found, func(a, b registration) int { return strings.Compare(a.name, b.name) })
	var all []removal
	trying := map[string]bool{}
	for _, r := range f.found {
		if r.token == permissionToken {
			if action := r.inputs["action"].(string); !tried[action] {
				trying[action] = true
				all = append(all, removal{token: r.token, name: r.name, right: "the permission"})
			}
			continue
		}
		whole := r.inputs["policy"].(string)
		var d document
		require.NoError(t, json.Unmarshal([]byte(whole), &d))
		if r.token == keyToken && !tried[keyToken] {
			trying[keyToken] = true
			for _, c := range d.statements(t) {
				all = append(all, removal{r.token, r.name, c.right, whole, c.left})
			}
		}
		if r.token == keyToken {
			continue
		}
		for i, s := range d.Statement {
			require.Equal(t, "Allow", s.Effect)
			if !slices.ContainsFunc(s.Action, func(action string) bool { return !tried[action] }) {
				continue
			}
			for _, action := range s.Action {
				trying[action] = true
			}
			for _, c := range d.cuts(t, i) {
				if !slices.ContainsFunc(all, func(x removal) bool { return x.name == r.name && x.left == c.left }) {
					all = append(all, removal{r.token, r.name, c.right, whole, c.left})
				}
			}
		}
	}
	maps.Copy(tried, trying)
	return all
}

// cut is a document without one right.
type cut struct{ right, left string }

// cuts are d without each right of the i-th statement.
func (d document) cuts(t *testing.T, i int) []cut {
	t.Helper()
	var all []cut
	for k, list := range d.Statement[i].rights() {
		for j, right := range *list {
			all = append(all, cut{right, d.without(t, i, k, j)})
		}
	}
	return all
}

// statements are d without each statement.
func (d document) statements(t *testing.T) []cut {
	t.Helper()
	var all []cut
	for i, s := range d.Statement {
		left := d
		left.Statement = slices.Delete(slices.Clone(d.Statement), i, i+1)
		b, err := json.Marshal(left)
		require.NoError(t, err)
		all = append(all, cut{fmt.Sprintf("statement %d, %s", i, s.Action[0]), string(b)})
	}
	return all
}

// rights are the lists of a statement each of whose items lets more through.
func (s *statement) rights() []*[]string {
	lists := []*[]string{&s.Action, &s.Resource}
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			lists = append(lists, s.Condition[operator][key])
		}
	}
	return lists
}

// without leaves out the j-th item of the k-th list of the i-th statement. A
// statement whose list is empty goes, and so does the document without any.
func (d document) without(t *testing.T, i, k, j int) string {
	t.Helper()
	b, err := json.Marshal(d)
	require.NoError(t, err)
	var left document
	require.NoError(t, json.Unmarshal(b, &left))
	list := left.Statement[i].rights()[k]
	*list = slices.Delete(*list, j, j+1)
	if len(*list) == 0 {
		left.Statement = slices.Delete(left.Statement, i, i+1)
	}
	if len(left.Statement) == 0 {
		return ""
	}
	b, err = json.Marshal(left)
	require.NoError(t, err)
	return string(b)
}
