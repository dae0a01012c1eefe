package iam_test

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4"
	"github.com/aws/smithy-go/aws-http-auth/sigv4a"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unsigned is a request for a name that all regions share.
func unsigned(t *testing.T) (*http.Request, []byte) {
	t.Helper()
	body := []byte(`{"model":"claude"}`)
	r, err := http.NewRequest(http.MethodPost, "https://llm.example.com/v1/chat/completions?b=2&a=%2F", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	return r, body
}

func sign4A(t *testing.T, c iam.Credentials, r *http.Request, body []byte, regions ...string) {
	t.Helper()
	sum := sha256.Sum256(body)
	require.NoError(t, sigv4a.New().SignRequest(&sigv4a.SignRequestInput{
		Request: r, PayloadHash: sum[:], Service: "execute-api", RegionSet: regions, Time: time.Now(),
		Credentials: credentials.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken},
	}))
}

func caller(t *testing.T) (*iam.Service, iam.Credentials) {
	s := iam.New(cloud.RealClock(0))
	c, err := s.Issue(createRole(t, s, "reports"), "eu-west-1", "run")
	require.NoError(t, err)
	return s, c
}

func TestSignatureForSeveralRegions(t *testing.T) {
	s, _ := caller(t)
	tests := []struct {
		name string
		set  []string
		want bool
	}{
		{"the regions of a stack", []string{"eu-west-1", "eu-central-1"}, true},
		{"all regions", []string{"*"}, true},
		{"all of a continent", []string{"eu-*"}, true},
		{"other regions", []string{"eu-central-1", "us-*"}, false},
		{"a region that begins like it", []string{"eu-west-10"}, false},
		{"no region", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Different keys, since each derives a key pair of its own.
			for range 8 {
				c, err := s.Issue("arn:aws:iam::123456789012:role/reports", "eu-west-1", "run")
				require.NoError(t, err)
				r, body := unsigned(t)
				sign4A(t, c, r, body, tt.set...)
				signer, err := s.VerifyIn("eu-west-1", r, body)
				if !tt.want {
					requireCode(t, err, "InvalidSignatureException", http.StatusForbidden)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, iam.Signer{
					Caller:  cloud.Caller{ARN: "arn:aws:sts::123456789012:assumed-role/reports/run", Role: "reports", Home: "eu-west-1", Region: "eu-west-1"},
					Service: "execute-api", KeyID: c.AccessKeyID,
				}, signer)
			}
		})
	}
}

func TestSignatureForOneRegion(t *testing.T) {
	s, c := caller(t)
	r, body := unsigned(t)
	sum := sha256.Sum256(body)
	require.NoError(t, sigv4.New().SignRequest(&sigv4.SignRequestInput{
		Request: r, PayloadHash: sum[:], Service: "execute-api", Region: "eu-west-1", Time: time.Now(),
		Credentials: credentials.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken},
	}))
	signer, err := s.VerifyIn("eu-west-1", r, body)
	require.NoError(t, err)
	assert.Equal(t, c.AccessKeyID, signer.KeyID)
	assert.Equal(t, "execute-api", signer.Service)
	_, err = s.VerifyIn("eu-central-1", r, body)
	requireCode(t, err, "InvalidSignatureException", http.StatusForbidden)
}

func TestAlteredRequestIsNotWhatWasSigned(t *testing.T) {
	s, c := caller(t)
	for name, alter := range map[string]func(*http.Request){
		"method":     func(r *http.Request) { r.Method = http.MethodPut },
		"path":       func(r *http.Request) { r.URL.Path = "/v1/models" },
		"query":      func(r *http.Request) { r.URL.RawQuery = "" },
		"host":       func(r *http.Request) { r.Host = "evil.example.com" },
		"region set": func(r *http.Request) { r.Header.Set("X-Amz-Region-Set", "*") },
		"date": func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().Add(time.Minute).UTC().Format("20060102T150405Z"))
		},
		"token":     func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") },
		"signature": func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"00") },
		"no hex":    func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"zz") },
		"scope": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/execute-api/", "/dynamodb/", 1))
		},
		"a region in the scope": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/execute-api/", "/eu-west-1/execute-api/", 1))
		},
		"set is unsigned": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";x-amz-region-set", "", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, body := unsigned(t)
			sign4A(t, c, r, body, "eu-west-1")
			_, err := s.VerifyIn("eu-west-1", r, body)
			require.NoError(t, err)
			alter(r)
			_, err = s.VerifyIn("eu-west-1", r, body)
			assert.Error(t, err)
		})
	}
	r, body := unsigned(t)
	sign4A(t, c, r, body, "eu-west-1")
	_, err := s.VerifyIn("eu-west-1", r, append(body, ' '))
	requireCode(t, err, "InvalidSignatureException", http.StatusForbidden)
	r, body = unsigned(t)
	sign4A(t, iam.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: "another", SessionToken: c.SessionToken}, r, body, "eu-west-1")
	_, err = s.VerifyIn("eu-west-1", r, body)
	requireCode(t, err, "InvalidSignatureException", http.StatusForbidden)
	_, _, err = s.Verify(r, body)
	requireCode(t, err, "IncompleteSignatureException", http.StatusBadRequest)
}
