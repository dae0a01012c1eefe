package iam

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is the text that both sides of a signature agree on.
func canonicalRequest(r *http.Request, body []byte, sig signature) string {
	var headers strings.Builder
	for _, name := range sig.headers {
		headers.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	return strings.Join([]string{
		r.Method, canonicalPath(r.URL, sig.service), canonicalQuery(r.URL.RawQuery),
		headers.String(), strings.Join(sig.headers, ";"), hash(body),
	}, "\n")
}

// canonicalPath is the escaped path, escaped once more for all services but
// S3, whose keys may also hold what looks like a relative path.
func canonicalPath(u *url.URL, service string) string {
	p := u.EscapedPath()
	if service == "s3" {
		return p
	}
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	segments := strings.Split(clean, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery sorts by name, then by value, after escaping.
func canonicalQuery(raw string) string {
	var pairs [][2]string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, [2]string{reescape(name), reescape(value)})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = p[0] + "=" + p[1]
	}
	return strings.Join(texts, "&")
}

// reescape escapes as the signature wants, however the client did. What is not
// escaped properly stands for itself.
func reescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		plain = s
	}
	return escape(plain)
}

// escape leaves RFC 3986's unreserved characters only.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// canonicalHeader joins a header's values, each with single spaces. The host
// and the length may stand outside of the header map.
func canonicalHeader(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		words := strings.FieldsFunc(v, func(c rune) bool { return c == ' ' })
		trimmed[i] = strings.TrimSpace(strings.Join(words, " "))
	}
	return strings.Join(trimmed, ",")
}

// sign derives the key of the day, the region and the service from the secret.
func (sig *signature) sign(secret, request string) string {
	scope := strings.Join([]string{sig.day, sig.region, sig.service, terminator}, "/")
	key := []byte("AWS4" + secret)
	for _, part := range []string{sig.day, sig.region, sig.service, terminator} {
		key = mac(key, part)
	}
	toSign := strings.Join([]string{algorithm, sig.date, scope, hash([]byte(request))}, "\n")
	return hex.EncodeToString(mac(key, toSign))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
