package bedrock

import (
	"cmp"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// deliver has answer write a response, or do all but that if f loses it.
func (s *Service) deliver(w http.ResponseWriter, f Fault, answer func(http.ResponseWriter) error) {
	lost := f.kind() == Lose
	to := w
	if lost {
		to = nowhere{http.Header{}}
	}
	err := answer(to)
	if lost {
		err = errors.Join(err, hangUp(w, Reset))
	}
	if err != nil {
		s.cfg.World.Log.Debug("bedrock: answer not delivered", "error", err)
	}
}

// refuse ends a call without an answer, for a reason of Bedrock's or by a fault.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var f struck
	switch {
	case !errors.As(err, &f):
		s.except(w, err)
	case f.kind() == Reset, f.kind() == Cut:
		if err := hangUp(w, f.kind()); err != nil {
			s.cfg.World.Log.Error("bedrock: connection not ended", "error", err)
		}
	case f.kind() == Silence:
		<-r.Context().Done()
	default:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		s.except(w, f.err())
	}
}

// except answers with an exception.
func (s *Service) except(w http.ResponseWriter, err error) {
	api := asException(err)
	if api.HTTPStatus() == http.StatusInternalServerError {
		s.cfg.World.Log.Error("bedrock: internal failure", "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", api.Code)
	w.WriteHeader(api.HTTPStatus())
	if err := json.NewEncoder(w).Encode(map[string]string{"message": api.Message}); err != nil {
		s.cfg.World.Log.Debug("bedrock: refusal not delivered", "error", err)
	}
}

// hangUp ends a connection: by a reset, as of a host that knows nothing of it any
// more, or as at the end of a process.
func hangUp(w http.ResponseWriter, how Kind) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	if tcp, ok := conn.(*net.TCPConn); ok && how == Reset {
		err = tcp.SetLinger(0)
	}
	return errors.Join(err, conn.Close())
}

// pace is how long the model takes for its first piece, and for each.
func (s *Service) pace(f Fault) (first, delta time.Duration) {
	return cmp.Or(f.FirstToken, s.cfg.FirstToken), cmp.Or(f.PerDelta, s.cfg.PerDelta)
}

// nowhere is where an answer goes that gets lost.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Flush()                      {}
