package budget

import (
	"context"
	"sync"
	"time"

	"github.com/crossregion/crossregion/contract"
)

// How long limits are taken for true, and how long it is taken for true that
// they cannot be read, during which nobody waits for them.
const (
	rememberLimits  = time.Minute
	rememberFailure = 5 * time.Second
)

// maxRemembered bounds the tenants that are remembered. Past it all are
// forgotten, which costs each of them a read.
const maxRemembered = 1000

// knowledge is what is remembered of a tenant.
type knowledge struct {
	limits contract.Budget
	until  time.Time
	guess  bool // the limits were never read
}

// memory remembers tenants. Its zero value remembers none.
type memory struct {
	mu      sync.Mutex
	tenants map[string]knowledge
}

// recall returns what is known of the tenant, and whether it is recent enough.
func (m *memory) recall(tenant string, now time.Time) (known knowledge, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, given := m.tenants[tenant]
	known.guess = known.guess || !given
	return known, given && now.Before(known.until)
}

func (m *memory) remember(tenant string, known knowledge) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.tenants) >= maxRemembered {
		m.tenants = nil
	}
	if m.tenants == nil {
		m.tenants = map[string]knowledge{}
	}
	m.tenants[tenant] = known
}

// learn reads the tenant's limits. If they cannot be read, the last ones that
// were stand, or none.
func (c *Counter) learn(ctx context.Context, tenant string, now time.Time) knowledge {
	ctx, cancel := context.WithTimeout(ctx, c.CallTimeout)
	defer cancel()
	limits, err := c.Limits(ctx, tenant)
	known := knowledge{limits: limits, until: now.Add(rememberLimits)}
	if err != nil {
		c.Log.WarnContext(ctx, "budget", "outcome", "limits not read", "error", err.Error())
		known, _ = c.memory.recall(tenant, now)
		known.until = now.Add(rememberFailure)
	}
	c.memory.remember(tenant, known)
	return known
}
