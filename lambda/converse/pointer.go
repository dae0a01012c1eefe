package converse

import (
	"net/url"
	"strconv"
	"strings"
)

var pointerEscapes = strings.NewReplacer("~1", "/", "~0", "~")

// pointer is the way from the root of a schema to what a reference leads to, name
// by name; not ok if that is the root itself, or not in the schema.
// Source: https://www.rfc-editor.org/rfc/rfc6901#section-6
func pointer(reference string) (path []string, ok bool) {
	fragment, local := strings.CutPrefix(reference, "#/")
	decoded, err := url.PathUnescape(fragment)
	if !local || err != nil {
		return nil, false
	}
	path = strings.Split(decoded, "/")
	for i, token := range path {
		path[i] = pointerEscapes.Replace(token)
	}
	return path, true
}

// pointed is what a path leads to in a schema, nil if to nothing.
func pointed(v any, path []string) any {
	for _, token := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[token]
		case []any:
			v = element(at, token)
		default:
			return nil
		}
	}
	return v
}

// element is that of a list with the number, written without leading zeros.
func element(list []any, number string) any {
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(list) || strconv.Itoa(i) != number {
		return nil
	}
	return list[i]
}
