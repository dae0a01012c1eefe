package conversation_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/conversation"
	"pgregory.net/rapid"
)

var three = []string{"eu-central-1", "eu-west-1", "eu-north-1"}

// partnersOf are the other regions, the next one first.
func (w *world) partnersOf(region string) []string {
	at := slices.Index(w.regions, region)
	return slices.Concat(w.regions[at+1:], w.regions[:at])
}

var epoch = time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)

// intact leaves a store's clients as they are.
func intact(_ bool, client conversation.DynamoDB) conversation.DynamoDB { return client }

// storeIn is a function's store in a region whose clock may be off. Its clients
// are what through makes of them, given whether they are of its own region. The
// first of two regions breaks ties. Probes are over before anything else.
func storeIn(w *world, region string, now func() time.Time, random io.Reader, through guarantee) (*conversation.Store, error) {
	clients := map[string]conversation.DynamoDB{}
	for _, r := range w.regions {
		clients[r] = through(r == region, replica{world: w, region: r, from: region})
	}
	s, err := conversation.New(conversation.Config{
		Table: "content", Region: region, Partners: w.partnersOf(region), Clients: clients, Retention: 30 * 24 * time.Hour, Now: now, Random: random,
		TieBreaker: w.regions[0],
	})
	if err == nil {
		s.ProbeInline()
	}
	return s, err
}

// machine is a random history of clients in all regions, and what each of them
// must be able to rely on.
type machine struct {
	world   *world
	stores  map[string]*conversation.Store
	now     time.Time
	turns   []known            // that a client saw completed
	threads map[string]*thread // conversations by id
}

// known is a turn that a client was told of.
type known struct {
	tenant  string
	turn    conversation.Turn
	lineage []string // bodies from the first turn to this
	gone    bool     // somebody tried to delete it, or a turn before it
	buried  bool     // and was told that it is done
	alone   bool     // it or a turn before it stood in one region when it was told of
}

// thread is a conversation that a client was told of.
type thread struct {
	tenant  string
	id      conversation.ConversationID
	created conversation.Conversation
	said    int             // turns that were begun
	bodies  []string        // of turns that were completed, and not deleted
	maybe   map[string]bool // of turns whose storing was reported as failed
	gone    bool            // somebody tried to delete it
	buried  bool            // and was told that it is done
	alone   bool            // it stood in one region when it was told of
	struck  map[string]bool // bodies whose first item was deleted
}

func newMachine(t *rapid.T, through guarantee) *machine {
	regions := three[:rapid.IntRange(2, 3).Draw(t, "regions")]
	m := &machine{world: newWorld(regions...), stores: map[string]*conversation.Store{}, now: epoch, threads: map[string]*thread{}}
	m.world.silent = rapid.Bool().Draw(t, "who is down is silent")
	for _, region := range regions {
		skew := time.Duration(rapid.IntRange(-2000, 2000).Draw(t, "clock of "+region+" is off by ms")) * time.Millisecond
		m.world.skew[region] = rapid.Int64Range(0, 5).Draw(t, "stamps of "+region+" are ahead by")
		s, err := storeIn(m.world, region, func() time.Time { return m.now.Add(skew) }, rand.NewChaCha8([32]byte{byte(len(m.stores))}), through)
		if err != nil {
			t.Fatal(err)
		}
		m.stores[region] = s
	}
	return m
}

func (m *machine) anyRegion(t *rapid.T) string {
	return rapid.SampledFrom(m.world.regions).Draw(t, "region")
}

func (m *machine) anyTenant(t *rapid.T) string {
	return rapid.SampledFrom([]string{"acme", "acme2"}).Draw(t, "tenant")
}

// excused tells that err says to try again, and that there is a reason to: R2
// allows none while a region reaches all others but one, save for conversations
// of two regions, whose second is nothing without the first (R3).
func (m *machine) excused(t *rapid.T, store *conversation.Store, err error, what string) {
	if errors.Is(err, conversation.ErrNotFound) {
		t.Fatalf("%s: %v, though a client saw it completed", what, err)
	}
	unreached := m.world.unreached(store.Region)
	tie := strings.HasSuffix(what, aConversation) && len(m.world.regions) == 2 && slices.Contains(unreached, m.world.regions[0])
	if len(unreached) < 2 && !tie {
		t.Fatalf("%s: %v, in %s, which does not reach %q", what, err, store.Region, unreached)
	}
}

const (
	aHistory      = "a history"
	aConversation = "a conversation"
)

// excusedWrite allows a write to fail while a reply is lost, or where R2 does.
func (m *machine) excusedWrite(t *rapid.T, store *conversation.Store, err error, what string) {
	if !errors.Is(err, errLostReply) {
		m.excused(t, store, err, "to write "+what)
	}
}

// meanwhile is what befalls the regions while a model answers in one of them.
func (m *machine) meanwhile(t *rapid.T, region string) {
	switch rapid.SampledFrom([]string{"nothing", "nothing", "all others break", "it breaks", "all are mended"}).Draw(t, "meanwhile") {
	case "all others break":
		for _, other := range m.world.partnersOf(region) {
			m.world.down[other] = true
		}
	case "it breaks":
		m.world.down[region] = true
	case "all are mended":
		m.mend()
	}
}

// say is what a tenant says as its nth turn.
func say(tenant string, n int) string { return fmt.Sprintf("%s says %d", tenant, n) }

// redacted begins what is left of a turn whose first item was deleted.
const redacted = "[redacted] "

func redact(body []byte, _ []int) ([]byte, error) { return []byte(redacted + said(body)), nil }

const attached = " (see attachment) "

// attachment fills a turn that does not fit one item.
var attachment = func() []byte {
	b := make([]byte, 450<<10)
	_, _ = rand.NewChaCha8([32]byte{9}).Read(b) // never fails
	return b
}()

// body is what is stored of what was said: one turn in ten does not fit one item.
// said undoes it.
func body(said string) []byte {
	if strings.HasSuffix(said, "3") {
		return append([]byte(said+attached), attachment...)
	}
	return []byte(said)
}

func said(body []byte) string {
	body = bytes.TrimPrefix(body, []byte(redacted))
	text, rest, _ := bytes.Cut(body, []byte(attached))
	if len(rest) > 0 && !bytes.Equal(rest, attachment) {
		return "something else than was attached"
	}
	return string(text)
}

// Append adds a turn to a thread, wherever the client is sent, or begins one.
func (m *machine) Append(t *rapid.T) {
	store, tenant := m.stores[m.anyRegion(t)], m.anyTenant(t)
	var parent known
	if mine := m.of(tenant); len(mine) > 0 && rapid.Bool().Draw(t, "continues a turn") {
		parent = mine[rapid.IntRange(0, len(mine)-1).Draw(t, "which")]
		if _, ok := m.read(t, store, parent); !ok {
			return // the client was told to try again, or that it is gone
		}
	}
	id, err := store.NewTurn(parent.turn.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.meanwhile(t, store.Region)
	said := say(tenant, len(m.turns))
	turn, stored, err := store.Append(t.Context(), tenant, conversation.Turn{
		ID: id, Parent: parent.turn.ID, Expires: parent.turn.Expires, Body: body(said),
	})
	if err != nil {
		m.excusedWrite(t, store, err, aHistory)
		return
	}
	m.turns = append(m.turns, known{tenant: tenant, turn: turn, lineage: append(slices.Clone(parent.lineage), said), gone: parent.gone, buried: parent.buried,
		alone: parent.alone || len(stored.Regions) < 2})
}

func (m *machine) of(tenant string) []known {
	var mine []known
	for _, k := range m.turns {
		if k.tenant == tenant {
			mine = append(mine, k)
		}
	}
	return mine
}

// read loads a history and holds it against what the client saw. ok tells that
// it may be continued.
func (m *machine) read(t *rapid.T, store *conversation.Store, k known) (turns []conversation.Turn, ok bool) {
	turns, err := store.Chain(t.Context(), k.tenant, k.turn.ID)
	switch {
	case err == nil:
		if got := bodies(turns); !slices.Equal(got, k.lineage) {
			t.Fatalf("a history is %q, want %q", got, k.lineage)
		}
		return turns, true // of one that was deleted, where that has not arrived
	case k.alone && errors.Is(err, conversation.ErrNotArrived):
	case !k.gone:
		m.excused(t, store, err, aHistory)
	}
	return nil, false
}

func bodies(turns []conversation.Turn) []string {
	var all []string
	for _, t := range turns {
		all = append(all, said(t.Body))
	}
	return all
}

// Read loads a turn's history in any region, for its owner and for another.
func (m *machine) Read(t *rapid.T) {
	if len(m.turns) == 0 {
		t.Skip("nothing was said")
	}
	k := rapid.SampledFrom(m.turns).Draw(t, "turn")
	store := m.stores[m.anyRegion(t)]
	m.read(t, store, k)
	for _, other := range []string{"acme", "acme2", "acm"} {
		if other == k.tenant {
			continue
		}
		if turns, err := store.Chain(t.Context(), other, k.turn.ID); err == nil {
			t.Fatalf("%s reads %q of %s", other, bodies(turns), k.tenant)
		}
	}
}

// Delete deletes a turn, and with it all that continues it.
func (m *machine) Delete(t *rapid.T) {
	if len(m.turns) == 0 {
		t.Skip("nothing was said")
	}
	at := rapid.IntRange(0, len(m.turns)-1).Draw(t, "turn")
	k := m.turns[at]
	err := m.stores[m.anyRegion(t)].DeleteTurn(t.Context(), k.tenant, k.turn.ID)
	if err != nil && !k.gone && errors.Is(err, conversation.ErrNotFound) {
		t.Fatalf("delete a turn: %v, though a client saw it completed", err)
	}
	said := k.lineage[len(k.lineage)-1]
	for i := range m.turns {
		// Even after an error the tombstone may stand.
		if m.turns[i].tenant == k.tenant && slices.Contains(m.turns[i].lineage, said) {
			m.turns[i].gone, m.turns[i].buried = true, m.turns[i].buried || err == nil
		}
	}
}

// Begin begins a conversation. One copy is enough, for its id says where it is.
func (m *machine) Begin(t *rapid.T) {
	tenant, store := m.anyTenant(t), m.stores[m.anyRegion(t)]
	c, stored, err := store.CreateConversation(t.Context(), tenant, []byte("{}"))
	if err != nil {
		m.excusedWrite(t, store, err, aHistory)
		return
	}
	m.threads[c.ID.String()] = &thread{tenant: tenant, id: c.ID, created: c, maybe: map[string]bool{}, struck: map[string]bool{}, alone: len(stored.Regions) < 2}
}

func (m *machine) anyThread(t *rapid.T) *thread {
	if len(m.threads) == 0 {
		t.Skip("no conversation")
	}
	var ids []string
	for id := range m.threads {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return m.threads[rapid.SampledFrom(ids).Draw(t, "conversation")]
}

// Say adds a turn to a conversation, with its whole history or not at all.
func (m *machine) Say(t *rapid.T) {
	c, store := m.anyThread(t), m.stores[m.anyRegion(t)]
	conv, history, ok := m.history(t, store, c)
	if !ok {
		return
	}
	id, err := store.NewConversationTurn(c.id, history)
	if err != nil {
		t.Fatal(err)
	}
	m.meanwhile(t, store.Region)
	c.said++
	said := say(c.tenant, c.said)
	_, _, err = store.Append(t.Context(), c.tenant, conversation.Turn{ID: id, InConversation: true, Expires: conv.Expires, Body: body(said)})
	if err != nil {
		m.excusedWrite(t, store, err, aConversation)
		c.maybe[said] = true
		return
	}
	c.bodies = append(c.bodies, said)
}

// history loads a conversation and holds it against what clients saw.
func (m *machine) history(t *rapid.T, store *conversation.Store, c *thread) (conversation.Conversation, []conversation.Turn, bool) {
	conv, turns, err := store.History(t.Context(), c.tenant, c.id)
	if err != nil {
		if !c.gone && !(c.alone && errors.Is(err, conversation.ErrNotArrived)) {
			m.excused(t, store, err, aConversation)
		}
		return conv, nil, false
	}
	if c.buried {
		t.Fatalf("a conversation is %q in %s, though a client saw it deleted", bodies(turns), store.Region)
	}
	for _, turn := range turns {
		if c.struck[said(turn.Body)] && (!slices.Equal(turn.Deleted, []int{0}) || !bytes.HasPrefix(turn.Body, []byte(redacted))) {
			t.Fatalf("an item is readable in %s, though a client saw it deleted", store.Region)
		}
	}
	certain := slices.DeleteFunc(bodies(turns), func(said string) bool { return c.maybe[said] })
	if !slices.Equal(certain, c.bodies) {
		t.Fatalf("a conversation is %q, want %q", certain, c.bodies)
	}
	return conv, turns, true
}

// Recall loads a conversation in any region, for its owner and for another.
func (m *machine) Recall(t *rapid.T) {
	c, store := m.anyThread(t), m.stores[m.anyRegion(t)]
	m.history(t, store, c)
	for _, other := range []string{"acme", "acme2", "acm"} {
		if other == c.tenant {
			continue
		}
		if _, turns, err := store.History(t.Context(), other, c.id); err == nil {
			t.Fatalf("%s reads %q of %s", other, bodies(turns), c.tenant)
		}
	}
}

// Strike deletes the first item of a conversation's turn.
func (m *machine) Strike(t *rapid.T) {
	c, store := m.anyThread(t), m.stores[m.anyRegion(t)]
	_, turns, ok := m.history(t, store, c)
	if !ok || len(turns) == 0 {
		return
	}
	turn := rapid.SampledFrom(turns).Draw(t, "turn")
	m.meanwhile(t, store.Region)
	if store.DeleteItem(t.Context(), c.tenant, c.id, conversation.ItemID{TurnID: turn.ID}, redact) == nil {
		c.struck[said(turn.Body)] = true
	}
}

// Withdraw deletes a turn of a conversation.
func (m *machine) Withdraw(t *rapid.T) {
	c, store := m.anyThread(t), m.stores[m.anyRegion(t)]
	_, turns, ok := m.history(t, store, c)
	if !ok || len(turns) == 0 {
		return
	}
	turn := rapid.SampledFrom(turns).Draw(t, "turn")
	m.meanwhile(t, store.Region)
	err := store.DeleteTurn(t.Context(), c.tenant, turn.ID)
	text := said(turn.Body)
	c.bodies = slices.DeleteFunc(c.bodies, func(said string) bool { return said == text })
	c.maybe[text] = err != nil
}

// Forget deletes a conversation.
func (m *machine) Forget(t *rapid.T) {
	c, store := m.anyThread(t), m.stores[m.anyRegion(t)]
	m.meanwhile(t, store.Region)
	err := store.DeleteConversation(t.Context(), c.tenant, c.id)
	if err != nil && !c.gone && errors.Is(err, conversation.ErrNotFound) {
		t.Fatalf("delete a conversation: %v, though it exists", err)
	}
	c.gone, c.buried = true, c.buried || err == nil
}

// Deliver lets some of what is underway to a region arrive, while one of the
// others may be parted from it.
func (m *machine) Deliver(t *rapid.T) {
	region, parted := m.anyRegion(t), m.anyRegion(t)
	if !m.world.down[region] {
		m.world.deliverFrom(region, func(from string) bool { return from != parted }, rapid.IntRange(1, 4).Draw(t, "writes"))
	}
}

// Break takes a region down, Part parts two, Mend undoes all of it: more often
// than they break.
func (m *machine) Break(t *rapid.T) { m.world.down[m.anyRegion(t)] = true }

func (m *machine) Part(t *rapid.T) { m.world.cut[[2]string{m.anyRegion(t), m.anyRegion(t)}] = true }

func (m *machine) Mend(*rapid.T) { m.mend() }

func (m *machine) mend() {
	clear(m.world.down)
	clear(m.world.cut)
}

// LoseReply has the next write in a region done, and reported as failed.
func (m *machine) LoseReply(t *rapid.T) { m.world.lose[m.anyRegion(t)] = 1 }

// WriteLate has an item of any turn arrive once more.
func (m *machine) WriteLate(t *rapid.T) {
	if len(m.world.written) == 0 {
		t.Skip("nothing was written")
	}
	m.world.late(m.anyRegion(t), rapid.IntRange(0, len(m.world.written)-1).Draw(t, "item"))
}

// Wait lets time pass.
func (m *machine) Wait(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond)
}

// settle mends everything and lets all writes arrive. Then nothing may be left
// of what was deleted, in any region.
func (m *machine) settle(t *rapid.T) {
	m.mend()
	clear(m.world.lose)
	for _, region := range m.world.regions {
		m.world.deliver(region, -1)
	}
	for _, region := range m.world.regions {
		for _, k := range m.turns {
			if _, ok := m.read(t, m.stores[region], k); ok && k.buried {
				t.Fatalf("in %s, at rest, a history is readable that was deleted", region)
			}
		}
		for _, c := range m.threads {
			m.history(t, m.stores[region], c)
		}
	}
}

// TestNoTurnIsLost plays random histories of turns, branches, conversations and
// deletions in two or three regions with random lag, partitions, outages, also
// while a model answers, and lost replies. What a client saw completed is answered whole, or with a reason to try
// again (R3); with one region down there is no such reason (R2); and never to
// another tenant (R6).
func TestNoTurnIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { play(t, intact) })
}

func play(t *rapid.T, through guarantee) {
	m := newMachine(t, through)
	t.Repeat(map[string]func(*rapid.T){
		"append": m.Append, "append again": m.Append, "read": m.Read, "read again": m.Read, "delete": m.Delete,
		"begin": m.Begin, "say": m.Say, "say again": m.Say, "recall": m.Recall, "strike": m.Strike, "withdraw": m.Withdraw, "forget": m.Forget,
		"deliver": m.Deliver, "break": m.Break, "part": m.Part, "mend": m.Mend, "mend again": m.Mend, "lose a reply": m.LoseReply,
		"write late": m.WriteLate, "wait": m.Wait,
	})
	m.settle(t)
}
