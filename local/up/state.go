package up

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// StateFolder is where [Command] tells `go run ./ops --local` how to operate the
// stack, below the project's folder, with credentials that may do what the
// stack's output operatorPolicy allows. Each stack that is served has a file of
// its own there, which only its owner may read, and which is removed at the end.
const StateFolder = ".build/local"

// WriteState writes a state file into the project's folder root, and returns
// what removes it.
func (r *Running) WriteState(root string) (remove func() error, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write to %s: %w", StateFolder, err)
		}
	}()
	state, err := r.state()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, StateFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(dir, r.Stack+"-*")
	if err != nil {
		return nil, err
	}
	_, err = file.Write(state)
	// Under its own name it is whole.
	path := file.Name() + ".json"
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(file.Name()))
	}
	return func() error { return os.Remove(path) }, nil
}

// state is what an operator needs to know.
func (r *Running) state() ([]byte, error) {
	policy, ok := r.Outputs["operatorPolicy"].(string)
	if !ok {
		return nil, errors.New("the stack has no output operatorPolicy")
	}
	operator, err := r.Account.IAM.LimitOperator(policy)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"stack": r.Stack, "endpoint": r.Account.Endpoint(),
		"accessKeyId": operator.AccessKeyID, "secretAccessKey": operator.SecretAccessKey, "sessionToken": operator.SessionToken,
		"outputs": r.Outputs,
	})
}
