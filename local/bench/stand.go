package bench

import (
	"context"
	"net"
	"os/exec"

	"github.com/crossregion/crossregion/local/bench/upstream"
)

// stand is what part overhead and part peers measure on.
type stand struct {
	data     *data
	upstream *process
	url      string // of the upstream
	secure   string // the same over TLS, with the certificate in a file
	lanes    map[string]*lane

	certificate string
}

func (b *bench) openStand(ctx context.Context) (_ *stand, err error) {
	s := &stand{lanes: map[string]*lane{}}
	defer func() {
		if err != nil {
			err = closing(err, s.close())
		}
	}()
	if s.data, err = openData(ctx); err != nil {
		return nil, err
	}
	return s, s.openUpstream(ctx, b)
}

func (s *stand) openUpstream(ctx context.Context, b *bench) error {
	path, err := b.binary(ctx, "upstream")
	if err != nil {
		return err
	}
	var key string
	if s.certificate, key, err = certificate(b.dir); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.secure = "https://" + l.Addr().String()
	cmd := exec.Command(path)
	s.upstream, s.url, err = serveCommand(cmd, []string{upstream.EnvCertificate + "=" + s.certificate, upstream.EnvKey + "=" + key}, l)
	return closing(err, l.Close())
}

// add starts one of the bench's commands as a lane.
func (s *stand) add(ctx context.Context, b *bench, name, command string, env []string, args ...string) (*lane, error) {
	path, err := b.binary(ctx, command)
	if err != nil {
		return nil, err
	}
	own, err := s.data.environment(s.url)
	if err != nil {
		return nil, err
	}
	p, url, err := serve(path, append(own, env...), args...)
	if p != nil {
		s.lanes[name] = &lane{name: name, proc: p, call: call{url: url}}
	}
	return s.lanes[name], err
}

func (s *stand) close() error {
	for _, l := range s.lanes {
		if l.proc != nil {
			l.proc.stop()
		}
	}
	if s.upstream != nil {
		s.upstream.stop()
	}
	if s.data != nil {
		return s.data.Close()
	}
	return nil
}
