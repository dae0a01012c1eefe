// Package signing signs HTTP requests for an API whose callers IAM checks, so
// that a client that knows nothing of it, such as an OpenAI SDK, can call it.
package signing

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4"
	"github.com/aws/smithy-go/aws-http-auth/sigv4a"
)

// service is what API Gateway wants a signature to be for.
const service = "execute-api"

// Transport signs requests and sends them on. It takes the place of whatever
// Authorization a request has. Each time that a client repeats a request, it is
// signed anew.
type Transport struct {
	// Credentials are asked for with each request, so that they may be of a
	// session, which expires. Required.
	Credentials aws.CredentialsProvider
	// Regions that may answer. For one, the signature is SigV4, which a name of
	// that region takes; for several, or "*", it is SigV4a, which the shared name
	// needs. Required.
	Regions []string
	// Next is http.DefaultTransport if nil.
	Next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := read(r)
	if err != nil {
		return nil, fmt.Errorf("sign a request: read its body: %w", err)
	}
	signed := r.Clone(r.Context())
	signed.Body, signed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if signed.Host == "" {
		signed.Host = signed.URL.Host
	}
	if err := t.sign(signed, body); err != nil {
		return nil, fmt.Errorf("sign a request: %w", err)
	}
	next := t.Next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(signed)
}

// read reads and closes the body, since a signature covers all of it.
func read(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	return body, errors.Join(err, r.Body.Close())
}

func (t *Transport) sign(r *http.Request, body []byte) error {
	got, err := t.Credentials.Retrieve(r.Context())
	if err != nil {
		return err
	}
	r.Header.Del("Authorization")
	sum, now := sha256.Sum256(body), time.Now()
	by := credentials.Credentials{AccessKeyID: got.AccessKeyID, SecretAccessKey: got.SecretAccessKey, SessionToken: got.SessionToken}
	switch {
	case len(t.Regions) == 0:
		return errors.New("no region: name those that may answer")
	case len(t.Regions) == 1 && t.Regions[0] != "*":
		return sigv4.New().SignRequest(&sigv4.SignRequestInput{
			Request: r, PayloadHash: sum[:], Credentials: by, Service: service, Region: t.Regions[0], Time: now,
		})
	default:
		return sigv4a.New().SignRequest(&sigv4a.SignRequestInput{
			Request: r, PayloadHash: sum[:], Credentials: by, Service: service, RegionSet: t.Regions, Time: now,
		})
	}
}
