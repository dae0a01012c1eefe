package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
)

// DecodeStrict decodes one JSON value, and refuses members that have no field
// and anything that follows.
func DecodeStrict(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}
