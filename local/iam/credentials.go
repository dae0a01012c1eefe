package iam

import (
	"crypto/rand"
	"crypto/subtle"
	"maps"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// SessionLifetime is how long issued credentials are valid: the longest that
// AWS grants. Whoever holds a session longer must ask for a new one.
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const SessionLifetime = maxSession

// Lengths in characters, as AWS has them but for the token, which is opaque.
const (
	keyIDLength  = 16 // after the prefix
	secretLength = 40
	tokenLength  = 128
)

// maxSessionName is the longest name of a session, in characters; the shortest
// has two.
const maxSessionName = 64

// Credentials sign requests. They exist in memory only and never equal those of
// another run.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	// SessionToken must accompany each request; empty for the operator, whose
	// credentials do not expire.
	SessionToken string
}

// session is who holds issued credentials.
type session struct {
	credentials Credentials
	caller      cloud.Caller // without the region called
	expires     time.Time    // zero: never
}

func (s session) expired(now time.Time) bool {
	return !s.expires.IsZero() && !now.Before(s.expires)
}

func (s session) hasToken(token string) bool {
	return subtle.ConstantTimeCompare([]byte(s.credentials.SessionToken), []byte(token)) == 1
}

// Issue returns credentials of the role, valid for [SessionLifetime], for a
// session that runs in region home. It does not ask whether the role is trusted:
// that is [Service.CheckTrust]. Errors are NoSuchEntity and ValidationError.
func (s *Service) Issue(roleARN, home, sessionName string) (Credentials, error) {
	if !cloud.KnownRegion(home) {
		return Credentials{}, invalid("region %q of session %q is not known", home, sessionName)
	}
	if len(sessionName) < 2 {
		return Credentials{}, invalid("roleSessionName %q must have at least two characters", sessionName)
	}
	if err := checkName("roleSessionName", sessionName, maxSessionName); err != nil {
		return Credentials{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.roleByARN(roleARN)
	if err != nil {
		return Credentials{}, err
	}
	now := s.clock.Now()
	// An expired session stays for a while, so that its holder learns why it is refused.
	maps.DeleteFunc(s.sessions, func(_ string, old session) bool { return old.expired(now.Add(-SessionLifetime)) })
	c := newCredentials("ASIA")
	c.SessionToken = random(tokenLength)
	s.sessions[c.AccessKeyID] = session{
		credentials: c,
		caller:      cloud.Caller{ARN: cloud.ARN("sts", "", "assumed-role/"+r.name+"/"+sessionName), Role: r.name, Home: home},
		expires:     now.Add(SessionLifetime),
	}
	return c, nil
}

// Operator returns credentials of an administrator outside AWS, the same for
// the life of the service.
func (s *Service) Operator() Credentials { return s.operator }

// limitedOperator is the operator's entry among the roles, under a name that no
// role can have.
const limitedOperator = "user/operator"

// LimitOperator returns credentials of the operator that do what the policy
// allows and nothing else, as those of a session with that policy. An error is a
// MalformedPolicyDocument.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
func (s *Service) LimitOperator(document string) (Credentials, error) {
	p, err := ParsePolicy(document)
	if err != nil {
		return Credentials{}, err
	}
	c := newCredentials("ASIA")
	c.SessionToken = random(tokenLength)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[limitedOperator] = &role{name: limitedOperator, arn: operatorARN(), inline: map[string]inlinePolicy{"session": {policy: p}}}
	s.sessions[c.AccessKeyID] = session{credentials: c, caller: cloud.Caller{ARN: operatorARN(), Role: limitedOperator}}
	return c, nil
}

// newCredentials returns credentials whose key has the prefix that tells those
// of users from those of sessions.
func newCredentials(prefix string) Credentials {
	return Credentials{AccessKeyID: prefix + random(keyIDLength), SecretAccessKey: random(secretLength)}
}

// random returns n unguessable characters of the base32 alphabet.
func random(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(rand.Text())
	}
	return b.String()[:n]
}
