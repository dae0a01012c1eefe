package stacks

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/crossregion/crossregion/components/conversation"
	"github.com/crossregion/crossregion/components/encryption"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/components/observability"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Program is the whole Pulumi program; main only hands it to pulumi.Run.
func Program(ctx *pulumi.Context) error {
	settings, err := LoadSettings(ctx)
	if err != nil {
		return err
	}
	platform, err := loadPlatform(ctx)
	if err != nil {
		return err
	}
	root, err := rootDirectory(ctx)
	if err != nil {
		return err
	}
	zips, err := invoker.Build(ctx.Context(), filepath.Join(root, ".build"), platform)
	if err != nil {
		return err
	}
	s := &stack{ctx: ctx, settings: settings, platform: platform, zips: zips, regions: map[string]*region{}}
	return s.deploy()
}

// rootDirectory is the project's folder. The engine names it; without one it
// is the working directory, as it is for every Pulumi program.
func rootDirectory(ctx *pulumi.Context) (string, error) {
	if root := ctx.RootDirectory(); root != "" {
		return root, nil
	}
	return os.Getwd()
}

// stack is one deployment in the making.
type stack struct {
	ctx      *pulumi.Context
	settings Settings
	platform invoker.Platform
	zips     invoker.Zips
	regions  map[string]*region
	zoneID   string // empty without a domain

	routing   *routing.GlobalRouting // nil without a domain
	dashboard *observability.Dashboard
}

// region is what a stack has in one region.
type region struct {
	Region
	provider  *aws.Provider
	profiles  *inference.Profiles
	roles     map[string]*invoker.Role // by contract's names of functions
	key       *encryption.Key
	tables    *conversation.Tables
	functions map[string]*invoker.Function // by contract's names
	api       *gateway.RegionalAPI
}

// deploy registers the stack, in steps that each cover every region: functions
// need the profiles of partner regions, keys the roles that use them, and
// replicas the home region's table.
func (s *stack) deploy() error {
	for _, step := range []func() error{
		s.newProviders, s.findZone, s.newProfiles, s.newRoles, s.newKeys, s.newTables, s.newAPIs, s.newRouting, s.newObservability,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	s.export()
	return nil
}

// each calls f for every region, in the order of the settings.
func (s *stack) each(f func(*region) error) error {
	for _, r := range s.settings.Regions {
		if err := f(s.regions[r.Name]); err != nil {
			return err
		}
	}
	return nil
}

// home is the region that owns what exists once.
func (s *stack) home() *region { return s.regions[s.settings.Conversations.Home] }

func (s *stack) newProviders() error {
	tags := pulumi.StringMap{}
	for k, v := range s.settings.Tags {
		tags[k] = pulumi.String(v)
	}
	tags["crossregion:stack"] = pulumi.String(s.ctx.Stack())
	tags["crossregion:jurisdiction"] = pulumi.String(s.settings.Jurisdiction)
	for _, r := range s.settings.Regions {
		args := &aws.ProviderArgs{
			Region:      pulumi.String(r.Name),
			DefaultTags: aws.ProviderDefaultTagsArgs{Tags: tags},
		}
		if s.settings.Account != "" {
			args.AllowedAccountIds = pulumi.StringArray{pulumi.String(s.settings.Account)}
		}
		provider, err := aws.NewProvider(s.ctx, r.Name, args)
		if err != nil {
			return fmt.Errorf("provider of %s: %w", r.Name, err)
		}
		s.regions[r.Name] = &region{Region: r, provider: provider}
	}
	return nil
}

func (s *stack) findZone() error {
	d := s.settings.Domain
	if d == nil {
		return s.ctx.Log.Warn("settings have no domain: clients get regional URLs only, and no failover between them", nil)
	}
	zone, err := route53.LookupZone(s.ctx, &route53.LookupZoneArgs{Name: &d.Zone}, pulumi.Provider(s.home().provider))
	if err != nil {
		return fmt.Errorf("hosted zone %s: %w; create it in this account, or correct domain.zone in the settings", d.Zone, err)
	}
	s.zoneID = zone.ZoneId
	return nil
}

func (s *stack) newProfiles() error {
	models := make([]inference.Model, len(s.settings.Models))
	for i, m := range s.settings.Models {
		models[i] = inference.Model{Name: m.Name, Profile: m.Profile, ID: m.Model}
	}
	return s.each(func(r *region) (err error) {
		r.profiles, err = inference.NewProfiles(s.ctx, r.Name+"-inference", &inference.ProfilesArgs{
			Region: r.Name, Jurisdiction: s.settings.Jurisdiction,
			Allowed: JurisdictionRegions(s.settings.Jurisdiction), Models: models,
		}, pulumi.Provider(r.provider))
		return err
	})
}

func (s *stack) newTables() error {
	newTables := func(r *region, home *conversation.Tables) (err error) {
		r.tables, err = conversation.NewTables(s.ctx, r.Name+"-conversation", &conversation.TablesArgs{
			Home: home, KeyArn: r.key.Arn, RecoveryDays: s.settings.Conversations.RecoveryPeriodInDays, Protect: s.settings.protect(),
		}, pulumi.Provider(r.provider))
		return err
	}
	if err := newTables(s.home(), nil); err != nil {
		return err
	}
	return s.each(func(r *region) error {
		if r == s.home() {
			return nil
		}
		return newTables(r, s.home().tables)
	})
}

// newAPIs registers each region's functions and API. The home region's
// certificate proves the domain for all.
func (s *stack) newAPIs() error {
	owner, err := s.newCertificate(s.home(), nil)
	if err != nil {
		return err
	}
	return s.each(func(r *region) error {
		certificate := owner
		if r != s.home() {
			if certificate, err = s.newCertificate(r, owner); err != nil {
				return err
			}
		}
		return s.newAPI(r, certificate)
	})
}

// newCertificate returns nil without a domain.
func (s *stack) newCertificate(r *region, owner *gateway.Certificate) (*gateway.Certificate, error) {
	if s.settings.Domain == nil {
		return nil, nil
	}
	args := &gateway.CertificateArgs{Domain: s.settings.Domain.Name, Owner: owner}
	if owner == nil {
		args.ZoneID = s.zoneID
	}
	return gateway.NewCertificate(s.ctx, r.Name+"-certificate", args, pulumi.Provider(r.provider))
}

func (s *stack) newAPI(r *region, certificate *gateway.Certificate) error {
	functions, err := s.newFunctions(r)
	if err != nil {
		return err
	}
	r.functions = functions
	args := &gateway.RegionalAPIArgs{Title: "crossregion " + s.ctx.Stack(), Functions: functions}
	if certificate != nil {
		args.Domain = &gateway.Domain{Name: s.settings.Domain.Name, Certificate: certificate}
	}
	r.api, err = gateway.NewRegionalAPI(s.ctx, r.Name+"-gateway", args, pulumi.Provider(r.provider))
	return err
}

func (s *stack) newRouting() error {
	if s.settings.Domain == nil {
		return nil
	}
	args := &routing.GlobalRoutingArgs{Domain: s.settings.Domain.Name, ZoneID: s.zoneID}
	for _, r := range s.settings.Regions {
		args.Regions = append(args.Regions, routing.Region{Name: r.Name, API: s.regions[r.Name].api, Partner: r.Failover[0]})
	}
	var err error
	s.routing, err = routing.NewGlobalRouting(s.ctx, "routing", args, pulumi.Provider(s.home().provider))
	return err
}

// export gives pipelines what they need to know of the stack.
func (s *stack) export() {
	regional := pulumi.StringMap{}
	for name, r := range s.regions {
		regional[name] = r.api.URL
		if d := s.settings.Domain; d != nil {
			regional[name] = pulumi.String("https://" + name + "." + d.Name)
		}
	}
	endpoint := regional[s.home().Name]
	if d := s.settings.Domain; d != nil {
		endpoint = pulumi.String("https://" + d.Name)
	}
	s.ctx.Export("endpoint", endpoint)
	s.ctx.Export("regionalEndpoints", regional)
	s.ctx.Export("dashboard", s.dashboard.URL)
	s.ctx.Export("controlTable", s.home().tables.ControlName)
	s.ctx.Export("conversationTable", s.home().tables.ContentName)
}
