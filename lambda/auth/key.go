// Package auth mints and verifies API keys, and answers API Gateway's question
// who a caller is. A key says which tenant it speaks for and nothing else; what
// a tenant may do is not decided here. Secrets are stored nowhere: of a key only
// the SHA-256 of its secret is, and neither is logged or put into an error.
package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// A key is "cr_" + id + "." + secret: the id finds it, the secret proves it.
const (
	keyPrefix   = "cr_"
	idBytes     = 10 // 16 characters of base32
	idLength    = 16
	secretBytes = 32 // 43 characters of base64url
	secretChars = 43
)

// Errors that callers tell apart.
var (
	// ErrRefused is the answer to every key that opens nothing, whyever.
	ErrRefused = errors.New("the API key is unknown, expired or revoked")
	// ErrNotFound is returned by a [Store] that has no key with an id.
	ErrNotFound = errors.New("no API key has this id")
	// ErrExists is returned by a [Store] that already has a key with an id.
	ErrExists = errors.New("an API key already has this id")
)

// Record is what is kept of a key.
type Record struct {
	// Hash is the lower-case hex of SHA-256 of the secret.
	Hash string
	// Tenant that the key speaks for.
	Tenant string
	// Revoked keys open nothing.
	Revoked bool
	// Expires is when the key opens nothing any more; zero means never.
	Expires time.Time
}

// Store keeps records by the id of their key.
type Store interface {
	// Get returns the record, or [ErrNotFound].
	Get(ctx context.Context, id string) (Record, error)
	// Put adds the record, or returns [ErrExists]. It replaces none.
	Put(ctx context.Context, id string, r Record) error
}

// Mint makes a key for tenant and stores what is needed to verify it. The key
// is returned this one time and cannot be shown again. After an error no usable
// key exists, since nobody has learned its secret; calling again is safe.
// Random is crypto/rand.Reader outside tests.
func Mint(ctx context.Context, store Store, random io.Reader, tenant string) (string, error) {
	if !tenantPattern().MatchString(tenant) {
		return "", errors.New("mint an API key: the tenant must be 1 to 64 characters of a-z, A-Z, 0-9, '-' and '_'")
	}
	b := make([]byte, idBytes+secretBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("mint an API key: read random bytes: %w", err)
	}
	id := strings.ToLower(base32.StdEncoding.EncodeToString(b[:idBytes]))
	secret := base64.RawURLEncoding.EncodeToString(b[idBytes:])
	r := Record{Hash: hash(secret), Tenant: tenant}
	err := store.Put(ctx, id, r)
	if errors.Is(err, ErrExists) {
		err = ours(ctx, store, id, r)
	}
	if err != nil {
		return "", fmt.Errorf("mint an API key: %w", err)
	}
	return keyPrefix + id + "." + secret, nil
}

// ours tells a record whose storing was reported as failed, and repeated below
// this package, from somebody else's under the same id.
func ours(ctx context.Context, store Store, id string, r Record) error {
	found, err := store.Get(ctx, id)
	if err != nil {
		return err
	}
	if found != r {
		return ErrExists
	}
	return nil
}

func tenantPattern() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`) }

// Verify returns the id and the record of key, or [ErrRefused] if it opens
// nothing at now. Any other error means that the store did not answer.
func Verify(ctx context.Context, store Store, key string, now time.Time) (string, Record, error) {
	id, secret, ok := parse(key)
	if !ok {
		return "", Record{}, ErrRefused
	}
	r, err := store.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return "", Record{}, ErrRefused
	}
	if err != nil {
		return "", Record{}, fmt.Errorf("verify an API key: %w", err)
	}
	matches := subtle.ConstantTimeCompare([]byte(hash(secret)), []byte(r.Hash)) == 1
	expired := !r.Expires.IsZero() && !now.Before(r.Expires)
	if !matches || r.Revoked || expired {
		return "", Record{}, ErrRefused
	}
	return id, r, nil
}

// parse accepts one spelling of each key only.
func parse(key string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(key, keyPrefix)
	if !ok {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, ".")
	if !ok || len(id) != idLength || id != strings.ToLower(id) || len(secret) != secretChars {
		return "", "", false
	}
	_, idErr := base32.StdEncoding.DecodeString(strings.ToUpper(id))
	_, secretErr := base64.RawURLEncoding.Strict().DecodeString(secret)
	return id, secret, idErr == nil && secretErr == nil
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
