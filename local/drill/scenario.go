package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/crossregion/crossregion/local/fault"
)

// scenario is one drill: what is broken when, which promise that puts to the
// test, and what clients may see of it. Times are the cloud's.
type scenario struct {
	name  string
	what  string // one line
	steps []step
	expectation
	// pinned has one client keep the address that its first lookup gave.
	pinned bool
	// probed has a region suffer in which Route 53 has checkers, if there is one.
	probed bool
	// perDelta is the time that each piece of an answer takes; 0 means little.
	perDelta time.Duration
}

// step is one thing that happens.
type step struct {
	at   time.Duration
	what string
	do   func(ctx context.Context, d *drill) error
	// loses are the regions whose clients only DNS can help, by their number:
	// they may fail for the window W from here on.
	loses []int
	// mends tells that nothing is broken from here on.
	mends bool
}

// Times that all scenarios share.
const (
	calm   = 30 * time.Second // before anything happens
	outage = 150 * time.Second
	after  = 120 * time.Second // what is watched of the time after
)

// services are those of a region that a drill breaks, by their signing names.
var services = []string{"execute-api", "bedrock", "dynamodb"}

// lose takes regions off the net with all that is in them and underway there.
func lose(regions ...int) func(context.Context, *drill) error {
	return func(_ context.Context, d *drill) error {
		for _, n := range regions {
			for _, service := range services {
				d.faults.Break(service, d.regions[n], fault.Fault{Kind: fault.Drop, Underway: true})
			}
			d.running.Account.DynamoDB.SetFault(d.regions[n], &dynamodb.Fault{Isolated: true})
		}
		return nil
	}
}

func breaks(service string, kind fault.Kind) func(context.Context, *drill) error {
	return func(_ context.Context, d *drill) error {
		d.faults.Break(service, d.regions[0], fault.Fault{Kind: kind})
		return nil
	}
}

// cut stops replication between the region and all others, and leaves something
// to replicate.
func cut(ctx context.Context, d *drill) error {
	for _, other := range d.regions[1:] {
		d.running.Account.DynamoDB.Cut(d.regions[0], other)
	}
	return d.leaveMarker(ctx, d.regions[0])
}

// heal undoes cut, after a look at whether that has held anything up.
func heal(ctx context.Context, d *drill) error {
	arrived, err := d.hasMarker(ctx, d.regions[1])
	if err != nil {
		return err
	}
	if !arrived {
		d.heldUp++
	}
	for _, other := range d.regions[1:] {
		d.running.Account.DynamoDB.Heal(d.regions[0], other)
	}
	return nil
}

// disableKeys disables the keys of the region, of which its tables have theirs.
// Nothing is replicated from or to a replica that cannot be read.
func disableKeys(_ context.Context, d *drill) error {
	d.running.Account.KMS.Disable(d.regions[0])
	d.running.Account.DynamoDB.SetFault(d.regions[0], &dynamodb.Fault{Isolated: true})
	return nil
}

// loseControls switches off all that creates, changes or describes resources,
// in every region.
func loseControls(_ context.Context, d *drill) error {
	d.faults.BreakControls()
	return nil
}

// mend mends all but the control planes.
func mend(_ context.Context, d *drill) error {
	d.heldUp = 0
	for _, region := range d.regions {
		for _, service := range services {
			d.heldUp += d.faults.Hits(service, region)
			d.faults.Mend(service, region)
		}
		d.heldUp += d.running.Account.KMS.Enable(region)
	}
	d.setPace()
	for _, region := range d.regions {
		d.running.Account.DynamoDB.SetFault(region, nil)
	}
	return nil
}

func model(f bedrock.Fault) func(context.Context, *drill) error {
	return func(_ context.Context, d *drill) error {
		d.bedrock.SetFault(d.regions[0], &f)
		return nil
	}
}

// outageOf is a scenario in which something is broken and mended.
func outageOf(what string, do func(context.Context, *drill) error, loses ...int) []step {
	return []step{
		{at: calm, what: what, do: do, loses: loses},
		{at: calm + outage, what: "mended", do: mend, mends: true},
	}
}

func scenarios() []scenario {
	return []scenario{
		{name: "region-lost", what: "a region is gone with all that is in it, and comes back",
			steps: outageOf("region lost", lose(0), 0), expectation: ownClientsMove},
		{name: "region-lost-streaming", what: "a region goes while it streams long answers", perDelta: 500 * time.Millisecond,
			steps: outageOf("region lost", lose(0), 0), expectation: streamsEndAsErrors},
		{name: "region-isolated", what: "a region is well, and only its own checkers reach it", probed: true, steps: []step{
			{at: calm, what: "isolated", do: isolate, loses: []int{0}},
			{at: calm + outage, what: "rejoined", do: rejoin, mends: true},
		}, expectation: otherCheckersDecide},
		{name: "bedrock-throttled", what: "Bedrock throttles every call in a region",
			steps: outageOf("throttled", model(bedrock.Fault{Code: "ThrottlingException"})), expectation: modelsMove},
		{name: "bedrock-down", what: "Bedrock of a region closes every connection",
			steps: outageOf("Bedrock down", breaks("bedrock", fault.Drop)), expectation: modelsMove},
		{name: "bedrock-breaks-off", what: "answers of a region break off before their first content",
			steps: outageOf("breaks off", model(bedrock.Fault{Code: "InternalServerException", FirstFrame: true})), expectation: modelsMove},
		{name: "table-unreachable", what: "the tables of a region do not answer",
			steps: outageOf("tables hang", breaks("dynamodb", fault.Hang)), expectation: nobodyNotices},
		{name: "keys-disabled", what: "the keys of a region are disabled, without which its tables open for nobody",
			steps: outageOf("keys disabled", disableKeys), expectation: nobodyNotices},
		{name: "replication-cut", what: "the tables of a region are cut off from the others for a minute", steps: []step{
			{at: calm, what: "replication cut", do: cut},
			{at: calm + time.Minute, what: "healed", do: heal, mends: true},
		}, expectation: nobodyNotices},
		{name: "slow-region", what: "Bedrock of a region hangs",
			steps: outageOf("Bedrock hangs", breaks("bedrock", fault.Hang)), expectation: modelsMove},
		{name: "flapping-region", what: "a region comes and goes", steps: flapping(), expectation: comesAndGoes},
		{name: "drain-return", what: "an operator drains a region, and brings it back", steps: []step{
			{at: calm, what: "drained", do: func(ctx context.Context, d *drill) error { return d.drain(ctx) }},
			{at: calm + outage, what: "undrained", do: func(ctx context.Context, d *drill) error { return d.undrain(ctx) }, mends: true},
		}, expectation: clientsAreLed},
		{name: "controls-lost", what: "a region is gone while nothing can be created, changed or described anywhere", steps: append(
			[]step{{at: calm / 2, what: "control planes lost", do: loseControls}}, outageOf("region lost", lose(0), 0)...,
		), expectation: controlsAreNotNeeded},
		{name: "two-regions-lost", what: "two regions are gone",
			steps: outageOf("two regions lost", lose(0, 1), 0, 1), expectation: nothingIsForgotten},
		{name: "all-lost", what: "all regions are gone, and come back",
			steps: outageOf("all lost", func(ctx context.Context, d *drill) error { return lose(numbers(d.regions)...)(ctx, d) }), expectation: allFail},
		{name: "stale-dns", what: "a region is gone, and one client never looks its name up again", pinned: true,
			steps: outageOf("region lost", lose(0), 0), expectation: othersMove},
	}
}

// flapping loses the region and mends it again and again.
func flapping() []step {
	var steps []step
	for i := range 3 {
		at := calm + time.Duration(i)*50*time.Second
		steps = append(steps,
			step{at: at, what: fmt.Sprintf("lost (%d)", i+1), do: lose(0), loses: []int{0}},
			step{at: at + 30*time.Second, what: "back", do: mend, mends: true})
	}
	return steps
}

func numbers(regions []string) []int {
	all := make([]int, len(regions))
	for i := range all {
		all[i] = i
	}
	return all
}

// lasts is how long the scenario takes.
func (s scenario) lasts() time.Duration { return s.steps[len(s.steps)-1].at + after }
