package apigateway

import (
	"cmp"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// maxLogFormat is the quota on an access log's format, in bytes.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxLogFormat = 3 << 10

type accessLogInputs struct {
	DestinationARN string `json:"destinationArn"`
	Format         string `json:"format"`
}

// accessLog is where and how a stage logs its requests.
type accessLog struct{ group, format string }

var contextVariable = regexp.MustCompile(`\$context\.[A-Za-z]+(\.[A-Za-z]+)*`)

// newAccessLog returns nil for no inputs. The caller holds the lock.
func (s *Service) newAccessLog(region string, in *accessLogInputs) (*accessLog, error) {
	if in == nil {
		return nil, nil
	}
	switch {
	case s.logRoles[region] == "":
		return nil, badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging")
	case !strings.HasPrefix(in.DestinationARN, cloud.ARN("logs", region, "log-group:")) || !s.cfg.Logs.HasLogGroup(in.DestinationARN):
		return nil, badRequest("Invalid ARN specified in the request: %q is no log group of %s", in.DestinationARN, region)
	case strings.Contains(strings.TrimSuffix(in.Format, "\n"), "\n"):
		return nil, badRequest("Access Log format must be single line, new line character is allowed only at end of the format")
	case len(in.Format) > maxLogFormat:
		return nil, badRequest("Access Log format has %d bytes, over the limit of %d", len(in.Format), maxLogFormat)
	case !strings.Contains(in.Format, "$context.requestId") && !strings.Contains(in.Format, "$context.extendedRequestId"):
		return nil, badRequest("Access Log format must include at least $context.requestId or $context.extendedRequestId")
	}
	known := logVariables()
	for _, v := range contextVariable.FindAllString(in.Format, -1) {
		if _, ok := known[v]; !ok {
			return nil, badRequest("access log variable %s is not supported by the embedded cloud", v)
		}
	}
	return &accessLog{in.DestinationARN, strings.TrimSuffix(in.Format, "\n")}, nil
}

// timing is when the parts of an exchange happened, and what came of them.
type timing struct {
	began, called, content, returned, ended time.Time // zero: never

	status  int    // of the function's answer
	refused string // gateway response type
}

// answer remembers the status of what the client gets.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets [http.ResponseController] find what the server offers.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// logVariables returns how to find each variable of a format, empty for what an
// exchange does not have.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
func logVariables() map[string]func(*exchange) string {
	millis := func(from, to time.Time) string {
		if from.IsZero() || to.IsZero() {
			return ""
		}
		return strconv.FormatInt(to.Sub(from).Milliseconds(), 10)
	}
	status := func(code int) string {
		if code == 0 {
			return ""
		}
		return strconv.Itoa(code)
	}
	return map[string]func(*exchange) string{
		"$context.requestId":                      func(x *exchange) string { return x.id },
		"$context.extendedRequestId":              func(x *exchange) string { return x.extendedID },
		"$context.requestTimeEpoch":               func(x *exchange) string { return strconv.FormatInt(x.at.UnixMilli(), 10) },
		"$context.httpMethod":                     func(x *exchange) string { return x.r.Method },
		"$context.resourcePath":                   func(x *exchange) string { return x.routePath() },
		"$context.status":                         func(x *exchange) string { return status(x.w.status) },
		"$context.integration.status":             func(x *exchange) string { return status(x.took.status) },
		"$context.integration.latency":            func(x *exchange) string { return millis(x.took.called, x.took.returned) },
		"$context.integration.timeToFirstContent": func(x *exchange) string { return millis(x.took.called, x.took.content) },
		"$context.responseLatency":                func(x *exchange) string { return millis(x.took.began, x.took.ended) },
		"$context.error.responseType":             func(x *exchange) string { return x.took.refused },
	}
}

// routePath is the path of the resource as the document names it.
func (x *exchange) routePath() string {
	if x.resource == nil {
		return ""
	}
	return x.resource.path
}

// logAccess writes the line of an exchange, if its stage keeps a log and the
// account's role may write there.
func (s *Service) logAccess(x *exchange) {
	if x.stage == nil || x.stage.log == nil {
		return
	}
	x.took.ended = s.cfg.RequestClock.Now()
	s.mu.RLock()
	role := s.logRoles[x.region]
	s.mu.RUnlock()
	log := x.stage.log
	err := s.cfg.Roles.Authorize(logCaller(x.region, role), "logs:PutLogEvents", log.group+":log-stream:"+x.api.id, nil)
	if err == nil {
		err = s.cfg.Logs.WriteLog(log.group, log.line(x))
	}
	if err != nil {
		s.cfg.World.Log.Warn("apigateway: access log", "region", x.region, "api", x.api.id, "error", err)
	}
}

// line fills the format in, with a dash for what there is not.
func (l *accessLog) line(x *exchange) string {
	variables := logVariables()
	return contextVariable.ReplaceAllStringFunc(l.format, func(v string) string {
		return cmp.Or(variables[v](x), "-")
	})
}
