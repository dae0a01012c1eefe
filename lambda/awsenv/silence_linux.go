package awsenv

import (
	"fmt"
	"syscall"
)

// tcpUserTimeout is the option that bounds, in milliseconds, how long what was
// sent may stay without acknowledgement. Package syscall does not name it.
// Source: https://man7.org/linux/man-pages/man7/tcp.7.html, TCP_USER_TIMEOUT
const tcpUserTimeout = 0x12

// limitSilence has the kernel give up a connection whose other end does not
// acknowledge what is sent. It is a [net.Dialer]'s Control.
func limitSilence(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(deadAfter.Milliseconds()))
	})
	if err == nil {
		err = set
	}
	if err != nil {
		return fmt.Errorf("limit the silence of a connection: %w", err)
	}
	return nil
}
