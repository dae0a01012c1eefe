package iam

import (
	"crypto/hmac"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// maxSkew is how far the date of a signature may be from AWS's clock.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
const maxSkew = 5 * time.Minute

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	dateLayout = "20060102T150405Z"
)

const (
	headerDate  = "X-Amz-Date"
	headerToken = "X-Amz-Security-Token"
)

// Verify checks the Signature Version 4 in r's Authorization header over r and
// its body, which has been read already, and returns the caller and the service
// it signed for. It leaves r as it is. What fails is a [cloud.APIError] with
// AWS's code and status. Presigned URLs, unsigned bodies and Signature Version
// 4A are refused; the latter is for [Service.VerifyIn].
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (s *Service) Verify(r *http.Request, body []byte) (c cloud.Caller, service string, err error) {
	sig, err := readSignature(r, algorithm)
	if err == nil {
		err = sig.readScope()
	}
	if err != nil {
		return cloud.Caller{}, "", err
	}
	if err := sig.check(r, s.clock.Now()); err != nil {
		return cloud.Caller{}, "", err
	}
	holder, err := s.holder(sig.keyID, r.Header.Get(headerToken))
	if err != nil {
		return cloud.Caller{}, "", err
	}
	want := sig.sign(holder.credentials.SecretAccessKey, canonicalRequest(r, body, sig))
	if !hmac.Equal([]byte(want), []byte(sig.signature)) {
		return cloud.Caller{}, "", badSignature("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	c = holder.caller
	c.Region = sig.region
	return c, sig.service, nil
}

func (s *Service) holder(keyID, token string) (session, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	holder, ok := s.sessions[keyID]
	switch {
	case !ok, !holder.hasToken(token):
		return session{}, forbidden("UnrecognizedClientException", "The security token included in the request is invalid.")
	case holder.expired(s.clock.Now()):
		return session{}, forbidden("ExpiredTokenException", "The security token included in the request is expired")
	}
	return holder, nil
}

// signature is what a signed request says about its signature.
type signature struct {
	credential                  string // key and scope, in one
	keyID, day, region, service string
	headers                     []string // names, as signed
	signature                   string   // hexadecimal
	date                        string   // in [dateLayout]
}

func readSignature(r *http.Request, algorithm string) (signature, error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return signature{}, forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	if scheme != algorithm {
		return signature{}, incomplete("Unsupported AWS 'algorithm': %q, want %s", scheme, algorithm)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if fields[name] == "" {
			return signature{}, incomplete("Authorization header requires '%s' parameter.", name)
		}
	}
	sig := signature{
		headers:    strings.Split(fields["SignedHeaders"], ";"),
		signature:  fields["Signature"],
		date:       r.Header.Get(headerDate),
		credential: fields["Credential"],
	}
	if sig.date == "" {
		return sig, incomplete("Authorization header requires existence of a 'X-Amz-Date' header.")
	}
	return sig, nil
}

func (sig *signature) readScope() error {
	scope := strings.Split(sig.credential, "/")
	if len(scope) != 5 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term")
	}
	sig.keyID, sig.day, sig.region, sig.service = scope[0], scope[1], scope[2], scope[3]
	if scope[4] != terminator {
		return badSignature("Credential should be scoped with a valid terminator: '%s'.", terminator)
	}
	return nil
}

// check refuses what no secret could make right.
func (sig *signature) check(r *http.Request, now time.Time) error {
	date, err := time.Parse(dateLayout, sig.date)
	switch {
	case err != nil:
		return incomplete("Date must be in ISO-8601 'basic format'. Got %q.", sig.date)
	case !strings.HasPrefix(sig.date, sig.day+"T"):
		return badSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: %q", sig.day)
	case !cloud.KnownRegion(sig.region):
		return badSignature("Credential should be scoped to a valid region, not %q.", sig.region)
	case sig.service == "":
		return badSignature("Credential should be scoped to correct service.")
	case date.Before(now.Add(-maxSkew)):
		return badSignature("Signature expired: %s is now earlier than %s (%s - 5 min.)", sig.date, format(now.Add(-maxSkew)), format(now))
	case date.After(now.Add(maxSkew)):
		return badSignature("Signature not yet current: %s is still later than %s (%s + 5 min.)", sig.date, format(now.Add(maxSkew)), format(now))
	}
	return sig.checkHeaders(r.Header)
}

// checkHeaders wants the host and every x-amz- header signed.
func (sig *signature) checkHeaders(h http.Header) error {
	if !slices.Contains(sig.headers, "host") {
		return badSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range h {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(sig.headers, name) {
			return badSignature("'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

func format(t time.Time) string { return t.UTC().Format(dateLayout) }

func forbidden(code, message string) error {
	return &cloud.APIError{Code: code, Message: message, Status: http.StatusForbidden}
}

func badSignature(format string, args ...any) error {
	return forbidden("InvalidSignatureException", fmt.Sprintf(format, args...))
}

func incomplete(format string, args ...any) error {
	return cloud.Refuse("IncompleteSignatureException", format, args...)
}
