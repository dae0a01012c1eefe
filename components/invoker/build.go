package invoker

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Packages of the deployed binaries. Their last element names the zip.
const (
	invokerPackage    = "github.com/crossregion/crossregion/lambda/cmd/invoker"
	authorizerPackage = "github.com/crossregion/crossregion/lambda/cmd/authorizer"
)

// Zips are the paths of the deployable archives.
type Zips struct {
	Invoker    string // serves the API, and health
	Authorizer string
}

// Build compiles the handlers with the Go toolchain on PATH and packs each
// into a zip below dir, which is created. The same source and toolchain give
// the same bytes, whoever builds and when; a build that changes nothing takes
// well under a second. Processes that build into the same dir wait for each
// other.
func Build(ctx context.Context, dir string, p Platform) (Zips, error) {
	dir = filepath.Join(dir, p.OS+"-"+p.Arch)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Zips{}, fmt.Errorf("build handlers: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return Zips{}, fmt.Errorf("build handlers: wait for another build in %s: %w", dir, err)
	}
	err := compile(ctx, dir, p)
	zips := Zips{Invoker: filepath.Join(dir, "invoker.zip"), Authorizer: filepath.Join(dir, "authorizer.zip")}
	for _, path := range []string{zips.Invoker, zips.Authorizer} {
		if err == nil {
			err = pack(path, path[:len(path)-len(".zip")])
		}
	}
	return zips, errors.Join(err, lock.Unlock())
}

// compile leaves the binaries invoker and authorizer in dir. Go skips what is
// up to date.
func compile(ctx context.Context, dir string, p Platform) (err error) {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("build handlers: no Go toolchain on PATH; install Go from https://go.dev/dl/")
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc",
		"-ldflags", "-s -w", "-o", dir+string(filepath.Separator), invokerPackage, authorizerPackage)
	// Interrupted, go ends its compilers; killed, it leaves them behind. Its
	// folder is ours, since an early interrupt leaves that behind too.
	work, err := os.MkdirTemp(dir, "work-")
	if err != nil {
		return fmt.Errorf("build handlers: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "GOOS="+p.OS, "GOARCH="+p.Arch, "CGO_ENABLED=0",
		// Nothing of this machine's own settings may reach the binary.
		"GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GOARM64=v8.0", "GOAMD64=v1", "GOTMPDIR="+work)
	out, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("build handlers: %w", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("build handlers for %s: %w\n%s", p, err, bytes.TrimSpace(out))
	}
	return nil
}

// epoch is the date of every file in a zip, the first that the format knows:
// with the real one, every build would be a new deployment.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// pack writes a zip whose only file is the binary, as an executable named
// "bootstrap" at its root. A zip that holds this very binary is left as it is;
// its comment says which one it holds.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func pack(path, binary string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	sum := sha256.Sum256(content)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if packed(path, digest) {
		return nil
	}
	var buf bytes.Buffer
	if err := writeZip(&buf, content, digest); err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	// Rename, so that nobody reads half a zip.
	if err := os.WriteFile(path+".new", buf.Bytes(), 0o644); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return os.Rename(path+".new", path)
}

// packed reports whether the zip at path holds the binary of that digest. A
// zip that cannot be read is written anew.
func packed(path, digest string) bool {
	z, err := zip.OpenReader(path)
	if err != nil {
		return false
	}
	defer z.Close()
	return z.Comment == digest
}

func writeZip(w io.Writer, binary []byte, comment string) error {
	z := zip.NewWriter(w)
	if err := z.SetComment(comment); err != nil {
		return err
	}
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: epoch}
	header.SetMode(0o755)
	f, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := f.Write(binary); err != nil {
		return err
	}
	return z.Close()
}
