package awsenv

import "net/http"

// TransportOf is what the client of a configuration sends its requests with, but
// for what is done to their bodies.
func TransportOf(c *http.Client) *http.Transport {
	return c.Transport.(plainBodies).RoundTripper.(*http.Transport)
}
