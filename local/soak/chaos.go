package soak

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/crossregion/crossregion/local/fault"
	"github.com/crossregion/crossregion/local/up"
)

// pace is how long every call of a model takes, so that many requests are in
// flight and yet the machine is not at its limit.
const pace = 400 * time.Millisecond

// chaos breaks one thing after another, one region at a time.
type chaos struct {
	running *up.Running
	random  *rand.Rand
	tell    func(string)

	mu     sync.Mutex
	counts map[string]int
	spells []spell
}

// spell is a time in which something of a region was broken. It ends late: a
// region that was lost is found again after the window only.
type spell struct {
	kind, region string
	from, to     time.Time // to is zero while it lasts
}

// kind is something that can break in a region.
type kind struct {
	name string
	lost bool // only DNS can help the region's clients
	do   func(c *chaos, region string)
}

func onTables(k fault.Kind) func(*chaos, string) {
	return func(c *chaos, region string) {
		c.running.Account.Faults.Break("dynamodb", region, fault.Fault{Kind: k, Underway: k == fault.Drop})
	}
}

func onModels(k fault.Kind) func(*chaos, string) {
	return func(c *chaos, region string) {
		c.running.Account.Faults.Break("bedrock", region, fault.Fault{Kind: k, Underway: k == fault.Drop})
	}
}

func inModels(f bedrock.Fault) func(*chaos, string) {
	return func(c *chaos, region string) { c.running.Account.Bedrock.SetFault(region, &f) }
}

// kinds are all that can break. The loss of a region is the last.
func kinds() []kind {
	return []kind{
		{name: "Bedrock throttles", do: inModels(bedrock.Fault{Code: "ThrottlingException"})},
		{name: "Bedrock breaks off", do: inModels(bedrock.Fault{Code: "InternalServerException", FirstFrame: true})},
		{name: "Bedrock is down", do: onModels(fault.Drop)},
		{name: "Bedrock hangs", do: onModels(fault.Hang)},
		{name: "tables are down", do: onTables(fault.Drop)},
		{name: "tables hang", do: onTables(fault.Hang)},
		{name: "tables lose their replies", do: onTables(fault.Lose)},
		{name: "replication is cut", do: func(c *chaos, region string) {
			c.running.Account.DynamoDB.SetFault(region, &dynamodb.Fault{Isolated: true})
		}},
		{name: "keys are disabled", do: func(c *chaos, region string) {
			c.running.Account.KMS.Disable(region)
			c.running.Account.DynamoDB.SetFault(region, &dynamodb.Fault{Isolated: true})
		}},
		{name: "the region is lost", lost: true, do: func(c *chaos, region string) {
			for _, service := range []string{"execute-api", "bedrock", "dynamodb"} {
				c.running.Account.Faults.Break(service, region, fault.Fault{Kind: fault.Drop, Underway: true})
			}
			c.running.Account.DynamoDB.SetFault(region, &dynamodb.Fault{Isolated: true})
		}},
	}
}

func newChaos(running *up.Running, random *rand.Rand, tell func(string)) *chaos {
	c := &chaos{running: running, random: random, tell: tell, counts: map[string]int{}}
	for _, region := range running.RegionNames {
		c.mend(region)
	}
	return c
}

// play breaks and mends until ctx ends. Every kind has its turn before any comes
// again: that of a lost region is the last, since nothing else breaks in the
// window after it.
func (c *chaos) play(ctx context.Context) {
	all := kinds()
	for ctx.Err() == nil {
		for _, n := range append(c.random.Perm(len(all)-1), len(all)-1) {
			region := c.running.RegionNames[c.random.IntN(len(c.running.RegionNames))]
			lasts := time.Second + time.Duration(c.random.Int64N(int64(2*time.Second)))
			pause := 500 * time.Millisecond
			if all[n].lost {
				pause = window
			}
			if !wait(ctx, 500*time.Millisecond) {
				return
			}
			c.enter(all[n], region)
			all[n].do(c, region)
			wait(ctx, lasts)
			c.mend(region)
			c.tell(region + " is mended")
			wait(ctx, pause)
			c.leave()
		}
	}
}

func (c *chaos) enter(k kind, region string) {
	c.tell(region + ": " + k.name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[k.name]++
	s := spell{kind: k.name, region: region, from: time.Now()}
	c.spells = append(c.spells, s)
}

func (c *chaos) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spells[len(c.spells)-1].to = time.Now()
}

// mend makes a region whole again.
func (c *chaos) mend(region string) {
	a := c.running.Account
	for _, service := range []string{"execute-api", "dynamodb"} {
		a.Faults.Mend(service, region)
	}
	a.Faults.Mend("bedrock", region)
	a.Faults.Break("bedrock", region, fault.Fault{Delay: pace})
	a.Bedrock.SetFault(region, nil)
	a.KMS.Enable(region)
	a.DynamoDB.SetFault(region, nil)
}

// played is how often each kind was played.
func (c *chaos) played() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

// during is what was broken at any time between two moments, "" for nothing, and
// whether clients that stand in the region may fail for it.
func (c *chaos) during(from, to time.Time, region string) (what string, excused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spells {
		if s.from.After(to) || !s.to.IsZero() && s.to.Before(from) {
			continue
		}
		what = s.kind + " in " + s.region
		lost := s.kind == "the region is lost" && s.region == region
		excused = excused || lost && from.Sub(s.from) <= window
	}
	return what, excused
}

// wait returns after d, or false at the end of ctx.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
