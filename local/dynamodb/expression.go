package dynamodb

import (
	"slices"
	"strings"
)

// maxExpressionBytes is the longest expression that DynamoDB takes.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxExpressionBytes = 4096

// bindings are what the expressions of one request may refer to.
type bindings struct {
	names  map[string]string
	values map[string]value
	used   map[string]bool
}

func newBindings(names map[string]string, values map[string]value) *bindings {
	return &bindings{names: names, values: values, used: map[string]bool{}}
}

// unused refuses what no expression has referred to, as DynamoDB does.
func (b *bindings) unused() error {
	for alias := range b.names {
		if !b.used[alias] {
			return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", alias)
		}
	}
	for alias := range b.values {
		if !b.used[alias] {
			return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", alias)
		}
	}
	return nil
}

// parser reads one expression.
type parser struct {
	*bindings
	parameter string // that holds the expression
	tokens    []string
}

func (b *bindings) parse(parameter, text string) (*parser, error) {
	p := &parser{bindings: b, parameter: parameter}
	if len(text) > maxExpressionBytes {
		return nil, p.refuse("Expression size has exceeded the maximum allowed size of %d bytes", maxExpressionBytes)
	}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n\f") {
		n := tokenLength(rest)
		if n == 0 {
			return nil, p.refuse("Syntax error near %q", rest)
		}
		p.tokens, rest = append(p.tokens, rest[:n]), rest[n:]
	}
	if len(p.tokens) == 0 {
		return nil, p.refuse("The expression can not be empty;")
	}
	return p, nil
}

// tokenLength is that of the token that text begins with, 0 for none: a word,
// perhaps the alias of a name or a value, or an operator.
func tokenLength(text string) int {
	switch {
	case strings.HasPrefix(text, "<=") || strings.HasPrefix(text, ">=") || strings.HasPrefix(text, "<>"):
		return 2
	case strings.IndexByte("=<>(),.[]+-", text[0]) >= 0:
		return 1
	}
	word := strings.TrimPrefix(strings.TrimPrefix(text, "#"), ":")
	sigil := len(text) - len(word)
	n := 0
	for n < len(word) && (isLetter(word[n]) || '0' <= word[n] && word[n] <= '9' || word[n] == '_') {
		n++
	}
	if n == 0 || sigil > 1 {
		return 0
	}
	return sigil + n
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func (p *parser) refuse(format string, args ...any) error {
	return invalid("Invalid "+p.parameter+": "+format, args...)
}

// peek is the token that comes after n others; it is empty at the end.
func (p *parser) peek(n int) string {
	if n >= len(p.tokens) {
		return ""
	}
	return p.tokens[n]
}

// next takes the next token; it is empty at the end.
func (p *parser) next() string {
	token := p.peek(0)
	p.tokens = p.tokens[min(1, len(p.tokens)):]
	return token
}

// accept takes the next token if it is the given one, in any case.
func (p *parser) accept(token string) bool {
	if len(p.tokens) == 0 || !strings.EqualFold(p.tokens[0], token) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(token string) error {
	if !p.accept(token) {
		return p.refuse("Syntax error: want %q before %q", token, strings.Join(p.tokens, " "))
	}
	return nil
}

// name takes an attribute name, by itself or by its alias.
func (p *parser) name() (string, error) {
	token := p.next()
	if strings.HasPrefix(token, "#") {
		name, ok := p.names[token]
		if !ok {
			return "", p.refuse("An expression attribute name used in the document path is not defined; attribute name: %s", token)
		}
		p.used[token] = true
		return name, nil
	}
	if token == "" || !isLetter(token[0]) {
		return "", p.refuse("Syntax error: want an attribute name, got %q", token)
	}
	if reserved(token) {
		return "", p.refuse("Attribute name is a reserved keyword; reserved keyword: %s", token)
	}
	return token, nil
}

func (p *parser) value() (value, error) {
	token := p.next()
	v, ok := p.values[token]
	if !ok {
		return value{}, p.refuse("An expression attribute value used in expression is not defined; attribute value: %s", token)
	}
	p.used[token] = true
	return v, nil
}

// projection returns the names that a ProjectionExpression keeps, nil for all.
func (b *bindings) projection(text *string) ([]string, error) {
	if text == nil {
		return nil, nil
	}
	p, err := b.parse("ProjectionExpression", *text)
	if err != nil {
		return nil, err
	}
	var names []string
	for {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		if slices.Contains(names, name) {
			return nil, p.refuse("Two document paths overlap with each other; must remove or rewrite one of these paths; path: [%s]", name)
		}
		names = append(names, name)
		if len(p.tokens) == 0 {
			return names, nil
		}
		if !p.accept(",") {
			return nil, p.refuse("this stand-in knows attribute names separated by commas, not %q", p.tokens[0])
		}
	}
}

func (i item) project(names []string) item {
	if names == nil || i == nil {
		return i
	}
	kept := item{}
	for _, name := range names {
		if v, ok := i[name]; ok {
			kept[name] = v
		}
	}
	return kept
}
