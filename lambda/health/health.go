// Package health answers /healthz, which Route 53 probes and which therefore
// says nothing but that this region's API and functions work. It calls nothing:
// a check that waited on another service would take regions out of DNS for a
// fault that failover inside the invoker already hides.
package health

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/crossregion/crossregion/contract"
)

// New returns the handler of every route that [contract.Routes] gives to the
// health function, for the given region.
func New(region string) (http.Handler, error) {
	body, err := json.Marshal(struct {
		Status string `json:"status"`
		Region string `json:"region"`
	}{"ok", region})
	if err != nil {
		return nil, fmt.Errorf("encode the health of %s: %w", region, err)
	}
	mux := http.NewServeMux()
	for _, r := range contract.Routes {
		if r.Function == contract.FunctionHealth {
			mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, _ *http.Request) { answer(w, region, body) })
		}
	}
	return mux, nil
}

func answer(w http.ResponseWriter, region string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set(contract.HeaderRegion, region)
	// A probe that hung up has no use for an error.
	_, _ = w.Write(body)
}
