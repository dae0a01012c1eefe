package bedrock

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
)

func TestCatalogueIsConsistent(t *testing.T) {
	for _, m := range catalogue {
		regions, sources := strings.Fields(m.onDemand), map[string]bool{}
		for _, r := range m.routes {
			regions = append(regions, strings.Fields(r.sources+" "+r.destinations)...)
			for _, source := range strings.Fields(r.sources) {
				assert.False(t, sources[r.prefix+source], "%s.%s stands twice for %s", r.prefix, m.id, source)
				sources[r.prefix+source] = true
			}
		}
		for _, region := range regions {
			assert.True(t, cloud.KnownRegion(region), "%s names unknown region %s", m.id, region)
		}
		assert.Equal(t, 1, len(slices.DeleteFunc(slices.Clone(catalogue), func(o model) bool { return o.id != m.id })), m.id)
		assert.NotEmpty(t, regions, "%s is nowhere", m.id)
	}
}

func TestCallsKeepsTheLastOnes(t *testing.T) {
	s := New(Config{})
	for i := range MaxCalls + 2 {
		s.route(target{source: "us-east-1", destinations: []string{"us-east-1"}}, Call{ModelID: strconv.Itoa(i)})
	}
	calls := s.Calls()
	assert.Len(t, calls, MaxCalls)
	for i, c := range calls {
		assert.Equal(t, strconv.Itoa(i+2), c.ModelID, "the two oldest are gone, the rest is in order")
	}
}

func TestAFullMemoryOfCallsIsNotCopied(t *testing.T) {
	s := New(Config{})
	home := target{source: "us-east-1", destinations: []string{"us-east-1"}}
	for range MaxCalls {
		s.route(home, Call{})
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.route(home, Call{}) }))
}
