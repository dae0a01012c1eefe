package drill

import (
	"fmt"
	"slices"
	"time"
)

// expectation is what a scenario's clients may see, in numbers. Whatever it is,
// no request fails twice but those of clients whose region is lost, within the
// window W; and no answer forgets anything.
type expectation struct {
	promises string // as docs/architecture.md numbers them
	text     string
	// away is by when the clients of the region that suffers must be served by
	// another, and back by when by their own again; 0 where they need not.
	away, back time.Duration
	// suffers says which requests may fail besides; nil for none.
	suffers func(d *drill, s sample) bool
	// check says what else is not as expected; nil where nothing else is.
	check func(d *drill) []string
}

// soon is how long clients may wait for another region's model, and after the
// mending for their own: a target's silence of 20 s, or a breaker's pause of 10
// to 15 s, and the next request.
const soon = 40 * time.Second

var (
	ownClientsMove = expectation{
		promises: "R2 R3 R4", away: window, back: window,
		text: fmt.Sprintf("its clients may fail for W = %.0f s, nobody else's; they are served elsewhere within W, and at home again within W of the mending", window.Seconds()),
	}
	otherCheckersDecide = expectation{
		promises: "R2 R3 R4", away: window, back: window, check: wasWellInside,
		text: fmt.Sprintf("as when a region is lost, W = %.0f s: its own checkers, which find it well, do not keep its clients there", window.Seconds()),
	}
	comesAndGoes = expectation{
		promises: "R2 R3", back: window,
		text: fmt.Sprintf("its clients may fail for W = %.0f s from each time that it goes, nobody else's; they are at home again within W of its last return", window.Seconds()),
	}
	modelsMove = expectation{
		promises: "R2", away: soon, back: soon,
		text: fmt.Sprintf("no request fails twice; another region's model answers within %.0f s, its own again within %.0f s of the mending", soon.Seconds(), soon.Seconds()),
	}
	nobodyNotices = expectation{
		promises: "R2 R3", check: somethingIsHeldUp,
		text: "no request fails twice, and no answer lacks a turn, in any region",
	}
	clientsAreLed = expectation{
		promises: "R4", away: window, back: window, check: nothingFailsOnce,
		text: fmt.Sprintf("no request fails, not even once; its clients are served elsewhere within W = %.0f s, and at home again within W", window.Seconds()),
	}
	controlsAreNotNeeded = expectation{
		promises: "R8 R2", away: window, back: window,
		text: fmt.Sprintf("as when a region is lost, W = %.0f s, and it comes back the same", window.Seconds()),
	}
	streamsEndAsErrors = expectation{
		promises: "R2 R3", away: window, back: window, check: cutStreams,
		text: fmt.Sprintf("each stream underway ends with an error, none as if it were whole; its client's next answer comes from elsewhere within W = %.0f s", window.Seconds()),
	}
	nothingIsForgotten = expectation{
		promises: "R3 R2", away: window, back: window, suffers: hasNotArrived,
		text: fmt.Sprintf("their clients may fail for W = %.0f s; then the third region serves all, or refuses with 409 what has not arrived there", window.Seconds()),
	}
	allFail = expectation{
		promises: "R2 R3", back: window, suffers: func(d *drill, s sample) bool { return d.broken(s) }, check: somethingFails,
		text: fmt.Sprintf("requests fail as long as nothing is left, and for no more than W = %.0f s after; nothing is forgotten", window.Seconds()),
	}
	othersMove = expectation{
		promises: "R2", away: window, back: window, check: staleClientFails,
		suffers: func(d *drill, s sample) bool { return d.stale(s) && d.broken(s) },
		text:    fmt.Sprintf("that client fails as long as the region is gone; the other clients of the region for W = %.0f s", window.Seconds()),
	}
)

// hasNotArrived tells that a region refused to answer without a part of the
// history that only regions have which do not answer.
func hasNotArrived(d *drill, s sample) bool {
	return d.broken(s) && !slices.ContainsFunc(s.failures, func(f string) bool { return f != "409 conversation_not_arrived" })
}

func nothingFailsOnce(d *drill) []string {
	var wrong []string
	for _, s := range d.samples {
		if len(s.failures) > 0 {
			wrong = append(wrong, fmt.Sprintf("R4: at %s a client in %s failed (%s), though nothing was broken", d.moment(s.at), s.place, s.failures[0]))
		}
	}
	return wrong
}

func somethingFails(d *drill) []string {
	if slices.ContainsFunc(d.samples, sample.failed) {
		return nil
	}
	return []string{"no request failed: the drill has shown nothing"}
}

func somethingIsHeldUp(d *drill) []string {
	if d.heldUp > 0 {
		return nil
	}
	return []string{"nothing was held up by what was broken: the drill has shown nothing"}
}

// stale tells whether the request is of the client that keeps its first address,
// where a scenario pins one.
func (d *drill) stale(s sample) bool { return s.client == 0 && s.place == d.regions[0] }

// staleClientFails wants that client to fail when DNS would long have led it
// elsewhere.
func staleClientFails(d *drill) []string {
	lost := d.broke()
	if slices.ContainsFunc(d.samples, func(s sample) bool {
		return d.stale(s) && s.failed() && d.broken(s) && d.scaled(s.at.Sub(lost)) > d.window
	}) {
		return nil
	}
	return []string{"the client that keeps its address did not fail after the window: the drill has shown nothing"}
}

// cutStreams holds every client whose stream was cut off against what it saw
// next.
func cutStreams(d *drill) []string {
	var wrong []string
	streams := 0
	lost := d.broke()
	if lost.IsZero() {
		return []string{"nothing was broken: the drill has shown nothing"}
	}
	for i, s := range d.samples {
		if s.cut != d.regions[0] {
			continue
		}
		streams++
		next := slices.IndexFunc(d.samples[i:], func(n sample) bool {
			return n.place == s.place && n.client == s.client && !n.failed()
		})
		switch {
		case next < 0:
			wrong = append(wrong, fmt.Sprintf("R2: a client in %s whose stream was cut off at %s was never answered again", s.place, d.moment(s.answered())))
		case d.samples[i+next].region == d.regions[0], d.scaled(d.samples[i+next].at.Sub(lost)) > d.window:
			wrong = append(wrong, fmt.Sprintf("R2: a client in %s whose stream was cut off was answered next at %s, by %s",
				s.place, d.moment(d.samples[i+next].at), d.samples[i+next].region))
		}
	}
	if streams == 0 {
		wrong = append(wrong, "no stream was cut off: the drill has shown nothing")
	}
	return wrong
}
