package openai

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// walker walks over JSON that is known to be valid, and refuses what decoding
// would silently change: nesting without end, names that stand twice, and halves
// of characters.
type walker struct {
	data []byte
	at   int
	half int // where the first half of a character stands, 0 for nowhere
}

// value walks over one value, which lies in depth others.
func (w *walker) value(depth int) error {
	w.space()
	switch open := w.data[w.at]; open {
	case '{', '[':
		if depth == maxDepth {
			return invalid("", "invalid_json", "The request body nests deeper than %d levels, at byte %d.", maxDepth, w.at)
		}
		w.at++
		return w.members(open == '{', depth+1)
	case '"':
		w.text()
	default:
		for w.at < len(w.data) && bytes.IndexByte([]byte(",]} \t\r\n"), w.data[w.at]) < 0 {
			w.at++
		}
	}
	return nil
}

// members walks over what an object or array holds, up to its end.
func (w *walker) members(named bool, depth int) error {
	var seen map[string]bool
	for {
		switch w.space(); w.data[w.at] {
		case '}', ']':
			w.at++
			return nil
		case ',':
			w.at++
			continue
		}
		if named {
			name := w.name()
			if seen[name] {
				return invalid("", "invalid_json", "A name stands twice in one object, the second time at byte %d.", w.at)
			}
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[name] = true
			w.space()
			w.at++ // the colon
		}
		if err := w.value(depth); err != nil {
			return err
		}
	}
}

// name walks over a name and returns it as it is decoded.
func (w *walker) name() string {
	raw := w.text()
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var name string
	if json.Unmarshal(raw, &name) != nil {
		return string(raw)
	}
	return name
}

// text walks over a string and returns it with its quotes.
func (w *walker) text() []byte {
	from := w.at
	for w.at++; w.data[w.at] != '"'; w.at++ {
		if w.data[w.at] == '\\' {
			w.escape()
		}
	}
	w.at++
	return w.data[from:w.at]
}

// escape walks over an escape, up to its last byte. Two of them may be one
// character, in UTF-16's surrogates; one of those alone is none.
// Source: https://www.rfc-editor.org/rfc/rfc8259#section-8.2
func (w *walker) escape() {
	unit := w.unit()
	if !utf16.IsSurrogate(unit) {
		w.at++
		return
	}
	first := w.at
	w.at += len(`\uXXXX`)
	if utf16.DecodeRune(unit, w.unit()) == utf8.RuneError {
		w.half = cmp.Or(w.half, first)
		w.at = first + 1
		return
	}
	w.at++
}

// unit is the \u escape here, 0 if it is another escape or none.
func (w *walker) unit() rune {
	rest := w.data[w.at:]
	if len(rest) < len(`\uXXXX`) || rest[0] != '\\' || rest[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(rest[2:len(`\uXXXX`)]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}

func (w *walker) space() {
	for w.at < len(w.data) && bytes.IndexByte([]byte(" \t\r\n"), w.data[w.at]) >= 0 {
		w.at++
	}
}
