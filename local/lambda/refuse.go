package lambda

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

func notFound(format string, args ...any) error {
	return refuse(http.StatusNotFound, "ResourceNotFoundException", format, args...)
}

func conflict(format string, args ...any) error {
	return refuse(http.StatusConflict, "ResourceConflictException", format, args...)
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameterValueException", format, args...)
}

func refuse(status int, code, format string, args ...any) error {
	return &cloud.APIError{Code: code, Message: fmt.Sprintf(format, args...), Status: status}
}

// validation words a property outside its constraint as AWS does.
func validation(property string, value any, constraint string) error {
	return cloud.Refuse("ValidationException", "1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s",
		value, property, constraint)
}

func checkName(property, name string, max int) error {
	if !namePattern.MatchString(name) {
		return validation(property, name, "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+")
	}
	return checkLength(property, name, max)
}

func checkLength(property, value string, max int) error {
	if len(value) > max {
		return validation(property, value, fmt.Sprintf("Member must have length less than or equal to %d", max))
	}
	return nil
}

// checkRange refuses a number outside low and high; nil stands for a default.
func checkRange(property string, value *int, low, high int) error {
	switch {
	case value == nil:
		return nil
	case *value < low:
		return validation(property, *value, fmt.Sprintf("Member must have value greater than or equal to %d", low))
	case *value > high:
		return validation(property, *value, fmt.Sprintf("Member must have value less than or equal to %d", high))
	}
	return nil
}

func checkEnum(property, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return validation(property, value, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
	}
	return nil
}

// checkKey refuses what cannot be a KMS key of the region. Empty means the key
// that AWS owns.
func checkKey(region, arn string) error {
	if arn != "" && !strings.HasPrefix(arn, cloud.ARN("kms", region, "key/")) {
		return invalid("KMS key %q is not a key of %s", arn, region)
	}
	return nil
}
