// Package upstream stands in for Amazon Bedrock where time is measured: it says
// the same words to every question, at once or at a model's pace, and costs as
// little as it can. It checks nothing; the stand-in that does is local/bedrock.
package upstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// Word begins each of the words of an answer, so that whoever reads one can count
// them in any encoding.
const Word = "word"

// Models, as the last part of a model's id or of a profile's ARN.
const (
	Instant = "instant" // says [InstantWords] words at once
	Paced   = "paced"   // says [PacedWords] words at a model's pace
)

// How many words an answer has.
const (
	InstantWords = 16
	PacedWords   = 32
)

// The pace of [Paced]: how long it thinks, and how long it takes for a word, as a
// quick model of today does.
const (
	FirstWord = 50 * time.Millisecond
	NextWord  = 20 * time.Millisecond
)

// speech is one model's answer, encoded once.
type speech struct {
	whole  []byte
	frames [][]byte // of the words
	end    []byte   // what follows them
	first  time.Duration
	next   time.Duration
}

// New returns the stand-in. It answers Converse and ConverseStream; all other
// requests get 404.
func New() (http.Handler, error) {
	speeches := map[string]speech{}
	for name, words := range map[string]int{Instant: InstantWords, Paced: PacedWords} {
		s, err := compose(words)
		if err != nil {
			return nil, err
		}
		if name == Paced {
			s.first, s.next = FirstWord, NextWord
		}
		speeches[name] = s
	}
	mux := http.NewServeMux()
	handle := func(operation string, answer func(speech, http.ResponseWriter, *http.Request)) {
		mux.HandleFunc("POST /model/{id}/"+operation, func(w http.ResponseWriter, r *http.Request) {
			id := r.PathValue("id")
			s, ok := speeches[id[strings.LastIndexAny(id, "/.")+1:]]
			if !ok {
				http.Error(w, `{"message":"no such model"}`, http.StatusNotFound)
				return
			}
			answer(s, w, r)
		})
	}
	handle("converse", speech.converse)
	handle("converse-stream", speech.converseStream)
	return mux, nil
}

func compose(words int) (speech, error) {
	var s speech
	var text strings.Builder
	usage := fmt.Sprintf(`"usage":{"inputTokens":12,"outputTokens":%d,"totalTokens":%d},"metrics":{"latencyMs":1}`, words, words+12)
	start, err := frame("messageStart", `{"role":"assistant"}`)
	if err != nil {
		return speech{}, err
	}
	for i := range words {
		word := fmt.Sprintf("%s%04d ", Word, i)
		text.WriteString(word)
		f, err := frame("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":%q}}`, word))
		if err != nil {
			return speech{}, err
		}
		s.frames = append(s.frames, f)
	}
	s.frames[0] = append(start, s.frames[0]...)
	for _, e := range [][2]string{
		{"contentBlockStop", `{"contentBlockIndex":0}`}, {"messageStop", `{"stopReason":"end_turn"}`}, {"metadata", "{" + usage + "}"},
	} {
		f, err := frame(e[0], e[1])
		if err != nil {
			return speech{}, err
		}
		s.end = append(s.end, f...)
	}
	said, err := json.Marshal(text.String())
	s.whole = fmt.Appendf(nil, `{"output":{"message":{"role":"assistant","content":[{"text":%s}]}},"stopReason":"end_turn",%s}`, said, usage)
	return s, err
}

func frame(kind, payload string) ([]byte, error) {
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(":message-type", eventstream.StringValue("event"))
	m.Headers.Set(":event-type", eventstream.StringValue(kind))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	var b bytes.Buffer
	err := eventstream.NewEncoder().Encode(&b, m)
	return b.Bytes(), err
}

// converse takes as long as the stream would.
func (s speech) converse(w http.ResponseWriter, r *http.Request) {
	if !sleep(r, s.first+time.Duration(len(s.frames)-1)*s.next) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.whole) // who hung up has no use for an error
}

func (s speech) converseStream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	if s.next == 0 {
		for _, f := range s.frames {
			if _, err := w.Write(f); err != nil {
				return
			}
		}
		_, _ = w.Write(s.end)
		return
	}
	flusher := http.NewResponseController(w)
	due := time.Now().Add(s.first)
	for _, f := range s.frames {
		if !sleep(r, time.Until(due)) {
			return
		}
		if _, err := w.Write(f); err != nil || flusher.Flush() != nil {
			return
		}
		due = due.Add(s.next)
	}
	_, _ = w.Write(s.end)
}

// sleep reports false if the caller is gone.
func sleep(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
