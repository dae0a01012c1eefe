// Package residency keeps inference inside a jurisdiction at run time, whatever
// IAM would allow: it refuses a target that may be processed outside, before it
// is called. It decides by the destinations that AWS named when the stack was
// deployed. It cannot see which of them Bedrock chooses for a call; only
// CloudTrail tells, afterwards (additionalEventData.inferenceRegion).
package residency

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// Model asks one region. [converse.Client] is one.
type Model interface {
	Open(ctx context.Context, target contract.Target, r converse.Request) (converse.Stream, error)
}

// Guard is a [Model] that refuses targets outside a jurisdiction. It is safe for
// concurrent use if its model is.
type Guard struct {
	model   Model
	allowed []string
}

// New returns a Guard of model. allowed are the jurisdiction's regions, or
// [contract.AnyRegion] alone; without any, every target is refused.
func New(model Model, allowed []string) *Guard {
	return &Guard{model: model, allowed: slices.Clone(allowed)}
}

// Open asks target, or fails with [converse.Outside] without a call.
func (g *Guard) Open(ctx context.Context, target contract.Target, r converse.Request) (converse.Stream, error) {
	if outside := Outside(target, g.allowed); len(outside) > 0 {
		return nil, &converse.Error{Class: converse.Outside, Region: target.Region,
			Message: fmt.Sprintf("the target may be processed in %s, outside the jurisdiction", strings.Join(outside, ", "))}
	}
	return g.model.Open(ctx, target, r)
}

// Outside returns the places, sorted, in which target may be processed and that
// are not among allowed, which are as for [New]. Destinations that are not known
// may be anywhere.
func Outside(target contract.Target, allowed []string) []string {
	if slices.Equal(allowed, []string{contract.AnyRegion}) {
		return nil
	}
	places := append([]string{target.Region}, target.Destinations...)
	if len(target.Destinations) == 0 {
		places = append(places, contract.AnyRegion)
	}
	places = slices.DeleteFunc(places, func(place string) bool {
		return place != contract.AnyRegion && slices.Contains(allowed, place)
	})
	slices.Sort(places)
	return slices.Compact(places)
}
