package lambda

// Process is an environment as the machine sees it.
type Process struct {
	ID       int    // of the process
	Function string // ARN of the version
	Busy     bool   // it has an invocation that has not ended
	Served   int    // invocations that ended
}

// Processes are those of all environments that have not ended, in no order.
func (s *Service) Processes() []Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Process
	for e := range s.running {
		if p, ok := e.process(); ok {
			all = append(all, p)
		}
	}
	return all
}

func (e *environment) process() (Process, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cmd == nil || e.dead {
		return Process{}, false
	}
	return Process{ID: e.cmd.Process.Pid, Function: e.v.arn, Busy: e.current != nil, Served: e.served}, true
}
