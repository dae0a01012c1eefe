package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crossregion/crossregion/contract"
)

// patience is how long an old trouble may last at least: longer than the minutes
// that any alarm looks back, after which it forgets what has been cured.
const patience = 20 * time.Minute

// vigil is the watch over one place, a region or the [sharedName], from before
// it is touched until it has been quiet.
type vigil struct {
	place string
	old   []trouble // of before: they may last for a while
	start time.Time // of the time that they have
	since time.Time // of the first look that found nothing; zero while there is trouble
}

// see judges a look: whether the place has been quiet for the given time. What
// troubled it before may take as long to go, or [patience]; anything new is an
// error at once.
func (v *vigil) see(at time.Time, found []trouble, quiet time.Duration) (bool, error) {
	if has(v.old, drained) && !has(found, drained) {
		v.undrained(at)
	}
	now := unexplained(found, v.old)
	added := slices.DeleteFunc(slices.Clone(now), func(t trouble) bool { return has(v.old, t.key) })
	switch {
	case len(added) > 0:
		return false, fmt.Errorf("%s is not well: %s", v.place, texts(added))
	case len(now) > 0 && at.Sub(v.start) >= max(quiet, patience):
		return false, fmt.Errorf("%s is still not well: %s", v.place, texts(now))
	case len(now) > 0:
		v.since = time.Time{}
		return false, nil
	case v.since.IsZero():
		v.since = at
	}
	return at.Sub(v.since) >= quiet, nil
}

// undrained begins the vigil anew: until now the place was quiet since it had
// no clients, and the alarms of the drain go on until they have looked back
// over its end. One that is drained again has a reason that is not old.
func (v *vigil) undrained(at time.Time) {
	v.old = slices.DeleteFunc(slices.Clone(v.old), func(t trouble) bool { return t.key == drained })
	for _, key := range drainAlarms {
		v.old = append(v.old, trouble{key, key + " rings"})
	}
	v.start, v.since = at, time.Time{}
}

// drainAlarms ring while a region is drained.
var drainAlarms = []string{alarmPrefix + healthRole, alarmPrefix + contract.OpHealth}

// unreached are the troubles of a place that nobody could reach before. Alarms
// take it for bad that no probe came, until some have; a name takes its time.
var unreached = []trouble{
	{healthRole, "its health endpoint does not answer yet"},
	{drainAlarms[0], drainAlarms[0] + " rings"}, {drainAlarms[1], drainAlarms[1] + " rings"},
}

// unexplained are the troubles but for those of a drain that is older than the
// rollout: somebody wants it, and it must not keep a cure away.
func unexplained(now, old []trouble) []trouble {
	if !has(now, drained) || !has(old, drained) {
		return now
	}
	return slices.DeleteFunc(slices.Clone(now), func(t trouble) bool {
		return t.key == drained || slices.Contains(drainAlarms, t.key)
	})
}

// settle returns once all places have been quiet for the given time, by the
// same look.
func (w watcher) settle(ctx context.Context, vigils []*vigil, quiet time.Duration, d deployed) error {
	for _, v := range vigils {
		v.start, v.since = w.clock.Now(), time.Time{}
	}
	for {
		done := true
		for _, v := range vigils {
			found, err := w.troubles(ctx, v.place, d)
			if err != nil {
				return err
			}
			calm, err := v.see(w.clock.Now(), found, quiet)
			if err != nil {
				return err
			}
			done = done && calm
		}
		if done {
			return nil
		}
		if err := w.clock.Sleep(ctx, w.every); err != nil {
			return err
		}
	}
}
