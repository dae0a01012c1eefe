package stacks_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestURNs: what is deployed is known by its URN, so none may go unless an alias
// leads from it to what it is now. -update adds what is new, and what an alias
// has moved; it never takes out what is gone.
func TestURNs(t *testing.T) {
	for _, name := range []string{"prod", "eu"} {
		t.Run(name, func(t *testing.T) {
			rec, err := run(t, load(t, name), inJurisdiction)
			require.NoError(t, err)
			file := filepath.Join("testdata", name+".urns")
			b, err := os.ReadFile(file)
			if !errors.Is(err, os.ErrNotExist) || !*update {
				require.NoError(t, err)
			}
			known := strings.Fields(string(b))
			for _, complaint := range compareURNs(rec, known, file) {
				t.Error(complaint)
			}
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(strings.Join(recordURNs(rec, known), "\n")+"\n"), 0o644))
			}
		})
	}
}

// compareURNs says what is wrong with what is registered now, given what was.
func compareURNs(rec *componenttest.Recorder, known []string, file string) (complaints []string) {
	own, aliases := rec.URNs()
	for _, was := range known {
		now, moved := aliases[resource.URN(was)]
		switch {
		case slices.Contains(own, resource.URN(was)):
		case moved:
			complaints = append(complaints, fmt.Sprintf("%s is now %s, by an alias: keep the alias until every stack is updated, "+
				"and run go test ./stacks -run TestURNs -update", was, now))
		default:
			complaints = append(complaints, fmt.Sprintf("%s is gone: an update would delete it, with what it holds. If it was renamed or "+
				"moved, give the resource pulumi.Aliases with the name, type or parent that it had. If it shall go, take its line out of %s", was, file))
		}
	}
	for _, urn := range own {
		if !slices.Contains(known, string(urn)) {
			complaints = append(complaints, fmt.Sprintf("%s is new: run go test ./stacks -run TestURNs -update", urn))
		}
	}
	if *update {
		complaints = slices.DeleteFunc(complaints, func(c string) bool { return strings.Contains(c, "-update") })
	}
	return complaints
}

// recordURNs are those of now and those that are gone without an alias.
func recordURNs(rec *componenttest.Recorder, known []string) []string {
	own, aliases := rec.URNs()
	var all []string
	for _, urn := range own {
		all = append(all, string(urn))
	}
	for _, was := range known {
		if _, moved := aliases[resource.URN(was)]; !moved && !slices.Contains(all, was) {
			all = append(all, was)
		}
	}
	slices.Sort(all)
	return all
}

// thing registers a component with a role, under the names and the type given.
func thing(kind, component, role string, componentOpts, roleOpts []pulumi.ResourceOption) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		var c struct{ pulumi.ResourceState }
		if err := ctx.RegisterComponentResourceV2(kind, component, pulumi.Map{}, &c, componentOpts...); err != nil {
			return err
		}
		_, err := iam.NewRole(ctx, role, &iam.RoleArgs{AssumeRolePolicy: pulumi.String("{}")}, append(roleOpts, pulumi.Parent(&c))...)
		return err
	}
}

// TestAnotherNameTakesAnAlias renames what was "thing-role" in a component
// "thing", with aliases and without.
func TestAnotherNameTakesAnAlias(t *testing.T) {
	const (
		kind = "crossregion:test:Thing"
		was  = "urn:pulumi:test::crossregion::crossregion:test:Thing$aws:iam/role:Role::thing-role"
		gone = "give the resource pulumi.Aliases"
		kept = "keep the alias until every stack is updated"
	)
	named := func(name string) []pulumi.ResourceOption {
		return []pulumi.ResourceOption{pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String(name)}})}
	}
	typed := []pulumi.ResourceOption{pulumi.Aliases([]pulumi.Alias{{Type: pulumi.String(kind)}})}
	tests := []struct {
		name    string
		program pulumi.RunFunc
		want    string
	}{
		{"a resource that stays", thing(kind, "thing", "thing-role", nil, nil), ""},
		{"a resource without an alias", thing(kind, "thing", "thing-iam", nil, nil), gone},
		{"a resource with an alias", thing(kind, "thing", "thing-iam", nil, named("thing-role")), kept},
		{"a component without an alias", thing(kind, "it", "it-role", nil, nil), gone},
		{"a component with an alias takes its children along", thing(kind, "it", "it-role", named("thing"), nil), kept},
		{"a type without an alias", thing("crossregion:test:It", "thing", "thing-role", nil, nil), gone},
		{"a type with an alias takes the children along", thing("crossregion:test:It", "thing", "thing-role", typed, nil), kept},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(nil)
			require.NoError(t, rec.Run(tt.program))
			about := slices.DeleteFunc(compareURNs(rec, []string{was}, "the file"), func(c string) bool { return !strings.HasPrefix(c, was) })
			if tt.want == "" {
				assert.Empty(t, about)
				return
			}
			require.Len(t, about, 1)
			assert.Contains(t, about[0], tt.want)
		})
	}
}
