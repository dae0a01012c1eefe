package up

import (
	"bytes"
	"time"
)

// Printed is what the command prints.
func (r *Running) Printed(asJSON bool) (string, error) {
	var b bytes.Buffer
	err := r.print(&b, time.Second, asJSON)
	return b.String(), err
}
