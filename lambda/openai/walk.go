package openai

import (
	"bytes"
	"encoding/json"
)

// walker walks over JSON that is known to be valid, and refuses nesting without
// end and names that stand twice, of which decoding would silently drop one.
type walker struct {
	data []byte
	at   int
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
			w.at++
		}
	}
	w.at++
	return w.data[from:w.at]
}

func (w *walker) space() {
	for w.at < len(w.data) && bytes.IndexByte([]byte(" \t\r\n"), w.data[w.at]) >= 0 {
		w.at++
	}
}
