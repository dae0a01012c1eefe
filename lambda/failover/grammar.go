package failover

import (
	"sync"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
)

// compileTime is how long a target may keep silent that may have a schema to
// compile first: "up to a few minutes".
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
const compileTime = 3 * time.Minute

// maxGrammars bounds what is remembered. Past it all is forgotten, which costs
// nothing but patience.
const maxGrammars = 1000

// grammars remember which targets have answered with which grammars, as long as
// the process lives, which is shorter than Bedrock does. Until one has, its silence
// may be that it compiles: it is waited for, while another target is asked beside
// it.
type grammars struct {
	mu    sync.Mutex
	known map[compiled]struct{}
}

// compiled is a grammar that a target has.
type compiled struct {
	target  string
	grammar converse.Grammar
}

func (g *grammars) has(target string, grammar converse.Grammar) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, known := g.known[compiled{target, grammar}]
	return known || grammar == converse.Grammar{}
}

func (g *grammars) add(target string, grammar converse.Grammar) {
	if g.has(target, grammar) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil || len(g.known) >= maxGrammars {
		g.known = map[compiled]struct{}{}
	}
	g.known[compiled{target, grammar}] = struct{}{}
}
