package lambda

import (
	"slices"
	"strings"
)

// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxEnvironmentBytes = 4096

type functionInputs struct {
	Code                         string            `json:"code"` // path of the zip
	Role                         string            `json:"role"`
	Runtime                      string            `json:"runtime,omitempty"`
	Handler                      string            `json:"handler,omitempty"`
	Architectures                []string          `json:"architectures,omitempty"`
	MemorySize                   *int              `json:"memorySize,omitempty"` // MB
	Timeout                      *int              `json:"timeout,omitempty"`    // seconds
	Environment                  environmentInputs `json:"environment,omitempty"`
	LoggingConfig                *loggingInputs    `json:"loggingConfig,omitempty"`
	Publish                      bool              `json:"publish,omitempty"`
	ReservedConcurrentExecutions *int              `json:"reservedConcurrentExecutions,omitempty"`
	TracingConfig                *tracingInputs    `json:"tracingConfig,omitempty"`
	Description                  string            `json:"description,omitempty"`
	Name                         string            `json:"name,omitempty" change:"replace"`
	Tags                         map[string]string `json:"tags,omitempty"`
	SourceCodeHash               string            `json:"sourceCodeHash,omitempty"`
	KMSKeyARN                    string            `json:"kmsKeyArn,omitempty"`
	PackageType                  string            `json:"packageType,omitempty" change:"replace"`
}

type environmentInputs struct {
	Variables map[string]string `json:"variables,omitempty"`
}

type loggingInputs struct {
	LogFormat           string `json:"logFormat"`
	LogGroup            string `json:"logGroup,omitempty"`
	ApplicationLogLevel string `json:"applicationLogLevel,omitempty"`
	SystemLogLevel      string `json:"systemLogLevel,omitempty"`
}

type tracingInputs struct {
	Mode string `json:"mode"`
}

// check refuses what CreateFunction would refuse before it looks at the role
// and the code, and what this cloud cannot run.
// Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
func (in functionInputs) check(region string) error {
	checks := []func() error{
		func() error { return checkName("functionName", in.Name, 64) },
		in.checkRuntime,
		func() error { return checkRange("memorySize", in.MemorySize, 128, 10240) },
		func() error { return checkRange("timeout", in.Timeout, 1, 900) },
		func() error {
			return checkRange("reservedConcurrentExecutions", in.ReservedConcurrentExecutions, unreserved, regionConcurrency)
		},
		in.checkEnvironment,
		in.checkLogging,
		in.checkTracing,
		func() error { return checkLength("description", in.Description, 256) },
		func() error { return checkKey(region, in.KMSKeyARN) },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (in functionInputs) checkRuntime() error {
	switch {
	case in.PackageType != "" && in.PackageType != "Zip":
		return invalid("packageType %q is not supported by the embedded cloud: use Zip", in.PackageType)
	case in.Runtime == "" || in.Handler == "":
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case in.Runtime != "provided.al2023" && in.Runtime != "provided.al2":
		return invalid("runtime %q is not supported by the embedded cloud: use provided.al2023", in.Runtime)
	case len(in.Handler) > 128 || strings.ContainsAny(in.Handler, " \t\r\n"):
		return validation("handler", in.Handler, `Member must satisfy regular expression pattern: [^\s]+ and have length less than or equal to 128`)
	case len(in.Architectures) > 1:
		return validation("architectures", in.Architectures, "Member must have length less than or equal to 1")
	}
	return checkEnum("architectures", in.architecture(), "x86_64", "arm64")
}

func (in functionInputs) checkEnvironment() error {
	size := 0
	var reserved []string
	for key, value := range in.Environment.Variables {
		size += len(key) + len(value)
		switch {
		case isReserved(key):
			reserved = append(reserved, key)
		case !keyPattern.MatchString(key):
			return validation("environment.variables", key, "Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+")
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		return invalid("Lambda was unable to configure your environment variables because the environment variables "+
			"you have provided contains reserved keys that are currently not supported for modification. "+
			"Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	if size > maxEnvironmentBytes {
		return invalid("Lambda was unable to configure your environment variables because the environment variables "+
			"you have provided exceeded the %d bytes limit (they are %d bytes).", maxEnvironmentBytes, size)
	}
	return nil
}

// isReserved reports whether Lambda sets the variable itself. AWS leaves a few
// names with AWS_ to the function; none of them means anything to this cloud,
// and AWS_ENDPOINT_URL would lead out of it.
func isReserved(key string) bool {
	return strings.HasPrefix(key, "AWS_") || slices.Contains([]string{
		"_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	}, key)
}

// Source: https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
func (in functionInputs) checkLogging() error {
	c := in.LoggingConfig
	if c == nil {
		return nil
	}
	if err := checkEnum("loggingConfig.logFormat", c.LogFormat, "Text", "JSON"); err != nil {
		return err
	}
	if c.LogFormat == "Text" && (c.ApplicationLogLevel != "" || c.SystemLogLevel != "") {
		return invalid("To use log levels, set logFormat to JSON: Text has none.")
	}
	if c.ApplicationLogLevel != "" {
		if err := checkEnum("loggingConfig.applicationLogLevel", c.ApplicationLogLevel,
			"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"); err != nil {
			return err
		}
	}
	if c.SystemLogLevel != "" {
		if err := checkEnum("loggingConfig.systemLogLevel", c.SystemLogLevel, "DEBUG", "INFO", "WARN"); err != nil {
			return err
		}
	}
	return checkGroupName(in.logGroup())
}

func (in functionInputs) checkTracing() error {
	if in.TracingConfig == nil {
		return nil
	}
	return checkEnum("tracingConfig.mode", in.TracingConfig.Mode, "Active", "PassThrough")
}

func (in functionInputs) architecture() string {
	if len(in.Architectures) == 0 {
		return "x86_64"
	}
	return in.Architectures[0]
}

func (in functionInputs) logGroup() string {
	if in.LoggingConfig != nil && in.LoggingConfig.LogGroup != "" {
		return in.LoggingConfig.LogGroup
	}
	return "/aws/lambda/" + in.Name
}

// jsonLogs reports whether Lambda's own log lines are JSON.
func (in functionInputs) jsonLogs() bool {
	return in.LoggingConfig != nil && in.LoggingConfig.LogFormat == "JSON"
}

// sampled is the sampling decision in the trace header of an invocation.
func (in functionInputs) sampled() int {
	if in.TracingConfig != nil && in.TracingConfig.Mode == "Active" {
		return 1
	}
	return 0
}
