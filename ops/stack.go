package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/crossregion/crossregion/lambda/auth"
)

// source is where the outputs of a stack come from: one of its fields, or local
// ones of the stack of a name.
type source struct {
	stack, outputs string
	local          bool
}

func (s *source) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.stack, "stack", "", "operate the stack of this `name`, as Pulumi knows it, or with --local as its file is called")
	flags.StringVar(&s.outputs, "outputs", "", "operate the stack whose outputs are in this `file`, written by pulumi stack output --json")
	flags.BoolVar(&s.local, "local", false, "operate what go run ./local up serves")
}

// outputs are what a stack exports, as far as operators use it.
type outputs struct {
	ControlTable      string            `json:"controlTable"`
	ConversationTable string            `json:"conversationTable"`
	RegionalEndpoints map[string]string `json:"regionalEndpoints"`
	RecoveryDays      int               `json:"recoveryPeriodInDays"`
}

func (o outputs) validate() error {
	if o.ControlTable == "" || o.ConversationTable == "" || len(o.RegionalEndpoints) == 0 {
		return errors.New("controlTable, conversationTable or regionalEndpoints is missing: is it deployed with this version of the program?")
	}
	return nil
}

// stack is one that can be operated.
type stack struct {
	outputs
	regions []string // by name
	clients map[string]*dynamodb.Client
}

func (s source) open(ctx context.Context) (*stack, error) {
	switch {
	case (s.outputs != "") == (s.local || s.stack != ""):
		return nil, misuse("give one of --stack, --outputs and --local")
	case s.local:
		return openLocal(s.stack)
	}
	raw, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	var out outputs
	if err := decode(raw, &out); err != nil {
		return nil, fmt.Errorf("read the outputs of the stack: %w", err)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load AWS credentials: %w", err)
	}
	return newStack(out, cfg), nil
}

// read returns the outputs as Pulumi prints them.
func (s source) read(ctx context.Context) ([]byte, error) {
	if s.outputs != "" {
		return os.ReadFile(s.outputs)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "pulumi", "stack", "output", "--json", "--stack", s.stack)
	cmd.Stderr = &stderr
	raw, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("read the outputs of stack %s: pulumi is not in PATH: install it, or give --outputs FILE", s.stack)
	case err != nil:
		return nil, fmt.Errorf("read the outputs of stack %s: pulumi: %w: %s", s.stack, err, strings.TrimSpace(stderr.String()))
	}
	return raw, nil
}

func decode(raw []byte, out *outputs) error {
	if err := json.Unmarshal(raw, out); err != nil {
		return err
	}
	return out.validate()
}

// How long a region may keep silent: whoever operates a stack has no time to
// lose when a region is down, and the next is asked then.
const (
	dialTimeout = 3 * time.Second
	callTimeout = 5 * time.Second
	attempts    = 2
)

func newStack(out outputs, cfg aws.Config) *stack {
	cfg.RetryMaxAttempts = attempts
	cfg.HTTPClient = bounded(cfg.HTTPClient)
	s := &stack{outputs: out, regions: slices.Sorted(maps.Keys(out.RegionalEndpoints)), clients: map[string]*dynamodb.Client{}}
	for _, region := range s.regions {
		cfg.Region = region
		s.clients[region] = dynamodb.NewFromConfig(cfg)
	}
	return s
}

// bounded is a client that does not wait for long. It is made of the
// configuration's own, which trusts the certificates that AWS_CA_BUNDLE names.
func bounded(client aws.HTTPClient) aws.HTTPClient {
	b, ok := client.(*awshttp.BuildableClient)
	if !ok {
		b = awshttp.NewBuildableClient()
	}
	return b.WithTimeout(callTimeout).WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
}

// keys is the control table as one region has it.
func (s *stack) keys(region string) *auth.Table {
	return auth.NewTable(s.clients[region], s.ControlTable)
}

// somewhere does do in one region after the other until one answers: whatever is
// written in one reaches the others.
func (s *stack) somewhere(regions []string, do func(region string) error) error {
	var errs []error
	for _, region := range regions {
		err := do(region)
		if err == nil || final(err) {
			return err
		}
		errs = append(errs, fmt.Errorf("%s: %w", region, err))
	}
	return errors.Join(errs...)
}

// final tells an answer from the lack of one. What did not come of a call, such
// as a limit that is none, is the same in every region.
func final(err error) bool {
	var call *smithy.OperationError
	return errors.Is(err, auth.ErrNotFound) || errors.Is(err, context.Canceled) || !errors.As(err, &call)
}

// checkRegion refuses a name that the stack does not have.
func (s *stack) checkRegion(name string) error {
	if !slices.Contains(s.regions, name) {
		return misuse("the stack has no region %q: it has %s", name, strings.Join(s.regions, ", "))
	}
	return nil
}
