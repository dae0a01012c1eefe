package openai

import (
	"encoding/base64"
	"errors"
	"mime"
	"strings"
)

// Faults of a data URL, in words that fit behind "Invalid 'x': ".
var (
	errNoDataURL = errors.New("it is no data URL such as data:image/png;base64,…, and this service fetches nothing")
	errNoBase64  = errors.New("its data is not base64")
	errNoData    = errors.New("it holds no data")
)

// decodeDataURL returns what a base64 data URL holds, and its media type in
// lower case and without parameters. Any other URL is an error: the gateway
// fetches nothing on a caller's behalf, or it could be sent to places that only
// it can reach, and outside the jurisdiction.
// Source: https://www.rfc-editor.org/rfc/rfc2397
func decodeDataURL(url string) (mediaType string, data []byte, err error) {
	head, encoded, found := strings.Cut(url, ",")
	const scheme = "data:"
	if !found || len(head) < len(scheme) || !strings.EqualFold(head[:len(scheme)], scheme) {
		return "", nil, errNoDataURL
	}
	declared, isBase64 := strings.CutSuffix(head[len(scheme):], ";base64")
	mediaType, _, err = mime.ParseMediaType(declared)
	if err != nil || !isBase64 {
		return "", nil, errNoDataURL
	}
	data, err = base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil:
		return "", nil, errNoBase64
	case len(data) == 0:
		return "", nil, errNoData
	default:
		return mediaType, data, nil
	}
}
