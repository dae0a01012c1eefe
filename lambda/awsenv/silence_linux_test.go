package awsenv_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"syscall"
	"testing"

	"github.com/crossregion/crossregion/lambda/awsenv"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of linux/tcp.h.
const tcpUserTimeout = 18

func TestDeadConnectionIsGivenUpWithinTenSeconds(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	cfg, err := awsenv.Config(lambdaEnv())
	require.NoError(t, err)
	var conn *net.TCPConn
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { conn, _ = got.Conn.(*net.TCPConn) },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	resp, err := cfg.HTTPClient.Do(r)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	require.NotNil(t, conn)
	after := option(t, conn, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
	every, probes := option(t, conn, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL), option(t, conn, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)
	assert.Equal(t, 1, option(t, conn, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE))
	assert.Equal(t, 10, after+every*probes, "seconds without a sign of life")
	assert.Equal(t, 10_000, option(t, conn, syscall.IPPROTO_TCP, tcpUserTimeout), "milliseconds without an acknowledgement")
}

func option(t *testing.T, conn *net.TCPConn, level, name int) (value int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, name) }))
	require.NoError(t, err)
	return value
}
