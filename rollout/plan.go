package main

import (
	"slices"
	"strings"

	"github.com/crossregion/crossregion/stacks"
)

// step is one run of pulumi up.
type step struct {
	title    string
	changes  []change
	region   string            // that it changes; "" for what is of several
	watch    []string          // regions and the [sharedName], to be well afterwards
	opens    bool              // what is watched gets its name, by which nobody could ask before
	targets  []string          // URNs; none for everything but the excluded
	exclude  []string          // patterns of URNs
	versions map[string]string // that the aliases of the step lead to before, by function
	lost     []string          // profiles of models that these versions can call no more after it
}

// fleet is what the settings say of a stack's regions.
type fleet struct {
	regions []string // in the order of the settings
	offline []string
	home    string
}

func fleetOf(s stacks.Settings) fleet {
	f := fleet{home: s.Conversations.Home}
	for _, r := range s.Regions {
		f.regions = append(f.regions, r.Name)
		if r.Offline {
			f.offline = append(f.offline, r.Name)
		}
	}
	return f
}

// sharedName stands for the name that clients use, among regions.
const sharedName = "the shared name"

// online are the regions that may be changed.
func (f fleet) online() []string {
	return slices.DeleteFunc(slices.Clone(f.regions), func(r string) bool { return slices.Contains(f.offline, r) })
}

// ownRecord is the record of a region's own name, which no client uses, and by
// which the region is watched. It is there before clients are led to the region.
func ownRecord(region string) string { return "routing-" + region + "-own" }

// regionOf finds the region that a resource belongs to by its logical name; ""
// for what all regions share.
func (f fleet) regionOf(name string) string {
	i := slices.IndexFunc(f.regions, func(r string) bool {
		return name == r || strings.HasPrefix(name, r+"-") || strings.HasPrefix(name, ownRecord(r))
	})
	if i < 0 {
		return ""
	}
	return f.regions[i]
}

// shared are the logical names of what all regions have together. It is
// changed by way of the home region.
var shared = []string{"routing", "front-door", "dashboard"}

// excluded are patterns of what must not be touched while regions are offline.
// A * of Pulumi's stands for anything but a colon.
func (f fleet) excluded() []string {
	var patterns []string
	names := slices.Clone(f.offline)
	if slices.Contains(f.offline, f.home) {
		names = append(names, shared...)
	}
	for _, name := range names {
		patterns = append(patterns, "**::"+name, "**::"+name+"-*")
	}
	return patterns
}

// silent are the alarms that tell of a region, and are kept in another that is
// offline: those on health checks, if us-east-1 is.
func (f fleet) silent(d deployed) []string {
	var names []string
	for _, a := range d.alarms {
		if of, _ := a.role(d); slices.Contains(f.offline, a.at()) && !slices.Contains(f.offline, of) {
			names = append(names, a.name)
		}
	}
	return names
}

// plan divides changes into steps: first what is new and something else is made
// of, which serves nobody by itself; then each region with its own; and at last
// the shared, and what goes: nothing refers to it any more.
func (f fleet) plan(changes []change) []step {
	var steps []step
	early := f.early(changes)
	if len(early) > 0 {
		steps = append(steps, step{title: "what is new and needed", changes: early, targets: urns(early)})
	}
	left := without(changes, early)
	for _, region := range f.regions {
		own := slices.DeleteFunc(slices.Clone(left), func(c change) bool {
			return c.op == remove || f.regionOf(name(c.urn)) != region
		})
		left = without(left, own)
		if len(own) > 0 && !slices.Contains(f.offline, region) {
			steps = append(steps, step{
				title: region, region: region, changes: own, watch: []string{region}, opens: opens(region, own),
				targets: urns(own), versions: versions(own), lost: f.lost(region, changes),
			})
		}
	}
	if len(left) > 0 {
		steps = append(steps, step{
			title: "what all regions share, and what goes", changes: left, watch: append(f.online(), sharedName), exclude: f.excluded(),
		})
	}
	return steps
}

// gone are the regions that are deployed, and left the settings.
func (f fleet) gone(d deployed) []string {
	var all []string
	for _, region := range d.regions {
		if !slices.Contains(f.regions, region) {
			all = append(all, region)
		}
	}
	return slices.Sorted(slices.Values(all))
}

// withdraw is the plan by which regions leave, one step for everything. What
// they have depends on the region before them, and Pulumi would delete it with
// a target of that region's, while the others still refer to it.
func (f fleet) withdraw(gone []string, changes []change) []step {
	if len(changes) == 0 {
		return nil
	}
	return []step{{
		title: "all regions at once, since " + strings.Join(gone, ", ") + " leaves", changes: changes,
		watch: append(f.online(), sharedName), exclude: f.excluded(),
	}}
}

// lost are a region's profiles that are replaced, and those that a later step
// removes: the rights to call them go with the region.
func (f fleet) lost(region string, changes []change) []string {
	var names []string
	for _, c := range changes {
		goes := c.op == replace || c.op == remove
		if goes && typeOf(c.urn) == profileType && f.regionOf(name(c.urn)) == region {
			names = append(names, name(c.urn))
		}
	}
	return names
}

// opens tells whether a region gets its own name by its changes.
func opens(region string, own []change) bool {
	return slices.ContainsFunc(own, func(c change) bool { return c.op == create && name(c.urn) == ownRecord(region) })
}

// early are the creations of regions that something is made of, or that another
// region needs, and those that they need in turn. Each step runs the whole
// program, in which a creation that is left for later has empty outputs: those
// that others read are made before anything else.
func (f fleet) early(changes []change) []change {
	created := map[string]change{}
	for _, c := range changes {
		if c.op == create {
			created[c.urn] = c
		}
	}
	wanted := map[string]bool{}
	var want func(urn string)
	want = func(urn string) {
		c, isNew := created[urn]
		if !isNew || wanted[urn] {
			return
		}
		wanted[urn] = true
		for _, need := range c.needs {
			want(need)
		}
	}
	for _, c := range changes {
		region := f.regionOf(name(c.urn))
		for _, need := range c.needs {
			if region != "" && f.regionOf(name(need)) != region {
				want(need)
			}
		}
		for _, read := range c.reads {
			if f.regionOf(name(read)) != "" {
				want(read)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(changes), func(c change) bool { return !wanted[c.urn] })
}

func changesOf(steps []step) []change {
	var all []change
	for _, s := range steps {
		all = append(all, s.changes...)
	}
	return all
}

func without(changes, taken []change) []change {
	return slices.DeleteFunc(slices.Clone(changes), func(c change) bool {
		return slices.ContainsFunc(taken, func(t change) bool { return t.urn == c.urn })
	})
}

func urns(changes []change) []string {
	all := make([]string, len(changes))
	for i, c := range changes {
		all[i] = c.urn
	}
	return all
}

// versions are those that aliases lead to before, by the name of their function.
func versions(changes []change) map[string]string {
	all := map[string]string{}
	for _, c := range changes {
		if function, isAlias := strings.CutSuffix(name(c.urn), "-alias"); isAlias && c.version != "" {
			all[function] = c.version
		}
	}
	return all
}
