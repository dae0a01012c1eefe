package auth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// silent is a reader that answers only when its caller gives up.
type silent struct{ auth.Reader }

func (silent) Get(ctx context.Context, _ string) (auth.Record, error) {
	<-ctx.Done()
	return auth.Record{}, ctx.Err()
}

func TestPartnerIsAskedWhenTheReplicaFails(t *testing.T) {
	up, key := minted(t)
	down, _ := minted(t)
	down.fault = refused
	here, there := auth.NewTable(up, "control"), auth.NewTable(down, "control")
	tests := []struct {
		name     string
		replicas auth.Replicas
		wantErr  error
	}{
		{"the own answers", auth.Replicas{here, there}, nil},
		{"the partner answers", auth.Replicas{there, here}, nil},
		{"none answers", auth.Replicas{there, there}, errDown},
		{"not having the key is an answer", auth.Replicas{auth.NewTable(newTable(), "control"), here}, auth.ErrRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := auth.Verify(t.Context(), tt.replicas, key, now)
			assert.ErrorIs(t, err, tt.wantErr)
		})
	}
	_, err := auth.Replicas{}.Get(t.Context(), "id")
	require.Error(t, err, "nobody to ask is no answer")
	assert.NotErrorIs(t, err, auth.ErrNotFound)
}

func TestSilentReplicaIsNotWaitedForLong(t *testing.T) {
	db, key := minted(t)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, _, err := auth.Verify(t.Context(), auth.Replicas{silent{}, auth.NewTable(db, "control")}, key, now)
		require.NoError(t, err)
		assert.LessOrEqual(t, time.Since(began), time.Second)
	})
}
