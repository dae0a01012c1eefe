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

// ID returns n hexadecimal digits (at most 64) that depend on parts alone, so
// that two runs of one program name everything the same.
func ID(n int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:n]
}
