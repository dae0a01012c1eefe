package openai

import (
	"bytes"
	"net/http"
	"path"
	"strings"

	"github.com/crossregion/crossregion/lambda/converse"
)

// Formats by media type, and those of documents by the endings of file names
// too, since many clients call what they do not know application/octet-stream.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
var (
	imageFormats = map[string]string{
		"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp",
	}
	documentFormats = map[string]string{
		"application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/markdown": "md",
		"application/msword": "doc", "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
		"application/vnd.ms-excel": "xls", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
	}
	documentEndings = map[string]string{
		".pdf": "pdf", ".csv": "csv", ".html": "html", ".txt": "txt", ".md": "md",
		".doc": "doc", ".docx": "docx", ".xls": "xls", ".xlsx": "xlsx",
	}
)

// detail takes how closely to look at an image or a file. It is a hint: models on
// Bedrock look at what they are given.
func detail(o *object) string { return oneOf(o, "detail", "auto", "low", "high", "original") }

// pdfHead is within how many bytes a PDF says that it is one.
const pdfHead = 1024

// imagePart returns the image in a data URL, the value of o's member name. What
// its data is counts, since clients call images image/jpg, or all of them PNG.
func imagePart(o *object, name, url string) converse.Part {
	mediaType, data, err := decodeDataURL(url)
	format, known := imageFormats[http.DetectContentType(data)]
	switch {
	case err != nil:
		o.invalid(name, "%v", err)
	case !known || !strings.HasPrefix(mediaType, "image/"):
		o.invalid(name, "images are PNG, JPEG, GIF or WebP, of type image/png, image/jpeg, image/gif or image/webp")
	}
	return converse.Part{Image: &converse.Image{Format: format, Bytes: data}}
}

// documentPart returns the file in a data URL, the value of o's member name.
// What the file is called serves to recognize its format only: a model takes a
// name for part of its instructions, and Bedrock asks for neutral ones.
func documentPart(o *object, name, url, filename string) converse.Part {
	mediaType, data, err := decodeDataURL(url)
	format, known := documentFormats[mediaType]
	if !known {
		format, known = documentEndings[strings.ToLower(path.Ext(filename))]
	}
	switch {
	case err != nil:
		o.invalid(name, "%v", err)
	case !known:
		o.invalid(name, "files are PDF, CSV, Word, Excel, HTML, Markdown or plain text; neither media type nor 'filename' says which")
	case format == "pdf" && !bytes.Contains(data[:min(len(data), pdfHead)], []byte("%PDF-")):
		o.invalid(name, "its data is not PDF")
	}
	return converse.Part{Document: &converse.Document{Format: format, Bytes: data}}
}
