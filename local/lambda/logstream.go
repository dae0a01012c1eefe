package lambda

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// maxLineBytes is the size of one log event; Lambda cuts longer lines.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const maxLineBytes = 256 << 10

// logStream turns what an environment writes into lines of its log group.
type logStream struct {
	s     *Service
	name  string
	group *logGroup // nil when the role may not write: then lines are dropped

	mu      sync.Mutex
	pending []byte // of an unfinished line
}

// openStream opens a log stream for a new environment of v. As in AWS, a role
// that may not write its logs does not stop the function.
func (s *Service) openStream(v *version) *logStream {
	s.mu.Lock()
	name := fmt.Sprintf("%s/[%s]%s", s.cfg.World.Clock.Now().UTC().Format("2006/01/02"), v.number, s.nextID("stream"))
	s.mu.Unlock()
	err := s.mayWrite(v, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		return &logStream{s: s, name: name, group: s.groupFor(v)}
	}
	if !v.warned {
		v.warned = true
		s.cfg.World.Log.Warn("logs of a function are dropped: its role may not write them",
			"function", v.arn, "group", v.group, "err", err)
	}
	return &logStream{s: s, name: name}
}

// mayWrite asks IAM what Lambda's log delivery needs of the function's role.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
func (s *Service) mayWrite(v *version, stream string) error {
	role := v.in.Role[strings.LastIndex(v.in.Role, "/")+1:]
	caller := cloud.Caller{
		ARN:  cloud.ARN("sts", "", "assumed-role/"+role+"/"+v.in.Name),
		Role: role, Home: v.region, Region: v.region,
	}
	group := groupARN(v.region, v.group)
	s.mu.Lock()
	exists := s.inRegion(v.region).groups[v.group] != nil
	s.mu.Unlock()
	if !exists {
		if err := s.cfg.IAM.Authorize(caller, "logs:CreateLogGroup", group, nil); err != nil {
			return fmt.Errorf("create log group %s: %w", v.group, err)
		}
	}
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		if err := s.cfg.IAM.Authorize(caller, action, group+":log-stream:"+stream, nil); err != nil {
			return fmt.Errorf("write log stream of %s: %w", v.group, err)
		}
	}
	return nil
}

// groupFor returns the log group of v, which Lambda creates where the program
// did not. The caller holds s.mu.
func (s *Service) groupFor(v *version) *logGroup {
	groups := s.inRegion(v.region).groups
	if groups[v.group] == nil {
		groups[v.group] = &logGroup{}
	}
	return groups[v.group]
}

// Write takes standard output and standard error of the process.
func (l *logStream) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, p...)
	for rest := l.pending; ; {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		if !found && len(rest) < maxLineBytes {
			l.pending = append(l.pending[:0], rest...)
			return len(p), nil
		}
		if len(line) > maxLineBytes {
			line, after = rest[:maxLineBytes], rest[maxLineBytes:]
		}
		l.put(string(line))
		rest = after
	}
}

// line writes a line of Lambda's own.
func (l *logStream) line(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(fmt.Sprintf(format, args...))
}

// flush writes a last line that has no end.
func (l *logStream) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 {
		l.put(string(l.pending))
		l.pending = nil
	}
}

func (l *logStream) put(text string) {
	if l.group == nil {
		return
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.sequence++
	l.group.add(logLine{sequence: l.s.sequence, text: text})
}
