package failover

import "sync"

// maxHedges is how many hedges quiet times save up.
const maxHedges = 10

// allowance bounds hedges to a share of requests.
type allowance struct {
	share float64
	mu    sync.Mutex
	left  float64
}

// earn adds what one request is good for.
func (a *allowance) earn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = min(maxHedges, a.left+a.share)
}

// spend takes one hedge, and tells whether there was one.
func (a *allowance) spend() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}
