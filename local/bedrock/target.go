package bedrock

import (
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// target is what a model identifier means in one source region.
type target struct {
	arn          string // of what the caller named
	profile      bool   // arn is a profile, not a model
	system       string // ARN of the system profile that an application profile was copied from
	name         string
	model        model
	source       string
	destinations []string // regions that may serve, the source first
	global       bool     // the destinations are a sample: AWS may choose any region
}

// resolve finds what id, an ARN or an ID, means when called in region.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-use.html
func (s *Service) resolve(region, id string) (target, error) {
	if !strings.HasPrefix(id, "arn:") {
		return resolveID(region, id)
	}
	parts := strings.SplitN(id, ":", 6)
	if len(parts) != 6 || parts[1] != cloud.Partition || parts[2] != "bedrock" || parts[3] != region {
		return target{}, invalidIdentifier(region, id)
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	own := parts[4] == cloud.Account
	switch {
	case kind == "application-inference-profile" && own:
		return s.applicationProfile(id)
	case kind == "inference-profile" && own:
		if t, ok := systemProfile(region, name); ok {
			return t, nil
		}
	case kind == "foundation-model" && parts[4] == "":
		return foundationModel(region, name)
	}
	return target{}, invalidIdentifier(region, id)
}

func resolveID(region, id string) (target, error) {
	if t, ok := systemProfile(region, id); ok {
		return t, nil
	}
	return foundationModel(region, id)
}

func (s *Service) applicationProfile(arn string) (target, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.profiles[arn]
	if !ok {
		return target{}, cloud.Refuse("ResourceNotFoundException", "The inference profile %s was not found.", arn)
	}
	return p.target, nil
}

func systemProfile(source, id string) (target, bool) {
	prefix, modelID, _ := strings.Cut(id, ".")
	m, _ := findModel(modelID)
	r, ok := m.findRoute(prefix, source)
	if !ok {
		return target{}, false
	}
	t := target{
		arn:          cloud.ARN("bedrock", source, "inference-profile/"+id),
		profile:      true,
		name:         strings.ToUpper(prefix) + " " + m.name,
		model:        m,
		source:       source,
		destinations: []string{source},
		global:       prefix == "global",
	}
	reach := r.destinations
	if t.global {
		reach = r.sources
	}
	for _, d := range strings.Fields(reach) {
		if d != source {
			t.destinations = append(t.destinations, d)
		}
	}
	return t, true
}

func foundationModel(region, id string) (target, error) {
	m, ok := findModel(id)
	if !ok {
		return target{}, invalidIdentifier(region, id)
	}
	if !contains(m.onDemand, region) {
		return target{}, cloud.Refuse("ValidationException", "Invocation of model ID %s with on-demand throughput isn’t supported. "+
			"Retry your request with the ID or ARN of an inference profile that contains this model.", id)
	}
	return target{arn: modelARN(region, id), name: m.name, model: m, source: region, destinations: []string{region}}, nil
}

func invalidIdentifier(region, id string) error {
	return cloud.Refuse("ValidationException", "The provided model identifier is invalid. %q names nothing in %s.", id, region)
}

func modelARN(region, id string) string {
	return strings.Join([]string{"arn", cloud.Partition, "bedrock", region, "", "foundation-model/" + id}, ":")
}

// modelRegions are the region fields of the model ARNs behind t. The empty one
// of a global profile stands for any region.
func (t target) modelRegions() []string {
	if t.global {
		return []string{"", t.source}
	}
	return t.destinations
}

// authorize asks for every permission that a call of t needs; one denied
// destination denies the call. The model of a region is checked as a request to
// that region, which is why a policy that denies regions breaks calls elsewhere.
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
// and https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
func (s *Service) authorize(c cloud.Caller, action string, t target) error {
	if t.profile {
		if err := s.cfg.IAM.Authorize(c, action, t.arn, keys(t.source, "")); err != nil {
			return err
		}
	}
	profile := ""
	switch {
	case t.system != "" && s.cfg.Readings.ConditionIsSystemProfile:
		profile = t.system
	case t.profile:
		profile = t.arn
	}
	if t.system != "" && !s.cfg.Readings.SystemProfileNotNeeded {
		if err := s.cfg.IAM.Authorize(c, action, t.system, keys(t.source, profile)); err != nil {
			return err
		}
	}
	for _, region := range t.modelRegions() {
		if err := s.cfg.IAM.Authorize(c, action, modelARN(region, t.model.id), keys(region, profile)); err != nil {
			return err
		}
	}
	return nil
}

// keys are the condition keys of one check.
func keys(region, profile string) cloud.Keys {
	if region == "" {
		region = "unspecified"
	}
	k := cloud.Keys{"aws:RequestedRegion": {region}}
	if profile != "" {
		k["bedrock:InferenceProfileArn"] = []string{profile}
	}
	return k
}
