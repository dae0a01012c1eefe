package bedrock

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Limits of images and documents in one request.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
const (
	maxImages        = 20
	maxImageBytes    = 3_750_000
	maxDocuments     = 5
	maxDocumentBytes = 4_500_000
)

var (
	documentName    = regexp.MustCompile(`^[a-zA-Z0-9()\[\]-]+( [a-zA-Z0-9()\[\]-]+)*$`)
	documentFormats = []string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}
	imageTypes      = map[string]string{"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
)

// where are the kinds of block that each place takes.
var where = map[string][]string{
	"system":     {"text", "cachePoint"},
	"user":       {"text", "image", "document", "toolResult", "cachePoint"},
	"assistant":  {"text", "toolUse", "reasoningContent", "cachePoint"},
	"toolResult": {"text", "image", "document"},
}

// validateBlocks checks each block by itself; place is a key of [where].
func validateBlocks(path, place string, blocks []block) error {
	for i, b := range blocks {
		at := fmt.Sprintf("%s.%d", path, i)
		known := slices.Contains(where["user"], b.kind) || slices.Contains(where["assistant"], b.kind)
		switch {
		case slices.Contains(otherBlocks, b.kind):
			return unsupported(b.kind + " at " + at)
		case !known:
			return invalid("Malformed input request: the block at %s has the unknown member %q.", at, b.kind)
		case !slices.Contains(where[place], b.kind):
			return invalid("The block of kind %s at %s does not belong to %s content.", b.kind, at, place)
		}
		if err := b.validate(at); err != nil {
			return err
		}
	}
	return nil
}

func (b block) validate(at string) error {
	switch b.kind {
	case "image":
		return b.image.validate(at)
	case "document":
		return b.document.validate(at)
	case "toolUse":
		return b.toolUse.validate(at)
	case "toolResult":
		return b.toolResult.validate(at)
	case "cachePoint":
		return b.cache.validate(at)
	case "text":
		if strings.TrimSpace(b.text) == "" {
			return invalid("The text field in the ContentBlock object at %s is blank. Add text to the text field, and try again.", at)
		}
	}
	return nil
}

func (i image) validate(at string) error {
	want, known := imageTypes[i.Format]
	switch {
	case !known:
		return outOfBounds(at+".image.format", i.Format, "one of png, jpeg, gif and webp")
	case len(i.Source.Bytes) > maxImageBytes:
		return invalid("The model returned the following errors: %s: image exceeds %d bytes", at, maxImageBytes)
	case http.DetectContentType(i.Source.Bytes) != want:
		return invalid("The model returned the following errors: %s: Could not process image", at)
	default:
		return nil
	}
}

func (d document) validate(at string) error {
	switch {
	case !slices.Contains(documentFormats, d.Format):
		return outOfBounds(at+".document.format", d.Format, "one of "+strings.Join(documentFormats, ", "))
	case len(d.Name) > 200 || !documentName.MatchString(d.Name):
		return invalid("The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, " +
			"and square brackets. The name can't contain more than one consecutive whitespace character.")
	case len(d.Source.Bytes) == 0:
		return outOfBounds(at+".document.source.bytes", "''", "at least 1 byte long")
	case len(d.Source.Bytes) > maxDocumentBytes:
		return invalid("The document at %s exceeds %d bytes.", at, maxDocumentBytes)
	case d.Format == "pdf" && !strings.HasPrefix(string(d.Source.Bytes), "%PDF-"):
		return invalid("The model returned the following errors: The PDF specified was not valid.")
	default:
		return nil
	}
}

// validateAttachments checks what images and documents of a request add up to.
func (r converseRequest) validateAttachments(m model) error {
	var images, documents []block
	for i, msg := range r.Messages {
		images = append(images, all(msg.Content, "image")...)
		documents = append(documents, all(msg.Content, "document")...)
		if has(msg.Content, "document") && !has(msg.Content, "text") {
			return invalid("The content of messages.%d has a document and no text. Add a text block, and try again.", i)
		}
	}
	names := map[string]bool{}
	for _, d := range documents {
		if names[d.document.Name] {
			return invalid("The name of each document in a request must be unique: %s stands twice.", d.document.Name)
		}
		names[d.document.Name] = true
	}
	switch {
	case len(images) > 0 && !m.can("images"):
		return invalid("This model doesn't support the image content block that you provided. Remove the content block and try again.")
	case len(documents) > 0 && !m.can("documents"):
		return invalid("This model doesn't support documents. Try again without a document.")
	case len(images) > maxImages:
		return invalid("You have exceeded the maximum of %d images.", maxImages)
	case len(documents) > maxDocuments:
		return invalid("You have exceeded the maximum of %d documents.", maxDocuments)
	default:
		return nil
	}
}
