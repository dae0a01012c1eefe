package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// localFiles are where each `go run ./local up` of this folder tells how to
// operate it.
var localFiles = filepath.Join(".build", "local", "*.json")

// local is what the embedded cloud says of itself.
type local struct {
	Stack           string  `json:"stack"`
	Endpoint        string  `json:"endpoint"`
	AccessKeyID     string  `json:"accessKeyId"`
	SecretAccessKey string  `json:"secretAccessKey"`
	SessionToken    string  `json:"sessionToken"`
	Outputs         outputs `json:"outputs"`

	since time.Time
}

// openLocal finds the stack that is served, of the given name if there is one.
// Of two of one name it is the one that was started last.
func openLocal(name string) (*stack, error) {
	served, err := findLocal(name)
	if err != nil && len(served) == 0 {
		return nil, fmt.Errorf("operate the local stack: %w", err)
	}
	names := map[string]bool{}
	for _, l := range served {
		names[l.Stack] = true
	}
	switch all := slices.Sorted(maps.Keys(names)); {
	case len(all) > 1:
		return nil, misuse("%s are served from this folder: choose one with --stack", strings.Join(all, " and "))
	case len(all) == 0 && name != "":
		return nil, fmt.Errorf("operate the local stack: none called %s is served from this folder: start go run ./local up --stack %s here first", name, name)
	case len(all) == 0:
		return nil, fmt.Errorf("operate the local stack: none is served from this folder: start go run ./local up here first")
	}
	last := slices.MaxFunc(served, func(a, b local) int { return a.since.Compare(b.since) })
	return newStack(last.Outputs, aws.Config{
		BaseEndpoint: aws.String(last.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(last.AccessKeyID, last.SecretAccessKey, last.SessionToken),
	}), nil
}

// findLocal reads what is served here, all or those of one name, and says what
// cannot be read. What was killed has left its file, and answers no more.
func findLocal(name string) (served []local, unread error) {
	files, err := filepath.Glob(localFiles)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		l, err := readLocal(file)
		switch {
		case os.IsNotExist(err): // it has just ended
		case err != nil:
			unread = errors.Join(unread, fmt.Errorf("read %s, which may be removed: %w", file, err))
		case (name == "" || name == l.Stack) && answers(l.Endpoint):
			served = append(served, l)
		}
	}
	return served, unread
}

func readLocal(file string) (l local, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return l, err
	}
	l.since = info.ModTime()
	raw, err := os.ReadFile(file)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, err
	}
	return l, l.Outputs.validate()
}

// patience is how long the embedded cloud has to answer, on a machine that may
// be busy with it.
const patience = 5 * time.Second

// answers reports whether AWS is embedded at a URL: something else may have got
// the port of a run that was killed. A call without a signature is refused there
// as AWS does.
func answers(endpoint string) bool {
	client := http.Client{Timeout: patience}
	res, err := client.Get(endpoint)
	return err == nil && res.Body.Close() == nil && res.Header.Get("X-Amzn-ErrorType") != ""
}
