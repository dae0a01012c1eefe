package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
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

// unexplained are the troubles but for those of a drain that is older than the
// rollout: somebody wants it, and it must not keep a cure away.
func unexplained(now, before []trouble) []trouble {
	if !has(now, drained) || !has(before, drained) {
		return now
	}
	ofDrain := []string{drained, alarmPrefix + healthRole, alarmPrefix + contract.OpHealth}
	return slices.DeleteFunc(slices.Clone(now), func(t trouble) bool { return slices.Contains(ofDrain, t.key) })
}

// patience is how long an old trouble may last at least: longer than the minutes
// that any alarm looks back, after which it forgets what has been cured.
const patience = 20 * time.Minute

// settle returns once a region has been quiet for the given time. What troubled
// it before may take as long to go, or [patience]; anything new ends the wait at
// once.
func (w watcher) settle(ctx context.Context, region string, quiet time.Duration, before []trouble, look func() (deployed, error)) error {
	d, err := look()
	if err != nil {
		return err
	}
	start := w.clock.Now()
	var since time.Time // of the first look that found nothing
	for {
		now, err := w.troubles(ctx, region, d)
		if err != nil {
			return err
		}
		now = unexplained(now, before)
		added := slices.DeleteFunc(slices.Clone(now), func(t trouble) bool { return has(before, t.key) })
		switch elapsed := w.clock.Now().Sub(start); {
		case len(added) > 0:
			return fmt.Errorf("%s is not well: %s", region, texts(added))
		case len(now) > 0 && elapsed >= max(quiet, patience):
			return fmt.Errorf("%s is not well, as it was before: %s", region, texts(now))
		case len(now) > 0:
			since = time.Time{}
		default:
			if since.IsZero() {
				since = w.clock.Now()
			}
			if w.clock.Now().Sub(since) >= quiet {
				return nil
			}
		}
		if err := w.clock.Sleep(ctx, w.every); err != nil {
			return err
		}
	}
}
