package inference

import (
	"errors"
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/contract"
)

// Owner is the account that a region's profiles belong to.
type Owner struct {
	Partition string // e.g. "aws"; required
	Account   string // required
}

func (o *Owner) validate() error {
	if o != nil && (o.Partition == "" || o.Account == "") {
		return errors.New("a region that is offline needs the partition and the account of Offline")
	}
	return nil
}

// recall answers from the catalogue what AWS would answer in a region that
// cannot be asked. It refuses a profile that the catalogue does not list there:
// nothing else would say where it may process.
func (o *Owner) recall(region string, m Model) (source, error) {
	if m.ID != "" {
		arn := o.model(region, m.ID)
		return source{name: m.ID, region: region, arn: arn, models: []string{arn}, embeds: contract.Embeds(m.ID)}, nil
	}
	destinations, known := lookIn(catalogue, m.Profile, region)
	if !known {
		return source{}, fmt.Errorf("profile %s in %s: the region is offline, and the catalogue of %s does not say where it routes from there: "+
			"wait for the region, take it from the stack, or add the profile's destinations to the catalogue from the model's card", m.Profile, region, catalogueDate)
	}
	s := source{
		name: m.Profile, region: region, system: true,
		arn: fmt.Sprintf("arn:%s:bedrock:%s:%s:inference-profile/%s", o.Partition, region, o.Account, m.Profile),
	}
	_, base, _ := strings.Cut(m.Profile, ".")
	for _, destination := range destinations {
		s.models = append(s.models, o.model(destination, base))
	}
	return s, nil
}

func (o *Owner) model(region, id string) string {
	return fmt.Sprintf("arn:%s:bedrock:%s::foundation-model/%s", o.Partition, region, id)
}
