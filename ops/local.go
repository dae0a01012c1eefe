package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
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
	if err != nil {
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

// findLocal reads what is served here, all or those of one name. What was killed
// has left its file, and answers no more.
func findLocal(name string) ([]local, error) {
	files, err := filepath.Glob(localFiles)
	if err != nil {
		return nil, err
	}
	var served []local
	for _, file := range files {
		l, err := readLocal(file)
		switch {
		case os.IsNotExist(err): // it has just ended
			continue
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		if (name == "" || name == l.Stack) && answers(l.Endpoint) {
			served = append(served, l)
		}
	}
	return served, nil
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

// answers reports whether somebody listens at a URL.
func answers(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	connection, err := net.DialTimeout("tcp", u.Host, time.Second)
	return err == nil && connection.Close() == nil
}
