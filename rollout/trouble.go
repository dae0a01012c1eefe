package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// trouble is something that is wrong with a region.
type trouble struct {
	key  string // what it is, the same for as long as it lasts
	text string // what is said of it, which may change meanwhile
}

// Keys of troubles that are no alarms, and what begins those of alarms.
const (
	healthRole  = "health" // of the health endpoint, and the role of the alarm on a health check
	drained     = "drained"
	alarmPrefix = "alarm "
)

// role is the part that an alarm plays, and the region that it tells of.
func (a alarm) role(d deployed) (region, role string) {
	at, role, _ := strings.Cut(a.name, separator)
	if of, isHealth := strings.CutPrefix(role, "health-"); isHealth && d.endpoints[of] != "" {
		return of, healthRole
	}
	return at, role
}

// at is the region that has an alarm: that it tells of, or where the state of
// health checks is known.
func (a alarm) at() string {
	at, _, _ := strings.Cut(a.name, separator)
	return at
}

// separator stands between an alarm's region and its role.
const separator = "-alarms-"

// checkRoles refuses roles that no alarm has, or will have: misspelt, one would
// ignore nothing.
func checkRoles(roles []string, changes []change, d deployed) error {
	alarms := slices.Clone(d.alarms)
	for _, c := range changes {
		if typeOf(c.urn) == alarmType {
			alarms = append(alarms, alarm{name: name(c.urn)})
		}
	}
	known := map[string]bool{healthRole: true}
	for _, a := range alarms {
		_, role := a.role(d)
		known[role] = true
	}
	for _, role := range roles {
		if !known[role] {
			return fmt.Errorf("--ignore: no alarm has the role %q, but %s; %w", role, strings.Join(slices.Sorted(maps.Keys(known)), ", "), errUsage)
		}
	}
	return nil
}

func has(all []trouble, key string) bool {
	return slices.ContainsFunc(all, func(t trouble) bool { return t.key == key })
}

func texts(all []trouble) string {
	list := make([]string, len(all))
	for i, t := range all {
		list[i] = t.text
	}
	return strings.Join(list, "; ")
}
