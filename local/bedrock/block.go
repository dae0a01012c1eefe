package bedrock

import (
	"bytes"
	"encoding/json"
	"fmt"
	stdimage "image"
	_ "image/gif"  // sizes of images
	_ "image/jpeg" // in these formats
	_ "image/png"  // are told
	"slices"
	"strings"
)

// block is a union: exactly one member names its kind, and the field of that
// kind is set.
type block struct {
	kind       string
	text       string
	image      *image
	document   *document
	toolUse    *toolUse
	toolResult *toolResult
	reasoning  *reasoningContent
	cache      *cachePoint
}

// Kinds of block that the model acts on.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
type (
	source struct {
		Bytes []byte `json:"bytes"`
	}
	image struct {
		Format string `json:"format"`
		Source source `json:"source"`
	}
	document struct {
		Format string `json:"format"`
		Name   string `json:"name"`
		Source source `json:"source"`
	}
	toolUse struct {
		ID    string          `json:"toolUseId"`
		Name  string          `json:"name"`
		Input json.RawMessage `json:"input"`
	}
	toolResult struct {
		ID      string  `json:"toolUseId"`
		Content []block `json:"content"`
		Status  string  `json:"status"`
	}
	reasoningContent struct {
		Text *struct {
			Text      string `json:"text"`
			Signature string `json:"signature"`
		} `json:"reasoningText"`
		Redacted []byte `json:"redactedContent"`
	}
	cachePoint struct {
		Type string `json:"type"`
		TTL  string `json:"ttl"`
	}
)

// otherBlocks are the kinds that Converse knows besides.
var otherBlocks = []string{"video", "audio", "guardContent", "citationsContent", "searchResult", "toolAddition", "toolRemoval", "json"}

// UnmarshalJSON decodes a block of a kind that the model acts on, and keeps the
// kind of any other.
func (b *block) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if len(members) != 1 {
		return fmt.Errorf("a content block has %d members, want exactly one", len(members))
	}
	for b.kind = range members {
	}
	value := members[b.kind]
	switch b.kind {
	case "text":
		return strictly(value, &b.text)
	case "image":
		return strictly(value, &b.image)
	case "document":
		return strictly(value, &b.document)
	case "toolUse":
		return strictly(value, &b.toolUse)
	case "toolResult":
		return strictly(value, &b.toolResult)
	case "reasoningContent":
		return strictly(value, &b.reasoning)
	case "cachePoint":
		return strictly(value, &b.cache)
	default:
		return nil
	}
}

// strictly decodes one value, which is not null, and refuses members that v does
// not have.
func strictly(data []byte, v any) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return fmt.Errorf("null in place of %T", v)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// all yields the blocks of kind in b and in what tools answered.
func all(blocks []block, kind string) []block {
	var found []block
	for _, b := range blocks {
		if b.kind == kind {
			found = append(found, b)
		}
		if b.toolResult != nil {
			found = append(found, all(b.toolResult.Content, kind)...)
		}
	}
	return found
}

func has(blocks []block, kinds ...string) bool {
	return slices.ContainsFunc(blocks, func(b block) bool { return slices.Contains(kinds, b.kind) })
}

// textOf is all text in blocks, and in what tools answered.
func textOf(blocks []block) string {
	var texts []string
	for _, b := range all(blocks, "text") {
		texts = append(texts, b.text)
	}
	return strings.Join(texts, " ")
}

// imageTokens is what any image counts for.
const imageTokens = 64

// tokens is what b counts for.
func (b block) tokens() int {
	switch b.kind {
	case "image":
		return imageTokens
	case "document":
		return len(b.document.Source.Bytes)/4 + 1
	case "toolUse":
		return len(tokenize(string(b.toolUse.Input)))
	case "toolResult":
		n := 0
		for _, c := range b.toolResult.Content {
			n += c.tokens()
		}
		return n
	case "reasoningContent":
		if b.reasoning.Text != nil {
			return len(tokenize(b.reasoning.Text.Text))
		}
		return 0
	default:
		return len(tokenize(b.text))
	}
}

func (s toolSpec) tokens() int { return len(tokenize(canonical(s))) }

// describe is what the model sees of an image or a document.
func (b block) describe() string {
	if b.document != nil {
		return fmt.Sprintf("a %s file named %s of %d bytes", b.document.Format, b.document.Name, len(b.document.Source.Bytes))
	}
	size := ""
	if c, _, err := stdimage.DecodeConfig(bytes.NewReader(b.image.Source.Bytes)); err == nil {
		size = fmt.Sprintf(" of %dx%d pixels", c.Width, c.Height)
	}
	return fmt.Sprintf("a %s image%s in %d bytes", b.image.Format, size, len(b.image.Source.Bytes))
}

// inputTokens is all that the model reads.
func (r converseRequest) inputTokens() int {
	n := 0
	for _, blocks := range r.texts() {
		for _, b := range blocks {
			n += b.tokens()
		}
	}
	if r.ToolConfig != nil {
		for _, spec := range r.ToolConfig.specs() {
			n += spec.tokens()
		}
	}
	return n
}
