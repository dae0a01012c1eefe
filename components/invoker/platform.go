package invoker

import (
	"fmt"
	"strings"
)

// Platform is what a zip is built for. The zero value is invalid; see
// [DefaultPlatform].
type Platform struct {
	OS   string // GOOS
	Arch string // GOARCH
}

// DefaultPlatform is Lambda on Graviton.
var DefaultPlatform = Platform{OS: "linux", Arch: "arm64"}

// ParsePlatform reads "os/arch" as Go writes it, e.g. "linux/arm64". Lambda
// runs linux only; another system is good for the embedded cloud on a machine
// of that system.
func ParsePlatform(s string) (Platform, error) {
	os, arch, _ := strings.Cut(s, "/")
	p := Platform{OS: os, Arch: arch}
	if os == "" {
		return Platform{}, fmt.Errorf("platform %q is not of the form os/arch, e.g. linux/arm64", s)
	}
	if _, err := p.architecture(); err != nil {
		return Platform{}, err
	}
	return p, nil
}

// String returns "os/arch".
func (p Platform) String() string { return p.OS + "/" + p.Arch }

// architecture is Lambda's name for the processor.
func (p Platform) architecture() (string, error) {
	switch p.Arch {
	case "arm64":
		return "arm64", nil
	case "amd64":
		return "x86_64", nil
	default:
		return "", fmt.Errorf("platform %s: Lambda runs arm64 and amd64 only", p)
	}
}
