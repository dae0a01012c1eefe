package openai_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	state "github.com/crossregion/crossregion/lambda/conversation"
)

// memory is a store without regions. Its names count up, so that ids are known.
type memory struct {
	mu            sync.Mutex
	names         int
	turns         map[string]state.Turn // by tenant and id
	conversations map[string]state.Conversation
	claims        map[string]state.Claim
	stored        state.Stored // what writes say; of two regions if it is zero
	calls         []string

	// appendDoes is what the next Append does, if it is not nil.
	appendDoes func(store func()) error
	// claimLost is what the next Claim that is won returns, if it is not nil.
	claimLost error
	// taken tells that claims are lost to others.
	taken bool
	// fails is what every reading call returns, if it is not nil.
	fails error
}

func newMemory() *memory {
	return &memory{turns: map[string]state.Turn{}, conversations: map[string]state.Conversation{}, claims: map[string]state.Claim{}}
}

func (m *memory) enter(call string) func() {
	m.mu.Lock()
	m.calls = append(m.calls, call)
	return m.mu.Unlock
}

func (m *memory) name() string {
	m.names++
	return fmt.Sprintf("%020d", m.names)
}

func (m *memory) NewTurn(parent state.TurnID) (state.TurnID, error) {
	defer m.enter("name")()
	id := state.TurnID{Thread: parent.Thread, Region: "eu-west-1"}
	if parent.IsZero() {
		id.Thread = m.name()
	}
	id.Turn = m.name()
	return id, nil
}

func (m *memory) NewConversationTurn(id state.ConversationID, history []state.Turn) (state.TurnID, error) {
	defer m.enter("name")()
	turn := m.name()
	for _, t := range history {
		if turn <= t.ID.Turn {
			turn = t.ID.Turn[:15] + "z0000"
		}
	}
	return state.TurnID{Thread: id.Thread, Turn: turn, Region: "eu-west-1"}, nil
}

func (m *memory) Append(_ context.Context, tenant string, t state.Turn) (state.Turn, state.Stored, error) {
	defer m.enter("append")()
	t.Created = time.Unix(1_700_000_000, 0)
	if t.Expires.IsZero() {
		t.Expires = time.Unix(int64(1_900_000_000+m.names), 0)
	}
	store := func() { m.turns[tenant+t.ID.String()] = t }
	if does := m.appendDoes; does != nil {
		m.appendDoes = nil
		return state.Turn{}, state.Stored{}, does(store)
	}
	store()
	if m.stored.Regions != nil {
		return t, m.stored, nil
	}
	return t, state.Stored{Regions: []string{"eu-west-1", "eu-central-1"}}, nil
}

func (m *memory) Chain(ctx context.Context, tenant string, id state.TurnID) ([]state.Turn, error) {
	var turns []state.Turn
	for at := id; !at.IsZero(); {
		t, err := m.Turn(ctx, tenant, at)
		if err != nil {
			return nil, err
		}
		turns, at = append(turns, t), t.Parent
	}
	slices.Reverse(turns)
	return turns, nil
}

func (m *memory) Turn(_ context.Context, tenant string, id state.TurnID) (state.Turn, error) {
	defer m.enter("turn")()
	t, ok := m.turns[tenant+id.String()]
	if m.fails == nil && !ok {
		return t, state.ErrNotFound
	}
	return t, m.fails
}

func (m *memory) DeleteTurn(_ context.Context, tenant string, id state.TurnID) error {
	defer m.enter("delete turn")()
	if _, ok := m.turns[tenant+id.String()]; m.fails == nil && !ok {
		return state.ErrNotFound
	}
	delete(m.turns, tenant+id.String())
	return m.fails
}

func (m *memory) CreateConversation(_ context.Context, tenant string, meta []byte) (state.Conversation, state.Stored, error) {
	defer m.enter("create conversation")()
	c := state.Conversation{ID: state.ConversationID{Thread: m.name(), Region: "eu-west-1"}, Created: time.Unix(1_700_000_000, 0), Expires: time.Unix(1_800_000_000, 0), Meta: meta}
	m.conversations[tenant+c.ID.String()] = c
	return c, state.Stored{Regions: []string{"eu-west-1"}}, m.fails
}

func (m *memory) Conversation(_ context.Context, tenant string, id state.ConversationID) (state.Conversation, error) {
	defer m.enter("conversation")()
	c, ok := m.conversations[tenant+id.String()]
	if m.fails == nil && !ok {
		return c, state.ErrNotFound
	}
	return c, m.fails
}

func (m *memory) UpdateConversation(ctx context.Context, tenant string, id state.ConversationID, meta []byte) (state.Conversation, error) {
	c, err := m.Conversation(ctx, tenant, id)
	if err != nil {
		return c, err
	}
	defer m.enter("update conversation")()
	c.Meta = meta
	m.conversations[tenant+id.String()] = c
	return c, nil
}

func (m *memory) DeleteConversation(ctx context.Context, tenant string, id state.ConversationID) error {
	if _, err := m.Conversation(ctx, tenant, id); err != nil {
		return err
	}
	defer m.enter("delete conversation")()
	delete(m.conversations, tenant+id.String())
	for key, t := range m.turns {
		if t.ID.Thread == id.Thread {
			delete(m.turns, key)
		}
	}
	return nil
}

func (m *memory) History(ctx context.Context, tenant string, id state.ConversationID) (state.Conversation, []state.Turn, error) {
	c, err := m.Conversation(ctx, tenant, id)
	if err != nil {
		return c, nil, err
	}
	defer m.enter("history")()
	var turns []state.Turn
	for key, t := range m.turns {
		if t.ID.Thread == id.Thread && key == tenant+t.ID.String() {
			turns = append(turns, t)
		}
	}
	slices.SortFunc(turns, func(a, b state.Turn) int { return cmp.Compare(a.ID.Turn, b.ID.Turn) })
	return c, turns, nil
}

func (m *memory) DeleteItem(_ context.Context, tenant string, _ state.ConversationID, it state.ItemID, redact state.Redact) (err error) {
	defer m.enter("delete item")()
	t, ok := m.turns[tenant+it.TurnID.String()]
	if !ok || slices.Contains(t.Deleted, it.Number) {
		return state.ErrNotFound
	}
	t.Deleted = append(slices.Clone(t.Deleted), it.Number)
	if t.Body, err = redact(t.Body, t.Deleted); err != nil {
		return err
	}
	m.turns[tenant+it.TurnID.String()] = t
	return nil
}

func (m *memory) Claim(_ context.Context, tenant, key string, c state.Claim) (state.Claim, bool, error) {
	defer m.enter("claim")()
	if m.fails != nil {
		return state.Claim{}, false, m.fails
	}
	if found, ok := m.claims[tenant+key]; ok {
		return found, false, nil
	}
	m.claims[tenant+key] = c
	err := m.claimLost
	m.claimLost = nil
	return c, err == nil, err
}

func (m *memory) Hold(ctx context.Context, _, _ string, _ state.Claim) error {
	if m.taken {
		return state.ErrClaimLost
	}
	<-ctx.Done()
	return nil
}

func (m *memory) Release(ctx context.Context, tenant, key string, c state.Claim) error {
	defer m.enter("release")()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.claims[tenant+key] == c {
		delete(m.claims, tenant+key)
	}
	return nil
}

// expiries are the times at which turns are gone.
func (m *memory) expiries() map[time.Time]bool {
	all := map[time.Time]bool{}
	for _, t := range m.turns {
		all[t.Expires] = true
	}
	return all
}

var errStore = errors.New("the table is down")

// gated is a memory whose reading calls wait for each other.
type gated struct {
	*memory
	arrived chan string
	leave   chan struct{}
}

func (g *gated) wait(ctx context.Context, call string) {
	select {
	case g.arrived <- call:
		<-g.leave
	case <-ctx.Done():
	}
}

func (g *gated) History(ctx context.Context, tenant string, id state.ConversationID) (state.Conversation, []state.Turn, error) {
	g.wait(ctx, "history")
	return g.memory.History(ctx, tenant, id)
}

func (g *gated) Turn(ctx context.Context, tenant string, id state.TurnID) (state.Turn, error) {
	g.wait(ctx, "turn")
	return g.memory.Turn(ctx, tenant, id)
}

func (g *gated) Claim(ctx context.Context, tenant, key string, c state.Claim) (state.Claim, bool, error) {
	g.wait(ctx, "claim")
	return g.memory.Claim(ctx, tenant, key, c)
}
