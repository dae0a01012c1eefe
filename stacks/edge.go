package stacks

import (
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// findZones looks up the hosted zones of the stack's names.
func (s *stack) findZones() error {
	if s.settings.Domain == nil {
		s.warnings = append(s.warnings, "settings have no domain: clients get regional URLs only, and no failover between them")
		return nil
	}
	zones := map[string]string{"domain.zone": s.settings.Domain.Zone}
	if d := s.settings.FrontDoor; d != nil {
		zones["frontDoor.zone"] = d.Zone
	}
	for setting, name := range zones {
		zone, err := route53.LookupZone(s.ctx, &route53.LookupZoneArgs{Name: &name}, pulumi.Provider(s.witness()))
		if err != nil {
			return fmt.Errorf("hosted zone %s: %w; create it in this account, or correct %s in the settings", name, err, setting)
		}
		s.zones[name] = zone.ZoneId
	}
	return nil
}

// certificates are what prove a region's names. Nil where the stack has none.
type certificates struct{ domain, frontDoor *gateway.Certificate }

// newAPIs registers each region's functions and API. The home region's
// certificates prove the names for all.
func (s *stack) newAPIs() error {
	home, err := s.newCertificates(s.home(), certificates{})
	if err != nil {
		return err
	}
	return s.each(func(r *region) error {
		own := home
		if r != s.home() {
			if own, err = s.newCertificates(r, home); err != nil {
				return err
			}
		}
		return s.newAPI(r, own)
	})
}

// newCertificates registers a region's certificates. Without an owner of the
// same name, they are the ones that prove it.
func (s *stack) newCertificates(r *region, owner certificates) (own certificates, err error) {
	if d := s.settings.Domain; d != nil {
		args := &gateway.CertificateArgs{Domain: d.Name, Owner: owner.domain}
		if owner.domain == nil {
			args.ZoneID = s.zones[d.Zone]
		}
		if own.domain, err = gateway.NewCertificate(s.ctx, r.Name+"-certificate", args, pulumi.Provider(r.provider)); err != nil {
			return own, err
		}
	}
	if d := s.settings.FrontDoor; d != nil {
		args := &gateway.CertificateArgs{Domain: d.Name, NameOnly: true}
		switch {
		case !d.OwnsValidation:
			args.Proven = true
		case owner.frontDoor == nil:
			args.ZoneID = s.zones[d.Zone]
		default:
			args.Owner = owner.frontDoor
		}
		own.frontDoor, err = gateway.NewCertificate(s.ctx, r.Name+"-front-door-certificate", args, pulumi.Provider(r.provider))
	}
	return own, err
}

func (s *stack) newAPI(r *region, names certificates) error {
	functions, err := s.newFunctions(r)
	if err != nil {
		return err
	}
	r.functions = functions
	r.api, err = gateway.NewRegionalAPI(s.ctx, r.Name+"-gateway", s.apiArgs(r, names), pulumi.Provider(r.provider))
	if err != nil {
		return err
	}
	if f := s.settings.Firewall; f != nil {
		r.firewall, err = gateway.NewWebACL(s.ctx, r.Name+"-firewall", &gateway.WebACLArgs{
			API: r.api, AddressLimit: f.RequestsPerFiveMinutes,
		}, pulumi.Provider(r.provider))
	}
	return err
}

func (s *stack) apiArgs(r *region, names certificates) *gateway.RegionalAPIArgs {
	args := &gateway.RegionalAPIArgs{
		Title: "crossregion " + s.ctx.Stack(), Functions: r.functions, Credentials: credentials[s.settings.Auth.Mode],
		RateLimit: float64(s.settings.Throttle.RatePerSecond), BurstLimit: s.settings.Throttle.Burst,
	}
	if d := s.settings.Domain; d != nil {
		args.DualStack = d.DualStack
		args.Domain = &gateway.Domain{Name: d.Name, Certificate: names.domain}
	}
	if d := s.settings.FrontDoor; d != nil {
		args.Domain.Aliases = []gateway.Alias{{Name: d.Name, Certificate: names.frontDoor}}
	}
	if l := s.settings.Logs; l.Access {
		args.AccessLogs = &gateway.AccessLogs{
			RetentionDays: l.RetentionDays, KeyArn: r.key.Arn, OwnsAccountRole: l.OwnsAccountRole,
			PermissionsBoundary: s.settings.PermissionsBoundary,
		}
	}
	return args
}

// newRouting makes one name of the regions, and says how long it takes to
// leave one of them.
func (s *stack) newRouting() error {
	d := s.settings.Domain
	if d == nil {
		return nil
	}
	h := s.settings.HealthChecks
	checks := routing.Checks{IntervalSeconds: h.IntervalSeconds, Threshold: h.Threshold, CheckerRegions: h.Regions}
	s.warnOfVetoes(checks)
	args := &routing.GlobalRoutingArgs{Domain: d.Name, ZoneID: s.zones[d.Zone], DualStack: d.DualStack, Checks: checks}
	for _, r := range s.settings.Regions {
		region := routing.Region{Name: r.Name, API: s.regions[r.Name].api, Partner: r.Failover[0]}
		if w := s.regions[r.Name].firewall; w != nil {
			region.Needs = []pulumi.Resource{w.Association()}
		}
		args.Regions = append(args.Regions, region)
	}
	var err error
	if s.routing, err = routing.NewGlobalRouting(s.ctx, "routing", args, pulumi.Provider(s.home().provider)); err != nil {
		return err
	}
	if err := s.newFrontDoor(); err != nil {
		return err
	}
	return s.ctx.Log.Info(fmt.Sprintf("when a region goes down its clients may fail for up to %s, until DNS has moved them", checks.Window()), nil)
}

// warnOfVetoes tells of regions that few places of checkers would keep in
// service while nobody else reaches them.
func (s *stack) warnOfVetoes(c routing.Checks) {
	if own := c.Vetoes(s.settings.regionNames()); len(own) > 0 {
		s.warnings = append(s.warnings, fmt.Sprintf("healthChecks.regions has %d places, %s among them: cut off from all others, a region keeps "+
			"itself healthy by its own checkers, and its clients are not moved; name places outside the stack's regions, or six at least, or leave it out",
			len(c.CheckerRegions), strings.Join(own, ", ")))
	}
}

func (s *stack) newFrontDoor() error {
	d := s.settings.FrontDoor
	if d == nil {
		return nil
	}
	_, err := routing.NewFrontDoor(s.ctx, "front-door", &routing.FrontDoorArgs{
		Name: d.Name, ZoneID: s.zones[d.Zone], Target: s.routing, Locations: d.Locations, Default: d.Default,
	}, pulumi.Provider(s.home().provider))
	return err
}
