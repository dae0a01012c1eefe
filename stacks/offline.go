package stacks

import (
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/components/inference"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func (s Settings) validateOffline(f *faults) {
	online := 0
	for i, r := range s.Regions {
		path := fmt.Sprintf("regions[%d].offline", i)
		if !r.Offline {
			online++
			continue
		}
		for j, m := range s.Models {
			f.check(!strings.HasPrefix(m.Profile, "global."), path, fmt.Sprintf("models[%d] has a global profile, which no catalogue can hold", j),
				"wait for the region, or take it from the stack")
		}
	}
	f.check(online > 0 || len(s.Regions) == 0, "regions", "all are offline", "leave at least one that can be changed")
}

// witness is the provider that is asked for what is the same in every region:
// the home's, or the first that answers.
func (s *stack) witness() *aws.Provider {
	if !s.home().Offline {
		return s.home().provider
	}
	for _, r := range s.settings.Regions {
		if !r.Offline {
			return s.regions[r.Name].provider
		}
	}
	return s.home().provider
}

// eachOnline calls f for every region that can be asked.
func (s *stack) eachOnline(f func(*region) error) error {
	return s.each(func(r *region) error {
		if r.Offline {
			return nil
		}
		return f(r)
	})
}

// leaveAlone keeps a provider of a region that is offline from asking the region
// who it is: it is configured even if nothing of it is changed.
func leaveAlone(args *aws.ProviderArgs) {
	args.SkipCredentialsValidation = pulumi.Bool(true)
	args.SkipRequestingAccountId = pulumi.Bool(true)
	// It would be compared with the account that was not asked for.
	args.AllowedAccountIds = nil
}

// checkOffline warns of regions that are left alone, and finds out what stands
// for them.
func (s *stack) checkOffline() error {
	for _, r := range s.settings.Regions {
		if !r.Offline {
			continue
		}
		s.warnings = append(s.warnings, fmt.Sprintf("%s is offline: nothing is asked there, and destinations of its profiles come from the catalogue; "+
			"change the stack with go run ./rollout, which leaves the region alone, and not with a plain pulumi up", r.Name))
		if s.owner != nil {
			continue
		}
		caller, err := aws.GetCallerIdentity(s.ctx, nil, pulumi.Provider(s.witness()))
		if err != nil {
			return fmt.Errorf("find out whose account it is: %w", err)
		}
		partition := strings.SplitN(caller.Arn, ":", 3)[1]
		s.owner = &inference.Owner{Partition: partition, Account: caller.AccountId}
	}
	return nil
}
