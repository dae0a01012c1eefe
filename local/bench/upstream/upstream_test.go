package upstream_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/bench/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ask(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(body)
}

func handler(t *testing.T) http.Handler {
	t.Helper()
	h, err := upstream.New()
	require.NoError(t, err)
	return h
}

func TestAnswersSayTheirWords(t *testing.T) {
	server := httptest.NewServer(handler(t))
	defer server.Close()
	arn := url.PathEscape("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/")
	tests := []struct {
		name, path string
		words      int
	}{
		{"whole", "/model/instant/converse", upstream.InstantWords},
		{"streamed", "/model/instant/converse-stream", upstream.InstantWords},
		{"by a profile", "/model/" + arn + "instant/converse", upstream.InstantWords},
		{"by a name with a provider", "/model/bench.instant/converse", upstream.InstantWords},
		{"at a pace", "/model/paced/converse-stream", upstream.PacedWords},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler(t))
			t.Cleanup(server.Close)
			status, body := ask(t, server.Client(), server.URL+tt.path)
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, tt.words, strings.Count(body, upstream.Word))
		})
	}
	status, _ := ask(t, server.Client(), server.URL+"/model/other/converse")
	assert.Equal(t, http.StatusNotFound, status)
}

// files writes the certificate and key of a test server.
func files(t *testing.T, c tls.Certificate) (certificate, key string) {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	certificate, key = filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return certificate, key
}

func TestTunnels(t *testing.T) {
	model := httptest.NewTLSServer(http.NotFoundHandler())
	defer model.Close()
	certificate, key := files(t, model.TLS.Certificates[0])
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	tunnels := upstream.NewTunnels(handler(t), l)
	served := make(chan error, 1)
	go func() { served <- tunnels.ServeTLS(certificate, key) }()
	proxy := httptest.NewServer(tunnels)
	defer proxy.Close()
	proxyURL, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	trust := &tls.Config{RootCAs: model.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com", MinVersion: tls.VersionTLS12}
	for name, c := range map[string]struct {
		proxy func(*http.Request) (*url.URL, error)
		base  string
	}{
		"direct":           {nil, "https://" + l.Addr().String()},
		"through a tunnel": {http.ProxyURL(proxyURL), "https://bedrock-runtime.us-east-1.amazonaws.com"},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{Proxy: c.proxy, TLSClientConfig: trust.Clone()}
			defer transport.CloseIdleConnections()
			status, body := ask(t, &http.Client{Transport: transport}, c.base+"/model/instant/converse")
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, upstream.InstantWords, strings.Count(body, upstream.Word))
		})
	}
	status, body := ask(t, proxy.Client(), proxy.URL+"/model/instant/converse")
	assert.Equal(t, http.StatusOK, status, "what asks for no tunnel is answered")
	assert.Contains(t, body, upstream.Word)
	require.NoError(t, tunnels.Close())
	require.ErrorIs(t, <-served, net.ErrClosed)
}
