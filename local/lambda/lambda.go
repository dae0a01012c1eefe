// Package lambda stands in for AWS Lambda and for the CloudWatch log groups
// that functions write to. It runs the bootstrap of a deployed zip as a process
// against a Runtime API of its own. It refuses what AWS would refuse, runs
// nothing but OS-only runtimes of this machine's architecture, and gives a
// process nothing of this machine's environment.
package lambda

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/kms"
)

// IAM is what Lambda asks of the embedded IAM.
type IAM interface {
	cloud.Authorizer
	// CheckTrust returns nil when the role exists and lets the service
	// principal assume it.
	CheckTrust(roleARN, principal string) error
	// Issue returns credentials of the role for a session that runs in region
	// home.
	Issue(roleARN, home, session string) (iam.Credentials, error)
}

// Keys decides who may use a customer's key.
type Keys interface {
	// UseBy returns nil if CloudWatch Logs may do what it asks in its own name.
	UseBy(u kms.Use) error
}

// Config configures [New]. All fields are required.
type Config struct {
	World cloud.World
	IAM   IAM
	Keys  Keys
	// Endpoint is the URL of the AWS API endpoint, which every environment
	// finds in AWS_ENDPOINT_URL.
	Endpoint string
	// Dir is the folder for unpacked code. The caller removes it after
	// [Service.Close].
	Dir string
	// Arch is the GOARCH that this machine executes, e.g. "amd64". A function
	// of another architecture is refused.
	Arch string
}

// Service is the Lambda of every region of the embedded cloud. Its methods may
// be called at the same time.
type Service struct {
	cfg    Config
	limits limits
	code   codeStore

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	owned  sync.WaitGroup // every goroutine that the service started

	mu       sync.Mutex
	closed   bool
	cold     bool // no environment waits for work
	regions  map[string]*region
	running  map[*environment]bool
	sequence int // of request, trace and stream ids, and of log lines
}

// limits are times of Lambda that no resource configures.
type limits struct {
	init        time.Duration // real time, for a process to ask for its first invocation
	idle        time.Duration // of the cloud's clock, for an environment without work
	grace       time.Duration // real time, between SIGTERM and SIGKILL
	credentials time.Duration // of the cloud's clock, for an environment to take new work
}

// region is what Lambda and CloudWatch Logs keep in one region.
type region struct {
	functions map[string]*function
	groups    map[string]*logGroup
	reserved  int // concurrency that functions reserved for themselves
	active    int // invocations of functions that reserved none
}

// New returns a Lambda without functions. The caller ends it with
// [Service.Close].
func New(cfg Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	return &Service{
		cfg: cfg,
		// Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
		limits: limits{
			init: 10 * time.Second, idle: 10 * time.Minute, grace: 2 * time.Second,
			// What is left of them outlasts the longest invocation.
			credentials: iam.SessionLifetime / 2,
		},
		code: codeStore{dir: cfg.Dir, arch: cfg.Arch, unpacked: map[string]bool{}},
		ctx:  ctx, cancel: cancel,
		regions: map[string]*region{}, running: map[*environment]bool{},
	}
}

// Resources are the Pulumi types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:lambda/function:Function", s.createFunction, s.updateFunction, s.deleteFunction).Renewing(
			"version", "qualifiedArn", "qualifiedInvokeArn", "lastModified", "sourceCodeSize", "sourceCodeHash", "codeSha256"),
		cloud.DefineResource("aws:lambda/alias:Alias", s.createAlias, s.updateAlias, s.deleteAlias),
		cloud.DefineResource("aws:lambda/permission:Permission", s.createPermission, nil, s.deletePermission),
		cloud.DefineResource("aws:cloudwatch/logGroup:LogGroup", s.createLogGroup, s.updateLogGroup, s.deleteLogGroup),
	}
}

// Environments is the number of processes that run, busy or idle.
func (s *Service) Environments() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running)
}

// KeepWarm says whether environments wait for more work after an invocation, as
// they do at first. Lambda promises nothing of the kind: without it those that
// wait end at once, and each invocation is a cold start.
func (s *Service) KeepWarm(keep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cold = !keep
	for e := range s.running {
		if s.cold && s.takeIdle(e) {
			e.stop()
		}
	}
}

// Close ends every process, waits for it, and refuses further invocations.
// Invocations on their way fail. It returns nil, also when called again.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	environments := make([]*environment, 0, len(s.running))
	for e := range s.running {
		environments = append(environments, e)
	}
	s.mu.Unlock()
	s.cancel()
	for _, e := range environments {
		e.stop()
	}
	s.owned.Wait()
	return nil
}

// inRegion returns the region's state. The caller holds s.mu.
func (s *Service) inRegion(name string) *region {
	r, ok := s.regions[name]
	if !ok {
		r = &region{functions: map[string]*function{}, groups: map[string]*logGroup{}}
		s.regions[name] = r
	}
	return r
}

// nextID returns 32 hexadecimal digits that no other call returns. The caller
// holds s.mu.
func (s *Service) nextID(kind string) string {
	s.sequence++
	return cloud.ID(32, kind, strconv.Itoa(s.sequence))
}
