package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/crossregion/crossregion/lambda/conversation"
)

// stateStores tells whether a turn costs more where there are more threads.
func stateStores(ctx context.Context, b *bench) ([]Figure, error) {
	l := newLedger(2)
	store, err := newStore(map[string]conversation.DynamoDB{home: l, partner: l}, partner)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	var first storeCost
	for _, n := range b.scale.threads {
		filler := newThread(store)
		for len(l.partitions) < n {
			filler.last = conversation.Turn{}
			if err := filler.say(ctx, fillerBytes); err != nil {
				return nil, err
			}
		}
		cost, err := turnCost(ctx, b, l, store)
		if err != nil {
			return nil, err
		}
		if len(figures) == 0 {
			first = cost
		}
		name := func(what string) string { return fmt.Sprintf("store of %d threads: %s", n, what) }
		figures = append(figures,
			figure(name("units read for the tenth turn"), "RRU", cost.reads).over(first.reads).atMostTimes(1),
			figure(name("units written for it"), "WRU", cost.writes).over(first.writes).atMostTimes(1),
			figure(name("calls for it"), "", float64(cost.calls)).over(float64(first.calls)).atMostTimes(1),
			figure(name("the store's own time for it"), "µs", cost.took).over(first.took))
	}
	return figures, nil
}

type storeCost struct {
	units
	took float64 // µs
}

// turnCost is that of the tenth turn of a thread: to load nine, and add one.
func turnCost(ctx context.Context, b *bench, l *ledger, store *conversation.Store) (storeCost, error) {
	const turns = 9
	var cost storeCost
	var took []float64
	for range b.scale.rounds * 3 {
		t := newThread(store)
		for range turns {
			if err := t.say(ctx, turnBytes); err != nil {
				return cost, err
			}
		}
		before, started := l.billed, time.Now()
		if err := t.load(ctx, turns); err != nil {
			return cost, err
		}
		if err := t.say(ctx, turnBytes); err != nil {
			return cost, err
		}
		took = append(took, micros(time.Since(started)))
		cost.units = l.since(before)
	}
	cost.took = median(took)
	return cost, nil
}
