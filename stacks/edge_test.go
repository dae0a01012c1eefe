package stacks_test

import (
	"errors"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/stacks"
	"github.com/stretchr/testify/assert"
)

// TestAMissingZoneSaysWhatToDo: which setting named it, and that it has to be
// there before.
func TestAMissingZoneSaysWhatToDo(t *testing.T) {
	stack := load(t, "eu")
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
		s["frontDoor"] = map[string]any{"name": "llm.example.org", "zone": "example.org", "locations": []any{"DE"}}
	})
	for name, setting := range map[string]string{"example.com": "domain.zone", "example.org": "frontDoor.zone"} {
		t.Run(name, func(t *testing.T) {
			answers := calls(inJurisdiction)
			found := answers["aws:route53/getZone:getZone"]
			answers["aws:route53/getZone:getZone"] = func(region string, args map[string]any) (map[string]any, error) {
				if args["name"] == name {
					return nil, errors.New("no matching Route 53 Hosted Zone found")
				}
				return found(region, args)
			}
			rec := componenttest.New(answers)
			err := rec.Run(stacks.Program, as(stack))
			assert.ErrorContains(t, err, "hosted zone "+name+": ")
			assert.ErrorContains(t, err, "create it in this account, or correct "+setting+" in the settings")
			assert.Len(t, rec.Registrations(), len(rec.Of("pulumi:providers:aws")), "nothing but providers was registered")
		})
	}
}
