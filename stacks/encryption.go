package stacks

import (
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
		for _, function := range []string{contract.FunctionInvoker, contract.FunctionHealth, contract.FunctionAuthorizer} {
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

// newKeys registers a key in each region. The invoker is not among its users:
// it touches no table.
func (s *stack) newKeys() error {
	return s.each(func(r *region) (err error) {
		r.key, err = encryption.NewKey(s.ctx, r.Name+"-encryption", &encryption.KeyArgs{
			Region: r.Name, Regions: s.settings.regionNames(), Protect: s.settings.protect(), Operators: s.settings.Deployers,
			Roles: pulumi.StringArray{r.roles[contract.FunctionHealth].Arn, r.roles[contract.FunctionAuthorizer].Arn},
		}, pulumi.Provider(r.provider))
		return err
	})
}
