package bench_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/crossregion/crossregion/local/bench"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pieces answers with a status and pieces, each of which is flushed.
func pieces(t *testing.T, status int, asked *atomic.Int64, all ...string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(status)
		for _, p := range all {
			_, err := w.Write([]byte(p))
			assert.NoError(t, err)
			assert.NoError(t, http.NewResponseController(w).Flush())
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestEachInFlightAsksOnceAtLeast(t *testing.T) {
	var asked atomic.Int64
	samples, gaps, err := bench.Ask(t.Context(), pieces(t, http.StatusOK, &asked, "word1 word2"), 2, 5)
	require.NoError(t, err)
	assert.Equal(t, 5, samples)
	assert.EqualValues(t, 5, asked.Load())
	assert.Zero(t, gaps, "words that come together have none between them")
}

func TestWordsAreCountedWhereverTheyAreCut(t *testing.T) {
	const said = "word1 wow word2 worword3 wordword wor"
	for name, r := range map[string]io.Reader{
		"at once":      strings.NewReader(said),
		"byte by byte": iotest.OneByteReader(strings.NewReader(said)),
		"in halves":    iotest.HalfReader(strings.NewReader(said)),
	} {
		words, err := bench.CountWords(r)
		require.NoError(t, err)
		assert.Equal(t, 5, words, name)
	}
	_, err := bench.CountWords(iotest.ErrReader(io.ErrUnexpectedEOF))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestAnswersThatAreNotWholeAreErrors(t *testing.T) {
	tests := []struct {
		name   string
		status int
		text   string
	}{
		{"a failure", http.StatusBadGateway, "word1 word2"},
		{"a word too few", http.StatusOK, "word1"},
		{"a word too many", http.StatusOK, "word1 word2 word3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int64
			_, _, err := bench.Ask(t.Context(), pieces(t, tt.status, &asked, tt.text), 2, 1)
			assert.ErrorContains(t, err, "want 200 with 2")
		})
	}
}

func TestARequestIsMadeAgainWhileItIsAnswered503(t *testing.T) {
	tests := []struct {
		name     string
		statuses []int // of the answers; the last is repeated
		again    int
		want     int // how often it is made again
		err      string
	}{
		{"an answer is the last", []int{200}, 2, 0, ""},
		{"the third answers", []int{503, 503, 200}, 2, 2, ""},
		{"no more than allowed", []int{503, 503, 503}, 2, 2, "status 503"},
		{"not at all unless allowed", []int{503, 200}, 0, 0, "status 503"},
		{"not after another failure", []int{500, 200}, 2, 0, "status 500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.statuses[min(asked, len(tt.statuses)-1)])
				asked++
				_, err := io.WriteString(w, bench.Word)
				assert.NoError(t, err)
			}))
			defer s.Close()
			got, err := bench.AskAgain(t.Context(), s.URL, tt.again)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.want+1, asked)
			if tt.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.err)
		})
	}
}
