package stacks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// faults collects what is wrong.
type faults struct{ all Faults }

func (f *faults) add(path, problem, hint string) {
	f.all = append(f.all, Fault{path, problem, hint})
}

// check adds a fault unless ok.
func (f *faults) check(ok bool, path, problem, hint string) {
	if !ok {
		f.add(path, problem, hint)
	}
}

var (
	accountPattern  = regexp.MustCompile(`^[0-9]{12}$`)
	modelPattern    = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)
	domainPattern   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,}|xn--[a-z0-9-]+)$`)
	bedrockPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9._:-]*$`)
	boundaryPattern = regexp.MustCompile(`^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$`)
)

// maxCertificateName is the longest name that ACM certifies.
// Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
const maxCertificateName = 64

// maxModelName keeps the names of inference profiles, which also hold a region
// and a suffix, within Bedrock's 64 characters.
const maxModelName = 28

// validate reports every fault of s.
func (s Settings) validate() Faults {
	var f faults
	f.check(s.Account == "" || accountPattern.MatchString(s.Account), "account",
		fmt.Sprintf("%q is not an account ID", s.Account), `give 12 digits in quotes, e.g. "123456789012"`)
	f.check(jurisdictions[s.Jurisdiction] != nil, "jurisdiction", unknown(s.Jurisdiction, "is not known"),
		"choose one of "+strings.Join(Jurisdictions(), ", "))
	s.validateRegions(&f)
	s.validateModels(&f)
	s.validateOffline(&f)
	s.validateDomain(&f)
	home := s.Conversations.Home
	f.check(home != "" && s.mayHave(home), "conversations.home",
		unknown(home, "is not one of the stack's regions"), "name the region that owns the tables"+oneOf(s.named()))
	tie := s.Conversations.TieBreaker
	f.check(tie == "" || len(s.Regions) == 2 && slices.Contains(s.regionNames(), tie), "conversations.tieBreaker",
		fmt.Sprintf("%q cannot break ties: there are none but between two regions", tie), "name one of the two regions of a stack, or leave it out")
	s.Auth.validate(&f)
	f.check(s.PermissionsBoundary == "" || boundaryPattern.MatchString(s.PermissionsBoundary), "permissionsBoundary",
		fmt.Sprintf("%q is not the ARN of a managed policy", s.PermissionsBoundary), "give arn:aws:iam::ACCOUNT:policy/NAME, or leave it out")
	s.validateLimits(&f)
	s.Rollout.validate(&f)
	s.validateFailover(&f)
	s.validateGuardrail(&f)
	s.validateFrontDoor(&f)
	s.validateTags(&f)
	return f.all
}

// regionNames are in the order of the settings.
func (s Settings) regionNames() []string {
	names := make([]string, len(s.Regions))
	for i, r := range s.Regions {
		names[i] = r.Name
	}
	return names
}

// named are the names of regions that have one, each once.
func (s Settings) named() []string {
	names := slices.DeleteFunc(s.regionNames(), func(name string) bool { return name == "" })
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// mayHave reports whether the stack has a region, or could: one of those without
// a name, of which that is said already.
func (s Settings) mayHave(region string) bool {
	names := s.regionNames()
	return len(names) == 0 || slices.Contains(names, region) || slices.Contains(names, "")
}

// unknown says of a value that it is none of those that it may be.
func unknown(value, problem string) string {
	if value == "" {
		return "missing"
	}
	return fmt.Sprintf("%q %s", value, problem)
}

// oneOf ends a hint by what to choose from, if that is known.
func oneOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", one of " + strings.Join(names, ", ")
}

func (s Settings) validateRegions(f *faults) {
	f.check(len(s.Regions) >= 2, "regions", fmt.Sprintf("%d region(s) given", len(s.Regions)),
		"list two at least: with one there is nowhere to fail over to")
	names := s.regionNames()
	allowed := jurisdictions[s.Jurisdiction]
	for i, r := range s.Regions {
		path := fmt.Sprintf("regions[%d]", i)
		switch {
		case r.Name == "":
			f.add(path+".name", "missing", "name a region of the jurisdiction")
		case slices.Index(names, r.Name) != i:
			f.add(path+".name", fmt.Sprintf("%q is listed twice", r.Name), "remove one")
		case allowed != nil && !slices.Contains(allowed, r.Name):
			f.add(path+".name", fmt.Sprintf("%q is outside jurisdiction %q", r.Name, s.Jurisdiction), "choose from "+strings.Join(allowed, ", "))
		}
		f.check(len(r.Failover) > 0, path+".failover", "no partner given", "list at least one other region of the stack, the DNS partner first")
		s.validatePartners(f, r, path+".failover")
	}
}

func (s Settings) validatePartners(f *faults, r Region, path string) {
	for j, partner := range r.Failover {
		at := fmt.Sprintf("%s[%d]", path, j)
		switch {
		case partner == "" || !s.mayHave(partner):
			f.add(at, unknown(partner, "is not one of the stack's regions"), "name another region of the stack"+oneOf(s.named()))
		case partner == r.Name:
			f.add(at, fmt.Sprintf("%q is its own partner", partner), "name another region of the stack")
		case slices.Index(r.Failover, partner) != j:
			f.add(at, fmt.Sprintf("%q is listed twice", partner), "remove one")
		}
	}
}

func (s Settings) validateModels(f *faults) {
	f.check(len(s.Models) > 0, "models", "no model given", "list at least one, e.g. {name: claude-sonnet, profile: …}")
	seen := map[string]int{}
	for i, m := range s.Models {
		path := fmt.Sprintf("models[%d]", i)
		f.check(modelPattern.MatchString(m.Name) && len(m.Name) <= maxModelName, path+".name", fmt.Sprintf("%q is not a model name", m.Name),
			fmt.Sprintf("use up to %d lower-case letters and digits, separated by . _ or -", maxModelName))
		// Resource names allow no dot, so names must differ without it.
		slug := strings.ReplaceAll(m.Name, ".", "-")
		if first, clash := seen[slug]; clash {
			f.add(path+".name", fmt.Sprintf("%q clashes with %q of models[%d]", m.Name, s.Models[first].Name, first), "rename one; dots and dashes count as the same")
		}
		seen[slug] = i
		f.check((m.Profile == "") != (m.Model == ""), path, "needs either profile or model, and not both",
			"give the ID of a cross-region profile, or of a model that every region offers")
		f.checkID(path+".profile", m.Profile)
		f.checkID(path+".model", m.Model)
	}
}

// checkID checks the ID of a profile or a model, if it is given.
func (f *faults) checkID(path, id string) {
	f.check(id == "" || bedrockPattern.MatchString(id) && !strings.HasPrefix(id, "arn:"), path, fmt.Sprintf("%q is not an ID of Bedrock's", id),
		"give it bare, as in eu.amazon.nova-pro-v1:0: an ARN is of one region")
}

func (s Settings) validateDomain(f *faults) {
	d := s.Domain
	if d == nil {
		return
	}
	f.check(domainPattern.MatchString(d.Name), "domain.name", fmt.Sprintf("%q is not a domain name", d.Name), "give a lower-case name such as eu.llm.example.com")
	f.check(domainPattern.MatchString(d.Zone), "domain.zone", fmt.Sprintf("%q is not a domain name", d.Zone), "give the name of a public hosted zone of the account")
	f.check(d.Name == d.Zone || strings.HasSuffix(d.Name, "."+d.Zone), "domain.name", fmt.Sprintf("%q is not under zone %q", d.Name, d.Zone),
		"choose the zone's name or one that ends in it")
	f.check(len(d.Name) <= maxCertificateName, "domain.name", fmt.Sprintf("%q is longer than %d characters", d.Name, maxCertificateName),
		"choose a shorter name: a certificate has room for no more")
}
