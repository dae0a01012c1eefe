package lambda

import (
	"context"
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
	in       functionInputs
	region   string
	arn      string
	code     code
	memory   int // MB
	timeout  time.Duration
	reserved int // concurrency, or unreserved
	group    string

	// Guarded by Service.mu.
	versions    map[string]*version
	aliases     map[string]string       // name -> version
	permissions map[string][]permission // qualifier -> statements
	active      int                     // invocations that run
	warned      bool                    // that its logs are dropped
}

// version is one version of a function, with the environments that wait for
// work, the latest used last.
type version struct {
	*function
	number string
	idle   []*environment // guarded by Service.mu
}

func (s *Service) createFunction(_ context.Context, r cloud.Request[functionInputs]) (cloud.State, error) {
	in := r.In
	if in.Name == "" {
		in.Name = r.PhysicalName(64)
	}
	if err := in.check(r.Region); err != nil {
		return cloud.State{}, err
	}
	if err := s.cfg.IAM.CheckTrust(in.Role, "lambda.amazonaws.com"); err != nil {
		return cloud.State{}, invalid("The role defined for the function cannot be assumed by Lambda. (%v)", err)
	}
	if err := s.checkTraces(in, r.Region); err != nil {
		return cloud.State{}, err
	}
	unpacked, err := s.code.unpack(in.Code, in.architecture())
	if err != nil {
		return cloud.State{}, err
	}
	f := newFunction(in, r.Region, unpacked)
	if err := s.addFunction(f); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{ID: in.Name, Outputs: f.outputs(s.cfg.World.Clock.Now())}, nil
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

func newFunction(in functionInputs, region string, unpacked code) *function {
	f := &function{
		in: in, region: region, arn: functionARN(region, in.Name), code: unpacked,
		memory:   valueOr(in.MemorySize, 128),
		timeout:  time.Duration(valueOr(in.Timeout, 3)) * time.Second,
		reserved: valueOr(in.ReservedConcurrentExecutions, unreserved),
		group:    in.logGroup(),
		aliases:  map[string]string{}, permissions: map[string][]permission{},
	}
	f.versions = map[string]*version{latest: {function: f, number: latest}}
	if in.Publish {
		f.versions["1"] = &version{function: f, number: "1"}
	}
	return f
}

func (s *Service) addFunction(f *function) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.inRegion(f.region)
	if r.functions[f.in.Name] != nil {
		return conflict("Function already exist: %s", f.in.Name)
	}
	if f.reserved > 0 && r.reserved+f.reserved > regionConcurrency-unreservedConcurrency {
		return invalid("Specified ReservedConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", unreservedConcurrency)
	}
	r.functions[f.in.Name] = f
	r.reserved += max(f.reserved, 0)
	return nil
}

func (f *function) outputs(now time.Time) map[string]any {
	number := latest
	if f.in.Publish {
		number = "1"
	}
	qualified := f.arn + ":" + number
	return map[string]any{
		"arn": f.arn, "invokeArn": invokeARN(f.region, f.arn),
		"qualifiedArn": qualified, "qualifiedInvokeArn": invokeARN(f.region, qualified),
		"version": number, "name": f.in.Name,
		"lastModified":   now.UTC().Format("2006-01-02T15:04:05.000-0700"),
		"sourceCodeSize": f.code.size, "sourceCodeHash": f.code.hash, "codeSha256": f.code.hash,
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
	if to, ok := f.aliases[number]; ok {
		number = to
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
