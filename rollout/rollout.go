package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/stacks"
)

// rollout is one under way.
type rollout struct {
	engine engine
	watch  watcher
	out    io.Writer

	fleet fleet
	stack string
	bake  time.Duration
	share int // percent of calls that a canary gets; 0 for no canary
}

// run plans and does it.
func (r *rollout) run(ctx context.Context, o options) error {
	steps, err := r.prepare(ctx, o)
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		return r.say("nothing to change")
	}
	if err := errors.Join(r.show(steps), checkData(changesOf(steps), o.dataLoss)); err != nil || o.plan {
		return err
	}
	for i, s := range steps {
		if err := r.say("step %d of %d: %s", i+1, len(steps), s.title); err != nil {
			return err
		}
		if err := r.do(ctx, s); err != nil {
			return r.stopped(err, steps[i+1:])
		}
	}
	return nil
}

// show tells what each step will do.
func (r *rollout) show(steps []step) error {
	lines := []string{"what will change:"}
	for i, s := range steps {
		lines = append(lines, fmt.Sprintf("%d. %s: %s", i+1, s.title, count(s.changes)))
		for _, line := range difference(s.changes) {
			lines = append(lines, "   "+line)
		}
	}
	return r.say("%s", strings.Join(lines, "\n"))
}

// prepare reads the settings, and asks Pulumi what would change.
func (r *rollout) prepare(ctx context.Context, o options) ([]step, error) {
	if err := r.configure(ctx, o); err != nil {
		return nil, err
	}
	p, err := r.engine.Preview(ctx, r.fleet.excluded())
	if err != nil {
		return nil, err
	}
	d, err := r.engine.State(ctx)
	if err != nil {
		return nil, err
	}
	changes := p.changes()
	if err := errors.Join(checkRoles(o.ignore, changes, d), r.warn(p, d)); err != nil {
		return nil, err
	}
	// The preview does not tell: it leaves out what stays as it is.
	if !d.live && len(changes) > 0 {
		return []step{{
			title: "the first deployment, of everything", changes: changes,
			watch: append(r.fleet.online(), sharedName), opens: true, exclude: r.fleet.excluded(),
		}}, nil
	}
	if gone := r.fleet.gone(d); len(gone) > 0 {
		return r.fleet.withdraw(gone, changes), nil
	}
	return r.fleet.plan(changes), nil
}

// configure takes over what the settings and the command line say.
func (r *rollout) configure(ctx context.Context, o options) error {
	config, err := r.engine.Config(ctx)
	if err != nil {
		return err
	}
	settings, err := stacks.ParseConfig(project, config)
	if err != nil {
		return fmt.Errorf("settings of stack %s:\n%w", o.stack, err)
	}
	r.fleet, r.stack, r.share = fleetOf(settings), o.stack, settings.Rollout.CanaryPercent
	if r.bake = o.bake; r.bake == asSettings {
		r.bake = settings.Rollout.Bake()
	}
	return nil
}

// notice is how long most alarms take to ring: they want three bad minutes of
// five.
const notice = 5 * time.Minute

// warn says what the preview warns of, and what is not watched.
func (r *rollout) warn(p preview, d deployed) error {
	warnings := p.warnings()
	if silent := r.fleet.silent(d); len(silent) > 0 {
		warnings = append(warnings, "not watched, since their region is offline: alarms "+strings.Join(silent, ", "))
	}
	if r.bake < notice {
		warnings = append(warnings, fmt.Sprintf("%s of quiet prove little: most alarms need up to %s to ring", r.bake, notice))
	}
	var errs []error
	for _, w := range warnings {
		errs = append(errs, r.say("warning: %s", w))
	}
	return errors.Join(errs...)
}

// do takes one step. What it may harm has to be well after it.
func (r *rollout) do(ctx context.Context, s step) error {
	if len(s.watch) == 0 {
		return r.engine.Up(ctx, s, nil)
	}
	vigils, err := r.before(ctx, s)
	if err != nil {
		return err
	}
	switch {
	case r.share == 0 || len(s.versions) == 0:
		err = r.engine.Up(ctx, s, nil)
	case len(s.lost) > 0:
		err = r.atOnce(ctx, s)
	default:
		err = r.byCanary(ctx, s, vigils)
	}
	if err != nil {
		return err
	}
	return r.settle(ctx, s, vigils)
}

// before begins the watch over all that a step may harm.
func (r *rollout) before(ctx context.Context, s step) ([]*vigil, error) {
	d, err := r.state(ctx)
	if err != nil {
		return nil, err
	}
	var all []*vigil
	for _, place := range s.watch {
		v := &vigil{place: place}
		all = append(all, v)
		if s.opens {
			v.old = unreached
			continue
		}
		if v.old, err = r.watch.troubles(ctx, place, d); err != nil {
			return nil, err
		}
		if err := r.sayOld(v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *rollout) sayOld(v *vigil) error {
	if has(v.old, drained) {
		if err := r.say("%s is drained, and may stay so", v.place); err != nil {
			return err
		}
	}
	if old := unexplained(v.old, v.old); len(old) > 0 {
		return r.say("%s has troubles already, which must end: %s", v.place, texts(old))
	}
	return nil
}

// atOnce changes a region without a canary: the former version would keep most
// calls, or get all of them back, without what it calls models by.
func (r *rollout) atOnce(ctx context.Context, s step) error {
	if err := r.say("%s: no canary, since the former version cannot do without what is replaced or removed: %s",
		s.region, strings.Join(s.lost, ", ")); err != nil {
		return err
	}
	return r.engine.Up(ctx, s, nil)
}

// byCanary changes a region by way of a canary. Whatever ends it half-way, the
// former version has all calls again, as far as Pulumi still works.
func (r *rollout) byCanary(ctx context.Context, s step, vigils []*vigil) error {
	if err := r.say("%s: %d %% of calls go to the new version", s.region, r.share); err != nil {
		return err
	}
	err := r.engine.Up(ctx, s, &canary{Percent: r.share, Versions: s.versions})
	if err == nil {
		err = r.settle(ctx, s, vigils)
	}
	if err == nil {
		err = r.engine.Up(ctx, s, nil)
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, r.giveBack(ctx, s))
}

// backTime is how long it may take to give the former version all calls again,
// even if the rollout was interrupted.
const backTime = 15 * time.Minute

// giveBack always returns an error, which says who has the calls.
func (r *rollout) giveBack(ctx context.Context, s step) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backTime)
	defer cancel()
	said := r.say("%s: all calls go to the former version again", s.region)
	if err := r.engine.Up(ctx, s, &canary{Versions: s.versions}); err != nil {
		return errors.Join(said, fmt.Errorf("the new version may keep a share of the calls in %s until a rollout gets further: "+
			"the former could not be given all of them again: %w", s.region, err))
	}
	return errors.Join(said, fmt.Errorf("the former version has all calls of %s again", s.region))
}

func (r *rollout) settle(ctx context.Context, s step, vigils []*vigil) error {
	if err := r.say("%s must be quiet for %s", strings.Join(s.watch, ", "), r.bake); err != nil {
		return err
	}
	d, err := r.state(ctx)
	if err != nil {
		return err
	}
	return r.watch.settle(ctx, vigils, r.bake, d)
}

// state is what is deployed, but for alarms that nobody can ask about.
func (r *rollout) state(ctx context.Context) (deployed, error) {
	d, err := r.engine.State(ctx)
	d.alarms = slices.DeleteFunc(slices.Clone(d.alarms), func(a alarm) bool { return slices.Contains(r.fleet.offline, a.at()) })
	return d, err
}

// stopped says what the regions have, and what to do.
func (r *rollout) stopped(err error, left []step) error {
	var untouched []string
	for _, s := range left {
		if s.region != "" {
			untouched = append(untouched, s.region)
		}
	}
	text := "the rollout stops here"
	if len(untouched) > 0 {
		text += ": " + strings.Join(untouched, ", ") + " keep what they have"
	}
	return fmt.Errorf("%w\n%s; to send clients of a region elsewhere, go run ./ops drain REGION --stack %s; "+
		"to go back, roll out the former version, to go on, run this again", err, text, r.stack)
}

func (r *rollout) say(format string, args ...any) error {
	_, err := fmt.Fprintf(r.out, format+"\n", args...)
	return err
}
