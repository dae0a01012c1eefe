// Package acm stands in for AWS Certificate Manager: it keeps public
// certificates and issues them once their validation records are in DNS. There
// are no keys behind them, since the embedded cloud speaks plain HTTP.
//
// It refuses validation by e-mail, imported and private certificates.
package acm

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// maxNames is the default quota of names on one certificate.
// Source: https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
const maxNames = 10

// Longest names in octets: the first name becomes the certificate's common name,
// which RFC 5280 keeps shorter than the alternative names.
// Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
const (
	maxCommonName = 64
	maxName       = 253
)

// DNS is the public DNS in which validation records are looked up;
// local/route53 implements it.
type DNS interface {
	// HasCNAME reports whether name is a CNAME of value. Trailing dots and case
	// do not matter.
	HasCNAME(name, value string) bool
}

// Users are what certificates are served with; local/apigateway implements it.
type Users interface {
	// UsesCertificate reports whether something is served with it.
	UsesCertificate(arn string) bool
}

// Service is ACM in every region.
type Service struct {
	dns DNS

	mu           sync.Mutex
	users        Users                   // nil before UseUsers
	certificates map[string]*certificate // by ARN
}

type certificate struct {
	region string
	names  []string
	issued bool
}

// New returns a service without certificates.
func New(dns DNS) *Service {
	return &Service{dns: dns, certificates: map[string]*certificate{}}
}

// UseUsers says who serves certificates. It exists because they need ACM.
func (s *Service) UseUsers(u Users) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = u
}

// Resources lists the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:acm/certificate:Certificate", s.create, s.update, s.delete),
		cloud.DefineResource("aws:acm/certificateValidation:CertificateValidation", s.validate, nil, s.forget),
	}
}

type certificateInputs struct {
	DomainName       string            `json:"domainName" change:"replace"`
	ValidationMethod string            `json:"validationMethod,omitempty" change:"replace"`
	AlternativeNames []string          `json:"subjectAlternativeNames,omitempty" change:"replace"`
	KeyAlgorithm     string            `json:"keyAlgorithm,omitempty" change:"replace"`
	Options          *optionInputs     `json:"options,omitempty"`
	Tags             map[string]string `json:"tags,omitempty"`
}

type optionInputs struct {
	TransparencyLogging string `json:"certificateTransparencyLoggingPreference,omitempty"`
}

var name = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}$`)

func (in *certificateInputs) check(names []string) error {
	switch {
	case in.ValidationMethod != "DNS":
		return invalid("validationMethod %q is not supported by the embedded cloud: use DNS", in.ValidationMethod)
	case !slices.Contains([]string{"", "RSA_2048", "EC_prime256v1", "EC_secp384r1"}, in.KeyAlgorithm):
		return invalid("keyAlgorithm %q cannot be requested: use RSA_2048, EC_prime256v1 or EC_secp384r1", in.KeyAlgorithm)
	case in.Options != nil && !slices.Contains([]string{"", "ENABLED", "DISABLED"}, in.Options.TransparencyLogging):
		return invalid("certificateTransparencyLoggingPreference %q is neither ENABLED nor DISABLED", in.Options.TransparencyLogging)
	case len(names) > maxNames:
		return cloud.Refuse("LimitExceededException", "%d names on one certificate, over the quota of %d", len(names), maxNames)
	case len(in.DomainName) > maxCommonName:
		return invalid("domainName %q has %d octets, over the %d of a common name: "+
			"put a shorter name first and this one into subjectAlternativeNames", in.DomainName, len(in.DomainName), maxCommonName)
	}
	for _, n := range names {
		if !name.MatchString(n) || len(n) > maxName {
			return invalid("domain name %q is not valid", n)
		}
	}
	return nil
}

func (s *Service) create(_ context.Context, r cloud.Request[certificateInputs]) (cloud.State, error) {
	names := []string{r.In.DomainName}
	for _, n := range r.In.AlternativeNames {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if err := r.In.check(names); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := r.Digits(32, "certificate")
	arn := cloud.ARN("acm", r.Region, "certificate/"+strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-"))
	s.certificates[arn] = &certificate{region: r.Region, names: names}
	options := make([]any, len(names))
	for i, n := range names {
		record, value := validationRecord(n)
		options[i] = map[string]any{
			"domainName": n, "resourceRecordName": record, "resourceRecordType": "CNAME", "resourceRecordValue": value,
		}
	}
	return cloud.State{ID: arn, Outputs: map[string]any{
		"arn": arn, "domainName": r.In.DomainName, "subjectAlternativeNames": names, "status": "PENDING_VALIDATION",
		"type": "AMAZON_ISSUED", "validationMethod": "DNS", "domainValidationOptions": options,
	}}, nil
}

// update changes options and tags, of which nothing here depends.
func (s *Service) update(_ context.Context, r cloud.Request[certificateInputs]) (cloud.State, error) {
	return cloud.State{}, r.In.check(nil)
}

// delete refuses while something is served with the certificate.
// Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html
func (s *Service) delete(_ context.Context, r cloud.Request[certificateInputs]) error {
	s.mu.Lock()
	users := s.users
	s.mu.Unlock()
	if users != nil && users.UsesCertificate(r.ID) {
		return cloud.Refuse("ResourceInUseException", "Certificate %s is in use", r.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.certificates, r.ID)
	return nil
}

// validationRecord is the record that proves control over a name. It depends on
// the account and the name alone: every region, and the wildcard under the name,
// ask for the same one.
// Source: https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
func validationRecord(name string) (record, value string) {
	base := strings.ToLower(strings.TrimPrefix(name, "*."))
	token := cloud.ID(64, "validation", cloud.Account, base)
	return "_" + token[:32] + "." + base + ".", "_" + token[32:] + "." + cloud.ID(10, "acm", base) + ".acm-validations.aws."
}

type validationInputs struct {
	CertificateARN string   `json:"certificateArn"`
	RecordFQDNs    []string `json:"validationRecordFqdns,omitempty"`
}

func (s *Service) validate(_ context.Context, r cloud.Request[validationInputs]) (cloud.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(r.In.CertificateARN, r.Region)
	if err != nil {
		return cloud.State{}, err
	}
	for _, n := range c.names {
		record, value := validationRecord(n)
		if r.In.RecordFQDNs != nil && !slices.ContainsFunc(r.In.RecordFQDNs, func(f string) bool { return sameName(f, record) }) {
			return cloud.State{}, invalid("validationRecordFqdns lacks %s, the validation record of %s", record, n)
		}
		if !s.dns.HasCNAME(record, value) {
			return cloud.State{}, invalid("certificate %s would stay pending: %s needs the record %s CNAME %s", r.In.CertificateARN, n, record, value)
		}
	}
	c.issued = true
	return cloud.State{ID: r.In.CertificateARN}, nil
}

// forget does nothing: a validation is no thing of its own, and what was issued
// stays issued.
func (s *Service) forget(context.Context, cloud.Request[validationInputs]) error { return nil }

func (s *Service) find(arn, region string) (*certificate, error) {
	c, ok := s.certificates[arn]
	if !ok || c.region != region {
		return nil, cloud.Refuse("ResourceNotFoundException", "Could not find certificate %s in %s", arn, region)
	}
	return c, nil
}

// Issued returns an error unless the certificate exists in the region, is
// issued, and covers the domain, which may itself be a wildcard.
func (s *Service) Issued(arn, region, domain string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(arn, region)
	if err != nil {
		return err
	}
	if !c.issued {
		return invalid("certificate %s is pending validation: wait for its CertificateValidation", arn)
	}
	_, parent, _ := strings.Cut(domain, ".")
	for _, n := range c.names {
		if strings.EqualFold(n, domain) || strings.EqualFold(n, "*."+parent) {
			return nil
		}
	}
	return invalid("certificate %s covers %s, not %s", arn, strings.Join(c.names, ", "), domain)
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

func invalid(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("ValidationException", format, args...)
}
