package acm_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/acm"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dns holds CNAME records.
type dns map[string]string

func (d dns) HasCNAME(name, value string) bool { return value != "" && d[name] == value }

type object = map[string]any

func create(t *testing.T, s *acm.Service, region, token string, inputs object) (cloud.State, error) {
	t.Helper()
	for _, r := range s.Resources() {
		if r.Token == token {
			return r.Create(t.Context(), region, "cert", inputs)
		}
	}
	t.Fatalf("no resource type %s", token)
	return cloud.State{}, nil
}

const (
	certificate = "aws:acm/certificate:Certificate"
	validation  = "aws:acm/certificateValidation:CertificateValidation"
)

func request(t *testing.T, s *acm.Service, region string) (arn string, options []any) {
	t.Helper()
	state, err := create(t, s, region, certificate, object{
		"domainName": "api.example.com", "validationMethod": "DNS", "subjectAlternativeNames": []any{"*.api.example.com", "api.example.com"},
	})
	require.NoError(t, err)
	assert.Equal(t, "PENDING_VALIDATION", state.Outputs["status"])
	return state.ID, state.Outputs["domainValidationOptions"].([]any)
}

func publish(d dns, options []any) {
	for _, o := range options {
		d[o.(object)["resourceRecordName"].(string)] = o.(object)["resourceRecordValue"].(string)
	}
}

func TestCertificateRefuses(t *testing.T) {
	long := make([]any, 10)
	for i := range long {
		long[i] = string(rune('a'+i)) + ".example.com"
	}
	tests := []struct {
		name string
		edit object
		want string
	}{
		{"a common name of 65 octets", object{"domainName": nameOf(65)}, "has 65 octets, over the 64 of a common name"},
		{"an alternative name of 254 octets", object{"subjectAlternativeNames": []any{nameOf(254)}}, "is not valid"},
		{"validation by e-mail", object{"validationMethod": "EMAIL"}, "use DNS"},
		{"no validation", object{"validationMethod": nil}, "use DNS"},
		{"a name that is none", object{"domainName": "example"}, `domain name "example" is not valid`},
		{"a wildcard in the middle", object{"subjectAlternativeNames": []any{"a.*.example.com"}}, "is not valid"},
		{"eleven names", object{"subjectAlternativeNames": long}, "LimitExceededException: 11 names"},
		{"an algorithm that can only be imported", object{"keyAlgorithm": "RSA_4096"}, "cannot be requested"},
		{"an unknown logging preference", object{"options": object{"certificateTransparencyLoggingPreference": "OFF"}}, "neither ENABLED"},
		{"an imported certificate", object{"certificateBody": "x"}, `does not know property "certificateBody"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inputs := object{"domainName": "api.example.com", "validationMethod": "DNS"}
			for k, v := range tt.edit {
				inputs[k] = v
			}
			_, err := create(t, acm.New(dns{}), "eu-west-1", certificate, inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// nameOf returns a domain name of n octets, at least 60.
func nameOf(n int) string {
	rest := n - len(".example.com")
	var labels strings.Builder
	for ; rest > 63; rest -= 48 {
		labels.WriteString(strings.Repeat("a", 47) + ".")
	}
	return labels.String() + strings.Repeat("b", rest) + ".example.com"
}

func TestCertificateTakesTheLongestNames(t *testing.T) {
	common, alternative := nameOf(64), nameOf(253)
	require.Len(t, common, 64)
	require.Len(t, alternative, 253)
	state, err := create(t, acm.New(dns{}), "eu-west-1", certificate, object{
		"domainName": common, "validationMethod": "DNS", "subjectAlternativeNames": []any{alternative},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{common, alternative}, state.Outputs["subjectAlternativeNames"])
}

func TestOneRecordValidatesANameItsWildcardAndAllRegions(t *testing.T) {
	s := acm.New(dns{})
	ireland, here := request(t, s, "eu-west-1")
	frankfurt, there := request(t, s, "eu-central-1")
	assert.NotEqual(t, ireland, frankfurt)
	assert.Equal(t, here, there)
	require.Len(t, here, 2, "one option for each name")
	name, wildcard := here[0].(object), here[1].(object)
	assert.Equal(t, "api.example.com", name["domainName"])
	assert.Equal(t, "*.api.example.com", wildcard["domainName"])
	assert.Regexp(t, `^_[0-9a-f]{32}\.api\.example\.com\.$`, name["resourceRecordName"])
	assert.Regexp(t, `^_[0-9a-f]{32}\.[0-9a-f]{10}\.acm-validations\.aws\.$`, name["resourceRecordValue"])
	assert.Equal(t, "CNAME", name["resourceRecordType"])
	assert.Equal(t, name["resourceRecordName"], wildcard["resourceRecordName"])
	assert.Equal(t, name["resourceRecordValue"], wildcard["resourceRecordValue"])
}

func TestValidationNeedsItsRecords(t *testing.T) {
	records := dns{}
	s := acm.New(records)
	arn, options := request(t, s, "eu-west-1")
	_, err := create(t, s, "eu-west-1", validation, object{"certificateArn": arn})
	assert.ErrorContains(t, err, "api.example.com needs the record _")
	assert.ErrorContains(t, s.Issued(arn, "eu-west-1", "api.example.com"), "pending validation")
	publish(records, options)
	_, err = create(t, s, "eu-west-1", validation, object{"certificateArn": arn, "validationRecordFqdns": []any{"_x.example.com"}})
	assert.ErrorContains(t, err, "validationRecordFqdns lacks")
	_, err = create(t, s, "us-east-1", validation, object{"certificateArn": arn})
	assert.ErrorContains(t, err, "ResourceNotFoundException")
	fqdn := options[0].(object)["resourceRecordName"].(string)
	state, err := create(t, s, "eu-west-1", validation, object{
		"certificateArn": arn, "validationRecordFqdns": []any{fqdn[:len(fqdn)-1]},
	})
	require.NoError(t, err)
	assert.Equal(t, arn, state.ID)
	assert.NoError(t, s.Issued(arn, "eu-west-1", "api.example.com"))
}

func TestIssued(t *testing.T) {
	records := dns{}
	s := acm.New(records)
	arn, options := request(t, s, "eu-west-1")
	publish(records, options)
	_, err := create(t, s, "eu-west-1", validation, object{"certificateArn": arn})
	require.NoError(t, err)
	tests := []struct{ name, arn, region, domain, want string }{
		{"the name", arn, "eu-west-1", "api.example.com", ""},
		{"one label under the wildcard", arn, "eu-west-1", "eu.api.example.com", ""},
		{"the wildcard itself", arn, "eu-west-1", "*.api.example.com", ""},
		{"two labels under the wildcard", arn, "eu-west-1", "a.b.api.example.com", "not a.b.api.example.com"},
		{"another name", arn, "eu-west-1", "www.example.com", "covers api.example.com, *.api.example.com"},
		{"a wildcard of another name", arn, "eu-west-1", "*.example.com", "not *.example.com"},
		{"another region", arn, "us-east-1", "api.example.com", "Could not find certificate"},
		{"no certificate", "arn:x", "eu-west-1", "api.example.com", "Could not find certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := s.Issued(tt.arn, tt.region, tt.domain)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
