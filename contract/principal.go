package contract

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// principalPattern takes the ARNs of who signs a request: a session of a role,
// or a user. It is compiled when the first comes, not while a function starts.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
var principalPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^arn:[a-z-]+:(?:sts::([0-9]{12}):assumed-(role)/([\w+=,.@-]+)/[\w+=,.@-]+|iam::([0-9]{12}):(user)/(?:.*/)?([\w+=,.@-]+))$`)
})

// PrincipalTenant is the tenant that a principal of IAM speaks for, given the ARN
// that API Gateway calls userArn: account, kind and name, as in
// "123456789012-role-reports". All sessions of a role are one tenant, and a path
// is not part of it, since IAM's names are unique without. What a tenant cannot
// hold is written as '_' and two hexadecimal digits; a name that would be too
// long, as "_h" and 130 bits of its hash. So no two principals are one tenant.
// Everybody else is refused: the root user and federated users have no role
// whose rights could be said.
func PrincipalTenant(userARN string) (string, error) {
	m := principalPattern().FindStringSubmatch(userARN)
	if m == nil {
		return "", errors.New("the principal is neither a session of a role nor a user")
	}
	prefix := m[1] + m[4] + "-" + m[2] + m[5] + "-"
	name := m[3] + m[6]
	if tenant := prefix + escapeName(name); ValidTenant(tenant) {
		return tenant, nil
	}
	sum := sha256.Sum256([]byte(name))
	return prefix + "_h" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26]), nil
}

func escapeName(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if strings.IndexByte("_+=,.@", c) >= 0 {
			fmt.Fprintf(&b, "_%02x", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
