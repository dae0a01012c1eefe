package conversation_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/lambda/conversation"
	"pgregory.net/rapid"
)

// eraser is a machine that breaks only while turns are written, and what its
// clients were told is deleted.
type eraser struct {
	*machine
	gone   map[string]bool // partition and turn, or partition alone
	struck map[string]bool // partition and turn whose first item was deleted
}

func place(tenant, thread, turn string) string { return tenant + "#" + thread + "\x00turn#" + turn }

// anyTurn is one of a conversation, if there is one.
func (e *eraser) anyTurn(t *rapid.T) (*thread, *conversation.Store, conversation.Turn) {
	c, store := e.anyThread(t), e.stores[e.anyRegion(t)]
	_, turns, ok := e.history(t, store, c)
	if !ok || len(turns) == 0 {
		t.Skip("nothing was said")
	}
	return c, store, rapid.SampledFrom(turns).Draw(t, "turn")
}

// Strike deletes the first item of a turn.
func (e *eraser) Strike(t *rapid.T) {
	c, store, turn := e.anyTurn(t)
	if err := store.DeleteItem(t.Context(), c.tenant, c.id, conversation.ItemID{TurnID: turn.ID}, redact); err == nil {
		c.struck[said(turn.Body)] = true
		e.struck[place(c.tenant, turn.ID.Thread, turn.ID.Turn)] = true
	}
}

// Withdraw deletes a turn of a conversation.
func (e *eraser) Withdraw(t *rapid.T) {
	c, store, turn := e.anyTurn(t)
	if err := store.DeleteTurn(t.Context(), c.tenant, turn.ID); err != nil {
		t.Fatal(err)
	}
	c.bodies = without(c.bodies, said(turn.Body))
	e.gone[place(c.tenant, turn.ID.Thread, turn.ID.Turn)] = true
}

func without(all []string, one string) (rest []string) {
	for _, s := range all {
		if s != one {
			rest = append(rest, s)
		}
	}
	return rest
}

// Delete deletes a turn of a thread.
func (e *eraser) Delete(t *rapid.T) {
	if len(e.turns) == 0 {
		t.Skip("nothing was said")
	}
	k := rapid.SampledFrom(e.turns).Draw(t, "turn")
	if e.stores[e.anyRegion(t)].DeleteTurn(t.Context(), k.tenant, k.turn.ID) != nil {
		return // it was deleted before
	}
	for i := range e.turns {
		e.turns[i].gone = e.turns[i].gone || e.turns[i].turn.ID.Thread == k.turn.ID.Thread
	}
	e.gone[place(k.tenant, k.turn.ID.Thread, k.turn.ID.Turn)] = true
}

// Forget deletes a conversation.
func (e *eraser) Forget(t *rapid.T) {
	c := e.anyThread(t)
	if c.gone {
		t.Skip("it is gone")
	}
	if err := e.stores[e.anyRegion(t)].DeleteConversation(t.Context(), c.tenant, c.id); err != nil {
		t.Fatal(err)
	}
	c.gone, c.buried = true, true
	e.gone[c.tenant+"#"+c.id.Thread] = true
}

// nothingIsLeft lets all writes arrive, and looks at what each replica has.
func (e *eraser) nothingIsLeft(t *rapid.T) {
	for _, region := range e.world.regions {
		e.world.deliver(region, -1)
		for _, rec := range e.world.replicas[region] {
			if rec.item == nil || !strings.HasPrefix(rec.sk, "turn#") {
				continue
			}
			turn, _, _ := strings.Cut(strings.TrimPrefix(rec.sk, "turn#"), "#")
			at := rec.pk + "\x00turn#" + turn
			body, _ := rec.item["b"].(*types.AttributeValueMemberB)
			head := rec.item["n"] != nil
			if e.gone[rec.pk] || e.gone[at] || e.struck[at] && head && !bytes.HasPrefix(body.Value, []byte(redacted)) {
				t.Fatalf("%s keeps %s, which was deleted", region, rec.sk)
			}
		}
	}
}

// TestNothingIsLeftOfWhatWasDeleted, wherever it was deleted and however late
// replication is.
func TestNothingIsLeftOfWhatWasDeleted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &eraser{machine: newMachine(t, intact), gone: map[string]bool{}, struck: map[string]bool{}}
		clear(e.world.skew) // of two writes to one item, the later wins
		t.Repeat(map[string]func(*rapid.T){
			"begin": e.Begin, "say": e.Say, "say again": e.Say, "append": e.Append, "recall": e.Recall, "deliver": e.Deliver, "wait": e.Wait,
			"strike": e.Strike, "withdraw": e.Withdraw, "delete": e.Delete, "forget": e.Forget,
			"": func(*rapid.T) { e.mend() },
		})
		e.nothingIsLeft(t)
	})
}
