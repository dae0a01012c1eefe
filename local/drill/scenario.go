package drill

import (
	"context"
	"time"

	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/fault"
)

// scenario is one drill: what is broken when, and what clients may see of it.
// Times are the cloud's.
type scenario struct {
	name  string
	what  string // one line
	steps []step
	// suffers says which clients may fail even after their window; nil for none.
	suffers func(d *drill, s sample) bool
	// stale pins one client to the address that its first lookup gave.
	stale bool
}

// step is one thing that happens.
type step struct {
	at   time.Duration
	what string
	do   func(ctx context.Context, d *drill) error
	// moves tells that only DNS can answer to it: clients of the region may fail
	// for the window W from here on.
	moves bool
	// mends tells that nothing is broken from here on.
	mends bool
}

// Times that all scenarios share.
const (
	calm   = 30 * time.Second // before anything happens
	outage = 150 * time.Second
	after  = 120 * time.Second // what is watched of the time after
)

// lose takes regions off the net with all that is in them.
func lose(regions ...int) func(context.Context, *drill) error {
	return func(_ context.Context, d *drill) error {
		for _, n := range regions {
			for _, service := range []string{"execute-api", "bedrock", "dynamodb"} {
				d.faults.Break(service, d.regions[n], fault.Fault{Kind: fault.Drop})
			}
		}
		return nil
	}
}

func breaks(service string, f fault.Fault) func(context.Context, *drill) error {
	return func(_ context.Context, d *drill) error {
		d.faults.Break(service, d.regions[0], f)
		return nil
	}
}

// cut stops replication between the region and all others.
func cut(_ context.Context, d *drill) error {
	for _, other := range d.regions[1:] {
		d.running.Account.DynamoDB.Cut(d.regions[0], other)
	}
	return nil
}

func heal(_ context.Context, d *drill) error {
	for _, other := range d.regions[1:] {
		d.running.Account.DynamoDB.Heal(d.regions[0], other)
	}
	return nil
}

func mend(_ context.Context, d *drill) error {
	d.faults.MendAll()
	d.bedrock.SetFault(d.regions[0], nil)
	return nil
}

func model(f bedrock.Fault) func(context.Context, *drill) error {
	return func(_ context.Context, d *drill) error {
		d.bedrock.SetFault(d.regions[0], &f)
		return nil
	}
}

// outageOf is a scenario in which something is broken and mended.
func outageOf(what string, moves bool, do func(context.Context, *drill) error) []step {
	return []step{
		{at: calm, what: what, do: do, moves: moves},
		{at: calm + outage, what: "mended", do: mend, mends: true},
	}
}

func scenarios() []scenario {
	return []scenario{
		{name: "region-lost", what: "a region is gone with all that is in it, and comes back",
			steps: outageOf("region lost", true, lose(0))},
		{name: "bedrock-throttled", what: "Bedrock throttles every call in a region",
			steps: outageOf("throttled", false, model(bedrock.Fault{Code: "ThrottlingException"}))},
		{name: "bedrock-down", what: "Bedrock of a region closes every connection",
			steps: outageOf("Bedrock down", false, breaks("bedrock", fault.Fault{Kind: fault.Drop}))},
		{name: "bedrock-breaks-off", what: "answers of a region break off before their first content",
			steps: outageOf("breaks off", false, model(bedrock.Fault{Code: "InternalServerException", FirstFrame: true}))},
		{name: "table-unreachable", what: "the tables of a region do not answer",
			steps: outageOf("tables hang", false, breaks("dynamodb", fault.Fault{Kind: fault.Hang}))},
		{name: "replication-cut", what: "the tables of a region are cut off from the others for a minute", steps: []step{
			{at: calm, what: "replication cut", do: cut},
			{at: calm + time.Minute, what: "healed", do: heal, mends: true},
		}},
		{name: "slow-region", what: "Bedrock of a region hangs",
			steps: outageOf("Bedrock hangs", false, breaks("bedrock", fault.Fault{Kind: fault.Hang}))},
		{name: "flapping-region", what: "a region comes and goes", steps: flapping()},
		{name: "drain-return", what: "an operator drains a region, and brings it back", steps: []step{
			{at: calm, what: "drained", do: func(ctx context.Context, d *drill) error { return d.drain(ctx) }},
			{at: calm + outage, what: "undrained", do: func(ctx context.Context, d *drill) error { return d.undrain(ctx) }, mends: true},
		}},
		{name: "two-regions-lost", what: "two regions are gone",
			steps: outageOf("two regions lost", true, lose(0, 1))},
		{name: "all-lost", what: "all regions are gone, and come back",
			steps:   outageOf("all lost", true, func(ctx context.Context, d *drill) error { return lose(indices(d.regions)...)(ctx, d) }),
			suffers: func(d *drill, s sample) bool { return d.broken(s.at) }},
		{name: "stale-dns", what: "a region is gone, and one client never looks its name up again", stale: true,
			steps:   outageOf("region lost", true, lose(0)),
			suffers: func(d *drill, s sample) bool { return s.client == 0 && s.place == d.regions[0] && d.broken(s.at) }},
	}
}

// flapping loses the region and mends it again and again.
func flapping() []step {
	var steps []step
	for i := range 3 {
		at := calm + time.Duration(i)*50*time.Second
		steps = append(steps,
			step{at: at, what: "lost", do: lose(0), moves: true},
			step{at: at + 30*time.Second, what: "back", do: mend, mends: true})
	}
	return steps
}

func indices(regions []string) []int {
	all := make([]int, len(regions))
	for i := range all {
		all[i] = i
	}
	return all
}

func (s scenario) length() time.Duration { return s.steps[len(s.steps)-1].at + after }
