package lambda

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// Concurrent executions of one region, and those that reservations must leave.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const (
	regionConcurrency     = 1000
	unreservedConcurrency = 100
)

// unreserved is the reservation of a function that shares its region's
// concurrency.
const unreserved = -1

// function is one function of one region. What Service.mu does not guard never
// changes.
type function struct {
	name, region, arn string

	// Guarded by Service.mu.
	reserved    int // concurrency, or unreserved
	published   int // versions so far
	versions    map[string]*version
	aliases     map[string]string       // name -> version
	shares      map[string]*share       // by alias, of a second version
	permissions map[string][]permission // qualifier -> statements
	active      int                     // invocations that run
	warned      bool                    // that its logs are dropped
}

// settings are what a version is made of.
type settings struct {
	in      functionInputs
	code    code
	memory  int // MB
	timeout time.Duration
	group   string
}

// version is one version of a function, with the environments that wait for
// work, the latest used last.
type version struct {
	*function
	settings
	number  string
	idle    []*environment // guarded by Service.mu
	retired bool           // its environments end with their work; guarded by Service.mu
}

func (s *Service) createFunction(_ context.Context, r cloud.Request[functionInputs]) (cloud.State, error) {
	in := r.In
	if in.Name == "" {
		in.Name = r.PhysicalName(64)
	}
	made, err := s.accept(in, r.Region)
	if err != nil {
		return cloud.State{}, err
	}
	v, err := s.addFunction(made, r.Region, superseded(r.Before))
	if err != nil {
		return cloud.State{}, err
	}
	return cloud.State{ID: in.Name, Outputs: v.outputs(s.cfg.World.Clock.Now())}, nil
}

// superseded is how many versions a function had published before the one that
// its outputs name, if they name one.
func superseded(outputs map[string]any) int {
	published, err := strconv.Atoi(fmt.Sprint(outputs["version"]))
	if err != nil {
		return 0
	}
	return published - 1
}

// accept refuses what Lambda would refuse, and unpacks the code.
func (s *Service) accept(in functionInputs, region string) (settings, error) {
	if err := in.check(region); err != nil {
		return settings{}, err
	}
	if err := s.cfg.IAM.CheckTrust(in.Role, "lambda.amazonaws.com"); err != nil {
		return settings{}, invalid("The role defined for the function cannot be assumed by Lambda. (%v)", err)
	}
	if err := s.checkTraces(in, region); err != nil {
		return settings{}, err
	}
	unpacked, err := s.code.unpack(in.Code, in.architecture())
	return settings{
		in: in, code: unpacked,
		memory:  valueOr(in.MemorySize, 128),
		timeout: time.Duration(valueOr(in.Timeout, 3)) * time.Second,
		group:   in.logGroup(),
	}, err
}

// checkTraces refuses active tracing to a role that may not write traces.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
func (s *Service) checkTraces(in functionInputs, region string) error {
	if in.sampled() == 0 {
		return nil
	}
	role := in.Role[strings.LastIndex(in.Role, "/")+1:]
	caller := cloud.Caller{ARN: cloud.ARN("sts", "", "assumed-role/"+role+"/"+in.Name), Role: role, Home: region, Region: region}
	for _, action := range []string{"PutTraceSegments", "PutTelemetryRecords"} {
		if err := s.cfg.IAM.Authorize(caller, "xray:"+action, "*", nil); err != nil {
			return invalid("The provided execution role does not have permissions to call %s on XRAY (%v)", action, err)
		}
	}
	return nil
}

// addFunction makes a function after some published versions that are gone.
func (s *Service) addFunction(made settings, region string, published int) (*version, error) {
	name := made.in.Name
	f := &function{
		name: name, region: region, arn: functionARN(region, name), reserved: unreserved, published: published,
		versions: map[string]*version{}, aliases: map[string]string{}, shares: map[string]*share{}, permissions: map[string][]permission{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.inRegion(region)
	if r.functions[name] != nil {
		return nil, conflict("Function already exist: %s", name)
	}
	if err := s.reserve(f, valueOr(made.in.ReservedConcurrentExecutions, unreserved)); err != nil {
		return nil, err
	}
	r.functions[name] = f
	return f.release(made), nil
}

// reserve changes the concurrency that a function has for itself. The caller
// holds s.mu.
func (s *Service) reserve(f *function, n int) error {
	r := s.inRegion(f.region)
	reserved := r.reserved - max(f.reserved, 0) + max(n, 0)
	if n > 0 && reserved > regionConcurrency-unreservedConcurrency {
		return invalid("Specified ReservedConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", unreservedConcurrency)
	}
	// What runs now counts on the side that it will be taken off.
	if f.reserved == unreserved {
		r.active -= f.active
	}
	if n == unreserved {
		r.active += f.active
	}
	r.reserved, f.reserved = reserved, n
	return nil
}

// release makes settings the latest version, publishes them where they say so,
// and returns the version that the resource then is. The caller holds
// Service.mu.
func (f *function) release(made settings) *version {
	if was := f.versions[latest]; was != nil {
		was.retire()
	}
	f.versions[latest] = &version{function: f, settings: made, number: latest}
	if !made.in.Publish {
		return f.versions[latest]
	}
	f.published++
	v := &version{function: f, settings: made, number: strconv.Itoa(f.published)}
	f.versions[v.number] = v
	return v
}

func (v *version) outputs(now time.Time) map[string]any {
	qualified := v.arn + ":" + v.number
	return map[string]any{
		"arn": v.arn, "invokeArn": invokeARN(v.region, v.arn),
		"qualifiedArn": qualified, "qualifiedInvokeArn": invokeARN(v.region, qualified),
		"version": v.number, "name": v.name,
		"lastModified":   now.UTC().Format("2006-01-02T15:04:05.000-0700"),
		"sourceCodeSize": v.code.size, "sourceCodeHash": v.code.hash, "codeSha256": v.code.hash,
	}
}

// find returns what a reference names. The caller holds s.mu.
func (s *Service) find(ref reference) (*version, error) {
	f := s.inRegion(ref.region).functions[ref.name]
	if f == nil {
		return nil, notFound("Function not found: %s", ref.arn())
	}
	number := ref.qualifier
	if number == "" {
		number = latest
	}
	if _, ok := f.aliases[number]; ok {
		number = f.route(number)
	}
	v, ok := f.versions[number]
	if !ok {
		return nil, notFound("Function not found: %s:%s", ref.arn(), ref.qualifier)
	}
	return v, nil
}

// variables is the environment of a process of v, but for what differs from one
// environment to the next.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (v *version) variables() map[string]string {
	env := map[string]string{
		"_HANDLER":                        v.in.Handler,
		"AWS_DEFAULT_REGION":              v.region,
		"AWS_REGION":                      v.region,
		"AWS_LAMBDA_FUNCTION_NAME":        v.in.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     v.number,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(v.memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       v.group,
		"LAMBDA_TASK_ROOT":                v.code.dir,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                              ":UTC",
	}
	maps.Copy(env, v.in.Environment.Variables)
	return env
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
