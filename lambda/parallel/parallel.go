// Package parallel makes calls at once, in goroutines that end no process: what
// one of them panics with is for the goroutine that waits for them to handle.
package parallel

import (
	"runtime/debug"
	"sync"
)

// Panic is what a call panicked with in a goroutine of its own, and where.
// [Panic.Throw] and [Do] panic with a *Panic.
type Panic struct {
	Value any
	Stack []byte // of the goroutine, as [debug.Stack] prints it
}

// Catch makes a call and returns what it panicked with, nil if it did not. A
// panic that comes from another goroutine stays as it is.
func Catch(call func()) (caught *Panic) {
	defer func() {
		v := recover()
		if p, ok := v.(*Panic); ok {
			caught = p
		} else if v != nil {
			caught = &Panic{v, debug.Stack()}
		}
	}()
	call()
	return nil
}

// Throw panics with p in the goroutine that calls it, and does nothing if p is
// nil.
func (p *Panic) Throw() {
	if p != nil {
		panic(p)
	}
}

// Do makes calls at once and waits for all of them. A panic in one, whichever,
// is then the caller's.
func Do(calls ...func()) {
	Each(len(calls), func(i int) { calls[i]() })
}

// Each is [Do] of f(0) to f(n-1).
func Each(n int, f func(int)) {
	var wg sync.WaitGroup
	panics := make(chan *Panic, n)
	for i := range n {
		wg.Go(func() {
			if p := Catch(func() { f(i) }); p != nil {
				panics <- p
			}
		})
	}
	wg.Wait()
	select {
	case p := <-panics:
		p.Throw()
	default:
	}
}
