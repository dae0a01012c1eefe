// Package cloud is the ground that the embedded AWS stands on: the account, its
// regions, the clock, the loopback network, how a service describes its
// resources and how it answers signed calls. It knows no service, and nothing
// of the program that is deployed into it.
package cloud

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
)

// Account is the embedded cloud's only account, the one that AWS's own
// documentation uses in examples.
const Account = "123456789012"

// Partition is the only partition that the embedded cloud stands in for.
const Partition = "aws"

// World is what all services share. All fields are required.
type World struct {
	Clock   Clock
	Network *Network
	Log     *slog.Logger // what an operator of the embedded cloud may want to see
}

// ARN builds an Amazon Resource Name in [Account]. Region is empty for global
// services.
func ARN(service, region, resource string) string {
	return strings.Join([]string{"arn", Partition, service, region, Account, resource}, ":")
}

// Place is what an ARN says of where its resource is, and which it is.
type Place struct{ Service, Region, Account, Resource string }

// ParseARN reads an ARN of the partition. It returns false for anything else.
func ParseARN(arn string) (Place, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] != Partition {
		return Place{}, false
	}
	return Place{Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, true
}

// ID returns n hexadecimal digits (at most 64) that depend on parts alone, so
// that two runs of one program name everything the same.
func ID(n int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:n]
}
