package encryption

import (
	"path"
	"strings"
)

// principals are the values that aws:PrincipalArn may have for a principal. For
// a session it is the ARN of the role, whose path the session does not tell.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func principals(arn string) []string {
	account, role, ok := session(arn)
	if !ok {
		return []string{arn}
	}
	return []string{account + role, account + "*/" + role}
}

// session reads the ARN of a role's session: what the role's ARN begins with,
// and its name.
func session(arn string) (account, role string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return "", "", false
	}
	named, ok := strings.CutPrefix(parts[5], "assumed-role/")
	role, _, _ = strings.Cut(named, "/")
	return "arn:aws:iam::" + parts[4] + ":role/", role, ok
}

// IsPrincipal reports whether who calls is the role or user of the given ARN. A
// session is taken for its role, of which it tells all but the path.
func IsPrincipal(arn, caller string) bool {
	account, role, ok := session(caller)
	if !ok {
		return arn == caller
	}
	return strings.HasPrefix(arn, account) && path.Base(arn) == role
}

// PrincipalName says who calls. For a session it is the role, since the session
// may bear the name of a person.
func PrincipalName(caller string) string {
	if account, role, ok := session(caller); ok {
		return account + role
	}
	return caller
}
