package oidc

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arriving are keys that somebody else's fetch brings while they are looked for, if
// it brings the right ones.
type arriving struct {
	asked int
	right bool
}

// VerifySignature implements [oidc.KeySet], in the library's words.
func (a *arriving) VerifySignature(context.Context, string) ([]byte, error) {
	a.asked++
	if a.asked == 1 || !a.right {
		return nil, fmt.Errorf("fetching keys %w", errTooSoon)
	}
	return []byte("payload"), nil
}

// TestKeysThatComeMeanwhileAreUsed, where the token was refused as if they were
// not the issuer's.
func TestKeysThatComeMeanwhileAreUsed(t *testing.T) {
	keys := &arriving{right: true}
	payload, err := (&keySet{keys, &paced{}}).verify(t.Context(), "token")
	require.NoError(t, err)
	assert.Equal(t, "payload", string(payload))
	_, err = (&keySet{&arriving{}, &paced{}}).verify(t.Context(), "token")
	require.Error(t, err)
	assert.False(t, errors.Is(err, errUnavailable), "a stranger's token is refused")
}
