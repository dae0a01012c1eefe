package stacks

import (
	"errors"
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
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Program is the whole Pulumi program; main only hands it to pulumi.Run.
func Program(ctx *pulumi.Context) error {
	root, err := rootDirectory(ctx)
	if err != nil {
		return err
	}
	return program(ctx, root)
}

// ProgramIn is [Program] for an engine that names no project folder to it, as
// the Automation API's does not.
func ProgramIn(root string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error { return program(ctx, root) }
}

func program(ctx *pulumi.Context, root string) error {
	settings, err := LoadSettings(ctx)
	if err != nil {
		return err
	}
	platform, err := loadPlatform(ctx)
	if err != nil {
		return err
	}
	zips, err := invoker.Build(ctx.Context(), filepath.Join(root, ".build"), platform)
	if err != nil {
		return err
	}
	if err := ctx.RegisterStackTransformation(tagComponent); err != nil {
		return err
	}
	canary, err := loadCanary(ctx)
	if err != nil {
		return err
	}
	s := &stack{ctx: ctx, settings: settings, platform: platform, canary: canary, zips: zips, regions: map[string]*region{}, zones: map[string]string{}}
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
	canary   canary
	zips     invoker.Zips
	regions  map[string]*region
	zones    map[string]string // ID by name

	routing   *routing.GlobalRouting // nil without a domain
	dashboard *observability.Dashboard
	warnings  []string // sentences, collected on the way

	owner *inference.Owner // of profiles in regions that are offline; nil without any

	quotaReadings readings // none where the capacity check is off
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
	firewall  *gateway.WebACL // nil without one
}

// deploy registers the stack, in steps that each cover every region: functions
// need the profiles of partner regions, keys the roles that use them, and
// replicas the home region's table.
func (s *stack) deploy() error {
	for _, step := range []func() error{
		s.newProviders, s.checkOffline, s.checkDeployers, s.checkHome, s.checkCopies, s.findZones, s.newProfiles, s.checkCapacity, s.newRoles, s.newKeys, s.newTables, s.newAPIs, s.newRouting,
		s.newObservability, s.warn,
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
		if r.Offline {
			leaveAlone(args)
		}
		provider, err := aws.NewProvider(s.ctx, r.Name, args)
		if err != nil {
			return fmt.Errorf("provider of %s: %w", r.Name, err)
		}
		s.regions[r.Name] = &region{Region: r, provider: provider}
	}
	return nil
}

func (s *stack) newProfiles() error {
	models := make([]inference.Model, len(s.settings.Models))
	for i, m := range s.settings.Models {
		models[i] = inference.Model{Name: m.Name, Profile: m.Profile, ID: m.Model, Setting: fmt.Sprintf("models[%d]", i)}
	}
	// Every region is asked, so that all faults are reported at once.
	var faults []error
	err := s.each(func(r *region) (err error) {
		args := &inference.ProfilesArgs{
			Region: r.Name, Jurisdiction: s.settings.Jurisdiction, Allowed: JurisdictionRegions(s.settings.Jurisdiction),
			AllowGlobal: Unbounded(s.settings.Jurisdiction), Models: models,
		}
		if r.Offline {
			args.Offline = s.owner
		}
		if g, ok := s.settings.Guardrail[r.Name]; ok {
			args.Guardrail = &inference.Guardrail{ID: g.ID, Version: g.Version, Profile: g.Profile}
		}
		r.profiles, err = inference.NewProfiles(s.ctx, r.Name+"-inference", args, pulumi.Provider(r.provider))
		if err != nil {
			faults = append(faults, err)
			return nil
		}
		s.warnings = append(s.warnings, r.profiles.Differences...)
		return nil
	})
	return errors.Join(append(faults, err)...)
}

// checkHome refuses another home than the one the tables were created in, which
// every region that has them can tell. A region that does not answer is a
// warning: the next may know.
func (s *stack) checkHome() error {
	home := s.settings.Conversations.Home
	return s.eachOnline(func(r *region) error {
		deployed, err := conversation.DeployedHome(s.ctx, s.ctx.Stack(), pulumi.Provider(r.provider))
		if err != nil {
			s.warnings = append(s.warnings, fmt.Sprintf("whether the tables have another home was not checked in %s: allow tag:GetResources there", r.Name))
			return s.ctx.Log.Debug(err.Error(), nil)
		}
		if deployed != "" && deployed != home {
			return Faults{{"conversations.home", fmt.Sprintf("%q is not the home that the tables were created in, %q", home, deployed),
				"keep that home: another would replace the tables and lose what they hold; docs/operations.md says how to move"}}
		}
		return nil
	})
}

func (s *stack) newTables() error {
	newTables := func(r *region, home *conversation.Tables) (err error) {
		r.tables, err = conversation.NewTables(s.ctx, r.Name+"-conversation", &conversation.TablesArgs{
			Home: home, Stack: s.ctx.Stack(), HomeRegion: s.home().Name, KeyArn: r.key.Arn, RecoveryDays: s.settings.Conversations.RecoveryPeriodInDays, Protect: s.settings.protect(),
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

// warn says what an operator should look at; pipelines read it as an output.
func (s *stack) warn() error {
	for _, w := range s.warnings {
		if err := s.ctx.Log.Warn(w, nil); err != nil {
			return err
		}
	}
	return nil
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
	s.ctx.Export("warnings", pulumi.ToStringArray(s.warnings))
	s.ctx.Export("residency", pulumi.String(s.residency().Markdown()))
	s.ctx.Export("dashboard", s.dashboard.URL)
	s.ctx.Export("controlTable", s.home().tables.ControlName)
	s.ctx.Export("conversationTable", s.home().tables.ContentName)
	s.ctx.Export("recoveryPeriodInDays", pulumi.Int(s.recoveryDays()))
	s.ctx.Export("operatorPolicy", s.operatorPolicy())
}
