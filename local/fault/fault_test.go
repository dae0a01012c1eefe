package fault_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/fault"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bench is a service behind a board, that counts how often it does its work.
type bench struct {
	*fault.Board
	url  string
	done atomic.Int64
}

func newBench(t *testing.T, c fault.Call) *bench {
	b := &bench{Board: fault.NewBoard()}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.Serve(w, r, c, func(w http.ResponseWriter, _ *http.Request) {
			b.done.Add(1)
			_, _ = io.WriteString(w, "done")
		})
	}))
	t.Cleanup(s.Close)
	b.url = s.URL
	return b
}

func (b *bench) call(ctx context.Context, t *testing.T) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(res.Body)
	require.NoError(t, res.Body.Close())
	return string(body), err
}

var table = fault.Call{Service: "dynamodb", Region: "eu-west-1", Home: "eu-central-1"}

func TestOnlyWhatIsBrokenFails(t *testing.T) {
	b := newBench(t, table)
	b.Break("dynamodb", "eu-north-1", fault.Fault{Kind: fault.Drop})
	b.Break("bedrock", "eu-west-1", fault.Fault{Kind: fault.Drop})
	b.Cut("eu-north-1", "eu-west-1")
	got, err := b.call(t.Context(), t)
	require.NoError(t, err)
	assert.Equal(t, "done", got)
}

func TestADroppedCallIsNotDone(t *testing.T) {
	b := newBench(t, table)
	b.Break("dynamodb", "eu-west-1", fault.Fault{Kind: fault.Drop, Calls: 1})
	_, err := b.call(t.Context(), t)
	require.Error(t, err)
	assert.Zero(t, b.done.Load())
	_, err = b.call(t.Context(), t)
	require.NoError(t, err, "one call was to be hit")
}

func TestALostAnswerIsDone(t *testing.T) {
	b := newBench(t, table)
	b.Break("dynamodb", "eu-west-1", fault.Fault{Kind: fault.Lose})
	_, err := b.call(t.Context(), t)
	require.Error(t, err)
	assert.EqualValues(t, 1, b.done.Load())
}

func TestWhatHangsHangsUntilItIsMended(t *testing.T) {
	tests := map[string]struct{ fault, mend func(*bench) }{
		"a service": {
			func(b *bench) { b.Break("dynamodb", "eu-west-1", fault.Fault{Kind: fault.Hang}) },
			func(b *bench) { b.Mend("dynamodb", "eu-west-1") },
		},
		"a way between regions": {
			func(b *bench) { b.Cut("eu-west-1", "eu-central-1") },
			func(b *bench) { b.MendAll() },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, table)
			tt.fault(b)
			short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := b.call(short, t)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			failed := make(chan error)
			go func() {
				_, err := b.call(context.Background(), t)
				failed <- err
			}()
			tt.mend(b)
			// It hung, and is closed; or came after the mending, and is done.
			if err := <-failed; err == nil {
				assert.EqualValues(t, 1, b.done.Load())
			}
			_, err = b.call(t.Context(), t)
			require.NoError(t, err)
		})
	}
}

func TestALinkHasNoDirection(t *testing.T) {
	b := fault.NewBoard()
	b.Cut("b", "a")
	assert.True(t, b.IsCut("a", "b"))
	assert.False(t, b.IsCut("a", "c"))
	b.Isolate("c")
	assert.True(t, b.IsCut("a", "c"))
	assert.False(t, b.IsCut("c", "c"))
	b.BreakControls()
	assert.True(t, b.ControlsDown())
	b.MendAll()
	assert.False(t, b.IsCut("a", "b"))
	assert.False(t, b.ControlsDown())
}

// TestACallUnderwayIsCutOff where the fault says so, and nowhere else: what the
// service goes on to write is lost.
func TestACallUnderwayIsCutOff(t *testing.T) {
	breaks := func(at string, f fault.Fault) func(*fault.Board) {
		return func(b *fault.Board) { b.Break("dynamodb", at, f) }
	}
	isolates := func(region string) func(*fault.Board) { return func(b *fault.Board) { b.Isolate(region) } }
	tests := []struct {
		name  string
		fault func(*fault.Board)
		cut   bool
	}{
		{"a fault of the region that reaches what is underway", breaks("eu-west-1", fault.Fault{Kind: fault.Drop, Underway: true}), true},
		{"a fault of the region that hits new calls only", breaks("eu-west-1", fault.Fault{Kind: fault.Drop}), false},
		{"a fault of another region", breaks("eu-north-1", fault.Fault{Kind: fault.Drop, Underway: true}), false},
		{"the border of the region that is called", isolates("eu-west-1"), true},
		{"the border of the region that calls", isolates("eu-central-1"), true},
		{"the border of another region", isolates("eu-north-1"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fault.NewBoard()
			broken := make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b.Serve(w, r, table, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, "begun, ")
					_ = http.NewResponseController(w).Flush()
					<-broken
					_, _ = io.WriteString(w, "ended")
				})
			}))
			defer s.Close()
			res, err := http.Get(s.URL)
			require.NoError(t, err)
			defer res.Body.Close()
			tt.fault(b)
			close(broken)
			body, err := io.ReadAll(res.Body)
			if tt.cut {
				require.Error(t, err)
				assert.Equal(t, "begun, ", string(body))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "begun, ended", string(body))
		})
	}
}

// TestAnIsolatedRegionIsReachedFromWithin and from nowhere else, and reaches
// nothing else.
func TestAnIsolatedRegionIsReachedFromWithin(t *testing.T) {
	for _, tt := range []struct {
		name, home, region string
		reached            bool
	}{
		{"from within", "eu-west-1", "eu-west-1", true},
		{"from outside AWS", "", "eu-west-1", false},
		{"from another region", "eu-central-1", "eu-west-1", false},
		{"from it to another region", "eu-west-1", "eu-central-1", false},
		{"between others", "eu-north-1", "eu-central-1", true},
		{"from outside AWS to another region", "", "eu-central-1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, fault.Call{Service: "execute-api", Region: tt.region, Home: tt.home})
			b.Isolate("eu-west-1")
			_, err := b.call(t.Context(), t)
			assert.Equal(t, tt.reached, err == nil)
			assert.Equal(t, tt.reached, b.done.Load() > 0)
			b.Rejoin("eu-west-1")
			_, err = b.call(t.Context(), t)
			require.NoError(t, err)
			b.Isolate("eu-west-1")
			b.MendAll()
			_, err = b.call(t.Context(), t)
			require.NoError(t, err)
		})
	}
}

func TestOnlyCallsThatFailAreHits(t *testing.T) {
	b := newBench(t, table)
	b.Break("dynamodb", "eu-west-1", fault.Fault{Delay: time.Nanosecond})
	_, err := b.call(t.Context(), t)
	require.NoError(t, err)
	assert.Zero(t, b.Hits("dynamodb", "eu-west-1"), "it was answered")
	b.Break("dynamodb", "eu-west-1", fault.Fault{Kind: fault.Drop})
	_, err = b.call(t.Context(), t)
	require.Error(t, err)
	b.Mend("dynamodb", "eu-west-1")
	_, err = b.call(t.Context(), t)
	require.NoError(t, err)
	assert.Positive(t, b.Hits("dynamodb", "eu-west-1"))
	assert.Zero(t, b.Hits("dynamodb", "eu-north-1"))
	assert.Zero(t, b.Hits("bedrock", "eu-west-1"))
}
