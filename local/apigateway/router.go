package apigateway

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// resource is one path of an API.
type resource struct {
	id, path string
	segments []segment
	methods  map[string]*method
}

type segment struct {
	name string // literal text, or the name of the variable
	kind segmentKind
}

// segmentKind orders segments by precedence.
type segmentKind int

const (
	literal  segmentKind = iota
	variable             // {name}
	greedy               // {name+}: the rest of the path
)

var (
	literalPart  = regexp.MustCompile(`^[a-zA-Z0-9._\-:]+$`)
	variablePart = regexp.MustCompile(`^\{([a-zA-Z0-9._\-]+)(\+?)\}$`)
)

func parsePath(path string) ([]segment, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("path %q does not begin with a slash", path)
	}
	if path == "/" {
		return nil, nil
	}
	parts := strings.Split(path[1:], "/")
	segments := make([]segment, len(parts))
	for i, part := range parts {
		m := variablePart.FindStringSubmatch(part)
		switch {
		case m != nil && m[2] == "":
			segments[i] = segment{m[1], variable}
		case m != nil && i == len(parts)-1:
			segments[i] = segment{m[1], greedy}
		case literalPart.MatchString(part):
			segments[i] = segment{part, literal}
		default:
			return nil, fmt.Errorf("path %q: part %q is neither plain text, {variable} nor a trailing {variable+}", path, part)
		}
	}
	return segments, nil
}

// arrange sorts resources by precedence and refuses two names for one variable.
func (d *document) arrange() error {
	slices.SortFunc(d.resources, func(a, b *resource) int { return slices.CompareFunc(a.segments, b.segments, compare) })
	names := map[string]string{} // path up to a variable -> its name
	for _, r := range d.resources {
		prefix := ""
		for _, s := range r.segments {
			if s.kind == literal {
				prefix += "/" + s.name
				continue
			}
			prefix += "/{}"
			if other, ok := names[prefix]; ok && other != s.name {
				return fmt.Errorf("path %q: a sibling ({%s}) of this resource already has a variable path part, only one is allowed",
					r.path, other)
			}
			names[prefix] = s.name
		}
	}
	return nil
}

func compare(a, b segment) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
}

// deployable refuses a document that API Gateway would not deploy.
func (d *document) deployable() error {
	count := 0
	for _, r := range d.resources {
		for name, m := range r.methods {
			count++
			if m.integration == nil {
				return badRequest("No integration defined for method: %s %s", name, r.path)
			}
		}
	}
	if count == 0 {
		return badRequest("The REST API doesn't contain any methods")
	}
	return nil
}

// route finds the resource of an escaped path, and the decoded values of its
// variables.
func (d *document) route(escaped string) (*resource, map[string]string) {
	var parts []string
	if escaped != "/" && escaped != "" {
		parts = strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	}
	for i, part := range parts {
		decoded, err := url.PathUnescape(part)
		if err != nil {
			return nil, nil
		}
		parts[i] = decoded
	}
	for _, r := range d.resources {
		if values, ok := r.match(parts); ok {
			return r, values
		}
	}
	return nil, nil
}

func (r *resource) match(parts []string) (map[string]string, bool) {
	values := map[string]string{}
	for i, s := range r.segments {
		switch {
		case i >= len(parts) || parts[i] == "":
			return nil, false
		case s.kind == greedy:
			values[s.name] = strings.Join(parts[i:], "/")
			return values, true
		case s.kind == variable:
			values[s.name] = parts[i]
		case s.name != parts[i]:
			return nil, false
		}
	}
	return values, len(parts) == len(r.segments)
}
