package lambda

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxZipBytes      = 50 << 20
	maxUnpackedBytes = 250 << 20
)

// bootstrap is the file that an OS-only runtime starts.
const bootstrap = "bootstrap"

// code is a deployment package, unpacked.
type code struct {
	dir  string
	hash string // base64 of the zip's SHA-256, as AWS shows it
	size int    // of the zip, in bytes
}

// codeStore unpacks each deployment package once, however many functions use
// it.
type codeStore struct {
	dir, arch string

	mu       sync.Mutex
	unpacked map[string]bool // by folder
}

// unpack checks the zip at path against what Lambda accepts and this machine
// can execute, and unpacks it.
func (c *codeStore) unpack(path, architecture string) (code, error) {
	if want := map[string]string{"x86_64": "amd64", "arm64": "arm64"}[architecture]; want != c.arch {
		return code{}, fmt.Errorf("this machine executes %s, the function is built for %s: "+
			"build it for this machine and set its architecture", c.arch, architecture)
	}
	size, sum, err := digest(path)
	if err != nil {
		return code{}, fmt.Errorf("read code %s: %w", path, err)
	}
	if size > maxZipBytes {
		return code{}, refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			"Request must be smaller than %d bytes for the CreateFunction operation", maxZipBytes)
	}
	dir := filepath.Join(c.dir, hex.EncodeToString(sum))
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.unpacked[dir] {
		if err := c.unpackInto(dir, path); err != nil {
			return code{}, errors.Join(err, os.RemoveAll(dir))
		}
		c.unpacked[dir] = true
	}
	return code{dir: dir, hash: base64.StdEncoding.EncodeToString(sum), size: int(size)}, nil
}

func digest(path string) (int64, []byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, h.Sum(nil), err
}

func (c *codeStore) unpackInto(dir, path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return invalid("Could not unzip uploaded file. Please check your file, then try to upload again. (%v)", err)
	}
	defer z.Close()
	if err := checkZip(z.File); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("unpack code: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack code: %w", err)
	}
	defer root.Close()
	for _, f := range z.File {
		if err := extract(root, f); err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
	}
	return checkExecutable(filepath.Join(dir, bootstrap), c.arch)
}

func checkZip(files []*zip.File) error {
	var total uint64
	found := false
	for _, f := range files {
		if !filepath.IsLocal(f.Name) || strings.Contains(f.Name, `\`) {
			return invalid("Could not unzip uploaded file: %q leads out of it", f.Name)
		}
		if mode := f.Mode(); !mode.IsRegular() && !mode.IsDir() {
			return invalid("%q is neither file nor folder, which the embedded cloud does not support in code", f.Name)
		}
		if f.UncompressedSize64 > maxUnpackedBytes-total {
			return invalid("Unzipped size must be smaller than %d bytes", maxUnpackedBytes)
		}
		total += f.UncompressedSize64
		if f.Name == bootstrap {
			found = true
			if f.Mode()&0o111 == 0 {
				return invalid("%s is not executable (mode %v): keep its mode bits when zipping", bootstrap, f.Mode())
			}
		}
	}
	if !found {
		return invalid("the zip has no %s at its root, which an OS-only runtime starts", bootstrap)
	}
	return nil
}

// extract writes one entry. Files cannot be written to, as in AWS.
func extract(root *os.Root, entry *zip.File) error {
	name := filepath.FromSlash(strings.TrimSuffix(entry.Name, "/"))
	if entry.Mode().IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	r, err := entry.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, entry.Mode().Perm()&0o555|0o400)
	if err != nil {
		return err
	}
	// The zip reader fails when an entry is larger than it said.
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
