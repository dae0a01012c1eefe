package failover_test

import (
	"context"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/require"
)

// instant is a Model that says a hundred words at once.
type instant struct{}

func (instant) Open(context.Context, contract.Target, converse.Request) (converse.Stream, error) {
	return &words{left: 100}, nil
}

type words struct{ left int }

func (w *words) Next() (converse.Event, error) {
	if w.left == 0 {
		return converse.Event{End: &converse.End{Reason: converse.StopEnd}}, nil
	}
	w.left--
	return converse.Event{Text: "word "}, nil
}

func (w *words) Close() error { return nil }

// BenchmarkDirect is what a stream of a hundred events costs without an engine.
func BenchmarkDirect(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s, err := instant{}.Open(b.Context(), targets[0], converse.Request{})
		require.NoError(b, err)
		read(b, s)
	}
}

// BenchmarkOpen is what the engine adds to that.
func BenchmarkOpen(b *testing.B) {
	e, err := failover.New(failover.Config{Model: instant{}})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		s, _, err := e.Open(b.Context(), targets, converse.Request{})
		require.NoError(b, err)
		read(b, s)
	}
}

func read(b *testing.B, s converse.Stream) {
	b.Helper()
	for {
		ev, err := s.Next()
		require.NoError(b, err)
		if ev.End != nil {
			require.NoError(b, s.Close())
			return
		}
	}
}
