package converse_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func whole(r reply) {
	r.start()
	r.text("whole")
	r.stop("end_turn")
	r.usage()
}

// forever answers without end.
func forever(r reply) { <-r.r.Context().Done() }

func TestConnectionIsUsedAgain(t *testing.T) {
	tests := []struct {
		name   string
		script func(reply)
		dialed int // for three calls
		waited time.Duration
	}{
		{"after a whole answer", whole, 1, 0},
		{"after one that says more than was asked", func(r reply) { whole(r); r.event("somethingNew", ""); r.text("unasked") }, 1, 0},
		{"after one without a usage", func(r reply) { r.start(); r.stop("end_turn") }, 1, 0},
		{"after one whose end comes a moment later", func(r reply) { whole(r); time.Sleep(converse.LingerTime / 2) }, 1, 3 * converse.LingerTime / 2},
		{"but not after one without end", func(r reply) { whole(r); forever(r) }, 3, 3 * converse.LingerTime},
		{"after a refusal", func(r reply) { r.refuse(429, "ThrottlingException", "told so") }, 1, 0},
		{"after a refusal that is no JSON", func(r reply) { r.w.WriteHeader(502); r.write("<html>") }, 1, 0},
		{"but not after an answer that was left", func(r reply) { r.start(); r.frame("exception", "internalServerException", "{}"); forever(r) }, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.script, func(t *testing.T, c *converse.Client, p *pipes) {
				began := time.Now()
				for range 3 {
					_, _, _ = read(t, c)
					synctest.Wait()
				}
				assert.Equal(t, tt.dialed, p.dialed)
				assert.Equal(t, tt.waited, time.Since(began))
			})
		})
	}
}

func TestOneConnectionOfHTTP2ServesAllAnswers(t *testing.T) {
	var connections atomic.Int32
	scripts := []func(reply){whole, func(r reply) { whole(r); forever(r) }, func(r reply) { r.refuse(429, "ThrottlingException", "no") }, whole}
	var calls int
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 2, r.ProtoMajor)
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		calls++
		scripts[calls-1](reply{t, w, r, body})
	}))
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	cfg := config(t, server.URL)
	cfg.HTTPClient = server.Client()
	c := converse.New(cfg, []string{region})
	for range scripts {
		_, _, _ = read(t, c)
	}
	assert.Equal(t, len(scripts), calls)
	assert.EqualValues(t, 1, connections.Load())
}

func TestAnswerWithoutEndIsWholeAfterAMoment(t *testing.T) {
	tests := map[string]func(reply){
		"that is silent": forever,
		"that goes on talking": func(r reply) {
			for r.flood(100) {
				r.w.(http.Flusher).Flush()
				select {
				case <-time.After(converse.LingerTime / 3):
				case <-r.r.Context().Done():
					return
				}
			}
		},
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r reply) { whole(r); script(r) }, func(t *testing.T, c *converse.Client, _ *pipes) {
				began := time.Now()
				texts, end, err := read(t, c)
				require.NoError(t, err)
				assert.Equal(t, []string{"whole"}, texts)
				assert.Equal(t, 35, end.Usage.Total())
				assert.Equal(t, converse.LingerTime, time.Since(began))
			})
		})
	}
}

func TestWordsDoNotWaitForTheEnd(t *testing.T) {
	together := func(r reply) {
		r.start()
		r.write(string(append(word(r.t), ending(r.t)...)))
		r.w.(http.Flusher).Flush()
		forever(r)
	}
	bubble(t, together, func(t *testing.T, c *converse.Client, _ *pipes) {
		began := time.Now()
		s, err := c.Open(t.Context(), target, ask("hello"))
		require.NoError(t, err)
		ev, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, "a word ", ev.Text)
		assert.Zero(t, time.Since(began))
		ev, err = s.Next()
		require.NoError(t, err)
		assert.NotNil(t, ev.End)
		assert.Equal(t, converse.LingerTime, time.Since(began))
		require.NoError(t, s.Close())
	})
}

// opened is the answer to a call under ctx once its only word was read.
func opened(ctx context.Context, t *testing.T, c *converse.Client) converse.Stream {
	t.Helper()
	s, err := c.Open(ctx, target, ask("hello"))
	require.NoError(t, err)
	ev, err := s.Next()
	require.NoError(t, err)
	assert.Equal(t, "half", ev.Text)
	return s
}

func half(r reply) {
	r.start()
	r.text("half")
}

func TestEndOfContextEndsARead(t *testing.T) {
	t.Run("when nobody waits any more", func(t *testing.T) {
		bubble(t, func(r reply) { half(r); forever(r) }, func(t *testing.T, c *converse.Client, _ *pipes) {
			ctx, cancel := context.WithCancel(t.Context())
			s := opened(ctx, t, c)
			time.AfterFunc(time.Minute, cancel)
			_, err := s.Next()
			assertClass(t, converse.Canceled, err)
			require.NoError(t, s.Close())
		})
	})
	t.Run("when it took too long", func(t *testing.T) {
		bubble(t, func(r reply) { half(r); forever(r) }, func(t *testing.T, c *converse.Client, _ *pipes) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s := opened(ctx, t, c)
			_, err := s.Next()
			assertClass(t, converse.Timeout, err)
			require.NoError(t, s.Close())
		})
	})
	t.Run("but takes no whole answer back that lacks its usage", func(t *testing.T) {
		bubble(t, func(r reply) { half(r); r.stop("end_turn"); forever(r) }, func(t *testing.T, c *converse.Client, _ *pipes) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s := opened(ctx, t, c)
			ev, err := s.Next()
			require.NoError(t, err)
			assert.Equal(t, &converse.End{Reason: converse.StopEnd}, ev.End)
			require.NoError(t, s.Close())
		})
	})
}

func TestCloseHangsUp(t *testing.T) {
	bubble(t, func(r reply) { half(r); forever(r) }, func(t *testing.T, c *converse.Client, p *pipes) {
		s := opened(t.Context(), t, c)
		assert.EqualValues(t, 1, p.open.Load())
		require.NoError(t, s.Close())
		synctest.Wait()
		assert.Zero(t, p.open.Load())
		require.NoError(t, s.Close(), "it is safe to repeat")
		_, err := s.Next()
		assertClass(t, converse.Canceled, err)
	})
}

// held is a body that its reader closed, or did not.
type held struct {
	io.Reader
	closed int
}

// Close implements io.Closer.
func (h *held) Close() error {
	h.closed++
	return nil
}

// answering is an HTTP client that answers with a body.
type answering struct {
	status int
	body   io.ReadCloser
}

// Do implements aws.HTTPClient.
func (a answering) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: a.body, Request: r}, nil
}

func TestBodyIsClosedWithItsStream(t *testing.T) {
	body := &held{Reader: bytes.NewReader(nil)}
	cfg := config(t, "http://bedrock.invalid")
	cfg.HTTPClient = answering{http.StatusOK, body}
	s, err := converse.New(cfg, []string{region}).Open(t.Context(), target, ask("hello"))
	require.NoError(t, err)
	assert.Zero(t, body.closed)
	require.NoError(t, s.Close())
	assert.Equal(t, 1, body.closed)
}

func TestBodyOfARefusalIsClosed(t *testing.T) {
	for name, reader := range map[string]io.Reader{
		"a whole one": bytes.NewReader([]byte(`{"message":"no"}`)),
		"a cut one":   io.MultiReader(bytes.NewReader([]byte(`{"mess`)), iotest.ErrReader(io.ErrUnexpectedEOF)),
	} {
		t.Run(name, func(t *testing.T) {
			body := &held{Reader: reader}
			cfg := config(t, "http://bedrock.invalid")
			cfg.HTTPClient = answering{http.StatusServiceUnavailable, body}
			_, err := converse.New(cfg, []string{region}).Open(t.Context(), target, ask("hello"))
			assertClass(t, converse.Unavailable, err)
			assert.NotZero(t, body.closed)
		})
	}
}
