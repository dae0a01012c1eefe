package stacks

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Rollout says how a new version comes to the regions.
type Rollout struct {
	// BakeMinutes are how long a region must be quiet before the next is
	// changed, 0 to 1440. Default: 10.
	BakeMinutes *int `json:"bakeMinutes"`
	// CanaryPercent of calls go to a new version before it gets all, once the
	// region has been quiet; 10 to 50. The least is what can raise the share of
	// failing requests over what its alarm allows. Default: 0, it gets all at once.
	CanaryPercent int `json:"canaryPercent"`
}

// Bake is how long a region must be quiet before the next is changed.
func (r Rollout) Bake() time.Duration {
	if r.BakeMinutes == nil {
		return 10 * time.Minute
	}
	return time.Duration(*r.BakeMinutes) * time.Minute
}

func (r Rollout) validate(f *faults) {
	if m := r.BakeMinutes; m != nil {
		f.check(*m >= 0 && *m <= 1440, "rollout.bakeMinutes", fmt.Sprintf("%d is out of range", *m), "give 0 to 1440")
	}
	f.check(r.CanaryPercent == 0 || r.CanaryPercent >= 10 && r.CanaryPercent <= 50, "rollout.canaryPercent",
		fmt.Sprintf("%d is out of range", r.CanaryPercent), "give 10 to 50, since alarms do not notice less, or leave it out")
}

// canary keeps former versions of functions in service while a rollout tries
// the new ones. The rollout gives it to one run, and no stack file holds it.
type canary struct {
	Percent  int               `json:"percent"`  // of calls that a new version gets, 0 to 50
	Versions map[string]string `json:"versions"` // former ones, by the name of the function
}

func parseCanary(raw string) (c canary, err error) {
	if raw == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return c, fmt.Errorf("not a canary: %w", err)
	}
	if c.Percent < 0 || c.Percent > 50 {
		return c, fmt.Errorf("percent is %d, not 0 to 50", c.Percent)
	}
	return c, nil
}

func loadCanary(ctx *pulumi.Context) (canary, error) {
	c, err := parseCanary(config.Get(ctx, canaryKey))
	if err != nil {
		return c, fmt.Errorf("config %s:%s: %w", ctx.Project(), canaryKey, err)
	}
	return c, nil
}

// of is the canary of one function, nil where it has none.
func (c canary) of(function string) *invoker.Canary {
	version, given := c.Versions[function]
	if !given {
		return nil
	}
	return &invoker.Canary{Version: version, Percent: c.Percent}
}
