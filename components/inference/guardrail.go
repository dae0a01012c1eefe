package inference

import (
	"errors"
	"fmt"
	"strings"
)

// Guardrail is a Bedrock guardrail of the source region, which exists already.
type Guardrail struct {
	// ID of the guardrail, without its ARN. Required.
	ID string
	// Version is a number, or "DRAFT". Required.
	Version string
	// Profile is the ID of the guardrail profile through which it is evaluated
	// in several regions, e.g. "eu.guardrail.v1:0". Default: none, it is
	// evaluated in its own.
	Profile string
}

func (g *Guardrail) validate() error {
	if g == nil {
		return nil
	}
	if g.ID == "" || g.Version == "" || strings.Contains(g.ID, ":") {
		return fmt.Errorf("guardrail %q of version %q needs an ID, not an ARN, and a version", g.ID, g.Version)
	}
	return nil
}

// checkpoint is a guardrail and where it may be evaluated.
type checkpoint struct {
	Guardrail
	region       string
	destinations []string
}

// locate finds where the guardrail of args may be evaluated, nil without one.
func locate(args *ProfilesArgs) (*checkpoint, error) {
	if args.Guardrail == nil {
		return nil, nil
	}
	c := &checkpoint{Guardrail: *args.Guardrail, region: args.Region, destinations: []string{args.Region}}
	if c.Profile == "" {
		return c, nil
	}
	var known bool
	if c.destinations, known = lookIn(guardrailCatalogue, c.Profile, args.Region); !known {
		return nil, fmt.Errorf("guardrail %s: it is not known where guardrail profile %s routes from %s: "+
			"use a guardrail that is evaluated in its own region, or add the profile's destinations to the catalogue", c.ID, c.Profile, args.Region)
	}
	var errs []error
	for _, region := range c.destinations {
		if !args.allows(region) {
			errs = append(errs, fmt.Errorf("guardrail profile %s called from %s may evaluate in %s, which is outside jurisdiction %q: "+
				"use a guardrail that is evaluated in its own region", c.Profile, args.Region, region, args.Jurisdiction))
		}
	}
	return c, errors.Join(errs...)
}

// arns are the resources that applying the guardrail asks for, in the account
// that owns the given profile.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrail-profiles-permissions.html
func (c *checkpoint) arns(profile string) []string {
	arns := []string{sibling(profile, c.region, "guardrail/"+c.ID)}
	if c.Profile != "" {
		for _, region := range c.destinations {
			arns = append(arns, sibling(profile, region, "guardrail-profile/"+c.Profile))
		}
	}
	return arns
}
