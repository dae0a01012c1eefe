package awsenv_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/awsenv"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// transport is that of the AWS clients, for a server with certificate whose
// connections dial returns.
func transport(t *testing.T, certificate *x509.Certificate, dial func() net.Conn) *http.Transport {
	t.Helper()
	cfg, err := awsenv.Config(lambdaEnv())
	require.NoError(t, err)
	client, ok := cfg.HTTPClient.(*http.Client)
	require.True(t, ok)
	tr := awsenv.TransportOf(client)
	tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial(), nil }
	tr.TLSClientConfig.RootCAs = x509.NewCertPool()
	tr.TLSClientConfig.RootCAs.AddCert(certificate)
	return tr
}

// certified is a server that lends its certificate, for example.com.
func certified(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server
}

func TestOldTLSIsRefused(t *testing.T) {
	server := certified(t)
	ours, theirs := net.Pipe()
	old := tls.Server(theirs, &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	go func() { _ = old.Handshake() }()
	defer func() { assert.NoError(t, theirs.Close()) }()
	tr := transport(t, server.Certificate(), func() net.Conn { return ours })
	assert.EqualValues(t, tls.VersionTLS12, tr.TLSClientConfig.MinVersion, "said, whatever the default is")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", nil)
	require.NoError(t, err)
	_, err = tr.RoundTrip(r)
	assert.ErrorContains(t, err, "protocol version")
}

// closedEarly is a body of the SDK's that was closed while it was being sent.
type closedEarly struct{ io.Reader }

// WriteTo implements [io.WriterTo].
func (closedEarly) WriteTo(io.Writer) (int64, error) { return 0, io.EOF }

// Close implements [io.Closer].
func (closedEarly) Close() error { return nil }

func TestAnswerThatIsFasterThanItsRequestIsRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		assert.NoError(t, err)
	}))
	defer server.Close()
	cfg, err := awsenv.Config(lambdaEnv())
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, closedEarly{strings.NewReader("question")})
	require.NoError(t, err)
	r.ContentLength = int64(len("question"))
	resp, err := cfg.HTTPClient.Do(r)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "question", string(body))
}
