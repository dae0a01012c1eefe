package up

import (
	"encoding/json"
	"errors"
	"fmt"
)

// outputs are what a stack exports, as far as this package uses it.
type outputs struct {
	Endpoint          string            `json:"endpoint"`
	RegionalEndpoints map[string]string `json:"regionalEndpoints"`
	ControlTable      string            `json:"controlTable"`
	Warnings          []string          `json:"warnings"`
}

func readOutputs(exported map[string]any) (outputs, error) {
	var out outputs
	b, err := json.Marshal(exported)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err == nil && (out.Endpoint == "" || len(out.RegionalEndpoints) == 0 || out.ControlTable == "") {
		err = errors.New("endpoint, regionalEndpoints or controlTable is missing")
	}
	if err != nil {
		return out, fmt.Errorf("read stack outputs: %w", err)
	}
	return out, nil
}
