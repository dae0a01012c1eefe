package dynamodb

import (
	"regexp"
	"strconv"
	"strings"
)

// Limits of a number.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

var numberShape = regexp.MustCompile(`^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$`)

// parseNumber returns a number as DynamoDB stores and returns it: decimal,
// without exponent and without zeros that do not count.
func parseNumber(s string) (string, error) {
	if plainNumber(s) {
		return s, nil
	}
	m := numberShape.FindStringSubmatch(s)
	if m == nil || m[2]+m[3] == "" {
		return "", invalid("The parameter cannot be converted to a numeric value: %s", s)
	}
	exponent := -len(m[3])
	if m[4] != "" {
		e, err := strconv.Atoi(m[4])
		if err != nil {
			return "", invalid("The parameter cannot be converted to a numeric value: %s", s)
		}
		exponent += e
	}
	digits := strings.TrimLeft(m[2]+m[3], "0")
	significant := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(significant)
	switch magnitude := exponent + len(significant) - 1; {
	case significant == "":
		return "0", nil
	case len(significant) > maxDigits:
		return "", invalid("Attempting to store more than %d significant digits in a Number", maxDigits)
	case magnitude > maxExponent:
		return "", invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case magnitude < minExponent:
		return "", invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return strings.TrimPrefix(m[1], "+") + decimal(significant, exponent), nil
}

// plainNumber tells whether a number is written as it is stored: a natural number
// without zeros in front.
func plainNumber(s string) bool {
	return s != "" && s[0] != '0' && len(s) <= maxDigits && strings.Trim(s, "0123456789") == ""
}

func decimal(digits string, exponent int) string {
	switch point := len(digits) + exponent; {
	case exponent >= 0:
		return digits + strings.Repeat("0", exponent)
	case point > 0:
		return digits[:point] + "." + digits[point:]
	default:
		return "0." + strings.Repeat("0", -point) + digits
	}
}

// numberSize is one byte for each two significant digits, one more, and one for
// a sign.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func numberSize(canonical string) int {
	digits, negative := strings.CutPrefix(canonical, "-")
	significant := strings.Trim(strings.Replace(digits, ".", "", 1), "0")
	n := (len(significant)+1)/2 + 1
	if negative {
		n++
	}
	return n
}
