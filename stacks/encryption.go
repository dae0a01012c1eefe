package stacks

import (
	"slices"

	"github.com/crossregion/crossregion/components/encryption"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newRoles registers what every function runs as, before the keys that name
// some of them.
func (s *stack) newRoles() error {
	return s.each(func(r *region) (err error) {
		r.roles = map[string]*invoker.Role{}
		for _, function := range s.functions() {
			r.roles[function], err = invoker.NewRole(s.ctx, r.Name+"-"+function+"-role", &invoker.RoleArgs{
				PermissionsBoundary: s.settings.PermissionsBoundary,
			}, pulumi.Provider(r.provider))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// newKeys registers a key in each region. Its users are the health function of
// the region, the authorizers that read API keys there, and all invokers, which keep conversations in every region.
func (s *stack) newKeys() error {
	return s.each(func(r *region) (err error) {
		r.key, err = encryption.NewKey(s.ctx, r.Name+"-encryption", &encryption.KeyArgs{
			Witness: s.witness(), Region: r.Name, Regions: s.settings.regionNames(), Protect: s.settings.protect(), Operators: s.settings.Deployers,
			Roles: s.readers(r),
		}, pulumi.Provider(r.provider))
		return err
	})
}

func (s *stack) readers(r *region) pulumi.StringArray {
	roles := pulumi.StringArray{r.roles[contract.FunctionHealth].Arn}
	for _, name := range s.settings.regionNames() {
		roles = append(roles, s.regions[name].roles[contract.FunctionInvoker].Arn)
		authorizer := s.regions[name].roles[contract.FunctionAuthorizer]
		if authorizer != nil && s.settings.Auth.oidc() == nil && slices.Contains(s.targets(s.regions[name]), r.Name) {
			roles = append(roles, authorizer.Arn)
		}
	}
	return roles
}
