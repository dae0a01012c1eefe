package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Restorer makes resources again that another cloud had.
type Restorer interface {
	OpenRegion(region string) error
	Restore(ctx context.Context, token string, e cloud.Existing) error
}

// deployed is a resource in the engine's state.
type deployed struct {
	URN      resource.URN
	Type, ID string
	Custom   bool
	Delete   bool // superseded, and not yet gone
	Provider string
	Inputs   map[string]any
	Outputs  map[string]any
}

// Restore makes all again that the engine's state, as it exports it, says exists.
// What was in it, such as the items of a table, is lost.
func Restore(ctx context.Context, cloud Restorer, state []byte) error {
	var known struct{ Resources []deployed }
	if err := json.Unmarshal(state, &known); err != nil {
		return fmt.Errorf("state of the engine: %w", err)
	}
	regions := map[string]string{} // by reference to the provider
	for _, d := range known.Resources {
		switch {
		case d.Type == "pulumi:providers:aws":
			region := fmt.Sprint(d.Inputs["region"])
			regions[string(d.URN)+"::"+d.ID] = region
			if err := cloud.OpenRegion(region); err != nil {
				return err
			}
		case d.Custom && !d.Delete && strings.HasPrefix(d.Type, "aws:"):
			if err := cloud.Restore(ctx, d.Type, d.existing(regions[d.Provider])); err != nil {
				return err
			}
		}
	}
	return nil
}

// existing is the resource as the cloud had it.
func (d deployed) existing(region string) cloud.Existing {
	e := cloud.Existing{Region: region, Name: d.URN.Name(), Inputs: map[string]any{}}
	e.ID, e.Outputs = d.ID, map[string]any{}
	for key, value := range d.Inputs {
		e.Inputs[key] = stored(value)
	}
	for key, value := range d.Outputs {
		if _, input := d.Inputs[key]; !input {
			e.Outputs[key] = stored(value)
		}
	}
	if tags, tagged := e.Outputs[allTags]; tagged {
		e.Inputs["tags"] = tags
	}
	if n, ok := e.Outputs[serial].(float64); ok {
		e.Serial = int(n)
	}
	delete(e.Outputs, allTags)
	delete(e.Outputs, serial)
	return e
}

// stored is a value of the state as the cloud takes it: a secret laid open, an
// archive as the path of its file.
func stored(value any) any {
	switch v := value.(type) {
	case map[string]any:
		switch v[resource.SigKey] {
		case resource.SecretSig:
			var open any
			if json.Unmarshal([]byte(fmt.Sprint(v["plaintext"])), &open) != nil {
				return nil
			}
			return stored(open)
		case resource.ArchiveSig:
			return v["path"]
		}
		out := map[string]any{}
		for key, inner := range v {
			out[key] = stored(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = stored(inner)
		}
		return out
	default:
		return v
	}
}
