// Package auth mints and verifies API keys, keeps the limits of tenants, and
// answers API Gateway's question who a caller is. Tokens of an issuer are
// verified elsewhere. Secrets are stored nowhere: of a key only the SHA-256 of
// its secret is, and neither is logged or put into an error.
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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossregion/crossregion/contract"
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
	// ErrRefused is the answer to every credential that opens nothing, whyever.
	ErrRefused = errors.New("the credential is unknown, expired or revoked")
	// ErrNotFound is returned where no key has an id, or no tenant has limits.
	ErrNotFound = errors.New("the table has no such item")
	// ErrExists is returned by a [Store] that already has a key with an id.
	ErrExists = errors.New("an API key already has this id")
)

// Grant is what a key opens.
type Grant struct {
	// Tenant that the key speaks for. Required.
	Tenant string
	// Models are the names that it opens. None means all, those of later
	// settings included.
	Models []string
	// Expires is when the key opens nothing any more, to the second; zero means
	// never. DynamoDB deletes it some days later.
	Expires time.Time
}

// Record is what is kept of a key.
type Record struct {
	Grant
	// Hash is the lower-case hex of SHA-256 of the secret.
	Hash string
	// Revoked keys open nothing.
	Revoked bool
}

// Key is a key as its operator sees it.
type Key struct {
	Grant
	// ID is the part of the key between "cr_" and the point.
	ID string
	// Revoked keys open nothing.
	Revoked bool
}

// Reader looks keys up.
type Reader interface {
	// Get returns the record of the key with the id, or [ErrNotFound].
	Get(ctx context.Context, id string) (Record, error)
}

// Store keeps records by the id of their key.
type Store interface {
	// Get returns the record, or [ErrNotFound].
	Get(ctx context.Context, id string) (Record, error)
	// Put adds the record, or returns [ErrExists]. It replaces none.
	Put(ctx context.Context, id string, r Record) error
	// Revoke makes the key open nothing, now and whatever else is written. A key
	// that the store does not have yet is revoked when it arrives.
	Revoke(ctx context.Context, id string) error
	// List returns every key, in the order of their ids.
	List(ctx context.Context) ([]Key, error)
}

// Mint makes a key and stores what is needed to verify it. The key is returned
// this one time and cannot be shown again. After an error no usable key exists,
// since nobody has learned its secret; calling again is safe. Random is
// crypto/rand.Reader outside tests.
func Mint(ctx context.Context, store Store, random io.Reader, g Grant) (string, error) {
	if err := g.validate(); err != nil {
		return "", fmt.Errorf("mint an API key: %w", err)
	}
	b := make([]byte, idBytes+secretBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("mint an API key: read random bytes: %w", err)
	}
	id := strings.ToLower(base32.StdEncoding.EncodeToString(b[:idBytes]))
	secret := base64.RawURLEncoding.EncodeToString(b[idBytes:])
	r := Record{Grant: g, Hash: hash(secret)}
	err := store.Put(ctx, id, r)
	if errors.Is(err, ErrExists) {
		err = ours(ctx, store, id, r)
	}
	if err != nil {
		return "", fmt.Errorf("mint an API key: %w", err)
	}
	return keyPrefix + id + "." + secret, nil
}

// modelPattern takes every name that settings may give a model. It is compiled
// for operators only, not while the authorizer starts.
var modelPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9._-]{1,64}$`) })

func (g Grant) validate() error {
	var errs []error
	if !contract.ValidTenant(g.Tenant) {
		errs = append(errs, errors.New("the tenant must be "+contract.TenantRule))
	}
	for i, m := range g.Models {
		if !modelPattern().MatchString(m) || slices.Index(g.Models, m) != i {
			errs = append(errs, fmt.Errorf("models[%d] is %q: give each name from the stack's settings once", i, m))
		}
	}
	if !g.Expires.IsZero() && g.Expires.Unix() <= 0 {
		errs = append(errs, fmt.Errorf("it would expire at %s: give a time in the future, or none", g.Expires))
	}
	return errors.Join(errs...)
}

// ours tells a record whose storing was reported as failed, and repeated below
// this package, from somebody else's under the same id.
func ours(ctx context.Context, store Store, id string, r Record) error {
	found, err := store.Get(ctx, id)
	if err != nil {
		return err
	}
	if found.Hash != r.Hash || found.Tenant != r.Tenant {
		return ErrExists
	}
	return nil
}

// Revoke makes the key with the id open nothing, in the store's region at once
// and in the others when replication has brought it there; each API still
// honours it for as long as it keeps an authorizer's answer. Nothing undoes it,
// and to call again is safe. It returns [ErrNotFound] if the store has no key of
// that id, which is revoked all the same, should it only not have arrived.
func Revoke(ctx context.Context, store Store, id string) error {
	if !validID(id) {
		return fmt.Errorf("revoke an API key: %q is no id: give the %d characters between %q and the point", id, idLength, keyPrefix)
	}
	if err := store.Revoke(ctx, id); err != nil {
		return fmt.Errorf("revoke an API key: %w", err)
	}
	if _, err := store.Get(ctx, id); err != nil {
		return fmt.Errorf("revoke an API key: look for it: %w", err)
	}
	return nil
}

// Get returns the key with the id, or [ErrNotFound].
func Get(ctx context.Context, store Store, id string) (Key, error) {
	r, err := store.Get(ctx, id)
	if err != nil {
		return Key{}, fmt.Errorf("get an API key: %w", err)
	}
	return Key{ID: id, Grant: r.Grant, Revoked: r.Revoked}, nil
}

// List returns the keys of the tenant, or of all if it is empty, in the order of
// their ids. It reads the whole table.
func List(ctx context.Context, store Store, tenant string) ([]Key, error) {
	keys, err := store.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return slices.DeleteFunc(keys, func(k Key) bool { return tenant != "" && k.Tenant != tenant }), nil
}

// Verify returns the id and the record of key, or [ErrRefused] if it opens
// nothing at now. Any other error means that the reader did not answer.
func Verify(ctx context.Context, reader Reader, key string, now time.Time) (string, Record, error) {
	id, secret, ok := parse(key)
	if !ok {
		return "", Record{}, ErrRefused
	}
	r, err := reader.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return "", Record{}, ErrRefused
	}
	if err != nil {
		return "", Record{}, fmt.Errorf("verify an API key: %w", err)
	}
	matches := subtle.ConstantTimeCompare([]byte(hash(secret)), []byte(r.Hash)) == 1
	expired := contract.Caller{Expires: r.Expires}.Expired(now)
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
	if !ok || !validID(id) || len(secret) != secretChars {
		return "", "", false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	return id, secret, err == nil
}

func validID(id string) bool {
	_, err := base32.StdEncoding.DecodeString(strings.ToUpper(id))
	return len(id) == idLength && id == strings.ToLower(id) && err == nil
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
