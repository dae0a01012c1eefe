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

// Each is [Do] of f(0) to f(n-1). A single call needs no goroutine.
func Each(n int, f func(int)) {
	if n == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	panics := make(chan *Panic, n)
	for i := range n {
		wg.Go(func() {
			deepen(0)
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

// Go makes a call in a goroutine that wg waits for. The call handles its panics.
func Go(wg *sync.WaitGroup, call func()) {
	wg.Go(func() {
		deepen(0)
		call()
	})
}

// callStack is about what a call of the SDK takes of a stack, in bytes: it goes
// through some fifty functions, each within the one before.
const callStack = 24 << 10

// deepen makes room on a stack that is still empty. It would otherwise be copied
// each time it doubles, on the way through the SDK: a tenth of the work of a call.
//
//go:noinline
func deepen(i int) byte {
	var room [callStack]byte
	return room[i] // so that the compiler leaves it there
}
