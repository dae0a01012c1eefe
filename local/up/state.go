package up

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// StateFile is where [Command] tells `go run ./ops --local` how to operate the
// stack, below the project's folder, with credentials that may do what the
// stack's output operatorPolicy allows. Only its owner may read it, and it is
// removed at the end.
const StateFile = ".build/local.json"

// WriteState writes the state file into the project's folder root, and returns
// what removes it.
func (r *Running) WriteState(root string) (remove func() error, err error) {
	policy, ok := r.Outputs["operatorPolicy"].(string)
	if !ok {
		return nil, fmt.Errorf("write %s: the stack has no output operatorPolicy", StateFile)
	}
	operator, err := r.Account.IAM.LimitOperator(policy)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", StateFile, err)
	}
	b, err := json.Marshal(map[string]any{
		"endpoint":    r.Account.Endpoint(),
		"accessKeyId": operator.AccessKeyID, "secretAccessKey": operator.SecretAccessKey, "sessionToken": operator.SessionToken,
		"outputs": r.Outputs,
	})
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", StateFile, err)
	}
	path := filepath.Join(root, StateFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("write %s: %w", StateFile, err)
	}
	// A file of another mode, left by a run that was killed, would keep it.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("write %s: %w", StateFile, err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return nil, fmt.Errorf("write %s: %w", StateFile, err)
	}
	return func() error { return os.Remove(path) }, nil
}
