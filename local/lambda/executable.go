package lambda

import (
	"debug/elf"
	"debug/macho"
	"fmt"
	"os"
	"runtime"
)

// checkExecutable refuses a file that is no executable of the architecture.
// AWS takes any file and fails at the first invocation, with
// Runtime.InvalidEntrypoint.
func checkExecutable(path, arch string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", bootstrap, err)
	}
	defer f.Close()
	got, err := executableArch(f)
	if err != nil {
		return invalid("%s is not an executable of this system: %v", bootstrap, err)
	}
	if got != arch {
		return invalid("%s is an executable for %s, want %s", bootstrap, got, arch)
	}
	return nil
}

// executableArch returns the GOARCH of an executable: in Lambda's format, ELF,
// or on a Mac in that machine's own, since it must run here. For a machine that
// Lambda does not have it is the machine's name.
func executableArch(f *os.File) (string, error) {
	var machine fmt.Stringer
	if runtime.GOOS == "darwin" {
		m, err := macho.NewFile(f)
		if err != nil {
			return "", err
		}
		machine = m.Cpu
	} else {
		e, err := elf.NewFile(f)
		if err != nil {
			return "", err
		}
		machine = e.Machine
	}
	switch machine {
	case elf.EM_X86_64, macho.CpuAmd64:
		return "amd64", nil
	case elf.EM_AARCH64, macho.CpuArm64:
		return "arm64", nil
	}
	return machine.String(), nil
}
