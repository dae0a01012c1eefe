package stacks

import (
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/observability"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newObservability registers each region's alarms, and the stack's dashboard.
func (s *stack) newObservability() error {
	var regions []observability.Region
	var models []string
	for _, r := range s.settings.Regions {
		regions = append(regions, s.observed(s.regions[r.Name]))
	}
	for _, m := range s.settings.Models {
		models = append(models, m.Name)
	}
	err := s.each(func(r *region) error {
		args := &observability.RegionalAlarmsArgs{Stack: s.ctx.Stack(), Region: r.Name, Regions: regions, Emails: s.settings.Alarms.Emails}
		if limit, read := s.quotaReadings.of(concurrency, r.Name); read {
			args.ConcurrencyLimit = int(limit)
		}
		_, err := observability.NewRegionalAlarms(s.ctx, r.Name+"-alarms", args, pulumi.Provider(r.provider))
		return err
	})
	if err != nil {
		return err
	}
	s.dashboard, err = observability.NewDashboard(s.ctx, "dashboard", &observability.DashboardArgs{
		Stack: s.ctx.Stack(), Regions: regions, Models: models,
	}, pulumi.Provider(s.home().provider))
	return err
}

// observed is what there is to watch in r.
func (s *stack) observed(r *region) observability.Region {
	o := observability.Region{
		Name: r.Name, Partners: r.Failover, API: r.api.Name, Stage: gateway.StageName, Functions: map[string]observability.Function{},
		Tables: map[string]pulumi.StringInput{"content": r.tables.ContentName, "control": r.tables.ControlName},
	}
	for role, f := range r.functions {
		o.Functions[role] = observability.Function{Name: f.Name, ReservedConcurrency: s.reserved(role)}
	}
	if s.routing != nil {
		o.HealthCheck = s.routing.HealthCheckIDs.MapIndex(pulumi.String(r.Name))
	}
	return o
}
