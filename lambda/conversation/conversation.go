// Package conversation keeps what was said, on a table that is replicated
// between regions without order, where the last writer wins and a condition sees
// the local replica only. So that no turn is ever lost or overwritten, it only
// appends: a turn is one item under a key that nobody else writes, and it stands
// in two regions before anyone is told of it.
//
// A history is returned whole or not at all. What a turn says is the caller's
// affair: this package neither reads nor changes it. It knows no API and no
// model, and reaches only the regions that it is given.
//
// # Faults
//
// A region is silent for a caller that it does not answer, be it down, slow or cut
// off; each caller knows that of itself only, and a region that is silent for one
// may be at work for others. Replication is without order and takes as long as it
// takes; a region may fall silent at any moment, also between the reading of a
// history and the writing of the turn that continues it. A region that is lost for
// ever takes with it what it alone had.
//
// # Copies
//
// A turn is written to two regions, with the same bytes, before anyone is told of
// it. If a region does not take it the next one does.
//
// What continues a response names it. If it has not arrived, that gap is seen, and
// [ErrNotArrived] says so. So for a response one copy will do when no other region
// answers ([Stored.Short]): with its region lost before replication, usually within
// a second, it cannot be continued, but it is never silently missing.
//
// A conversation names no turn as its last. Its history is the union of what the
// regions have, and a region that is silent may have turns that no other knows.
// Hence quorums: a turn of a conversation, a change of its metadata and every
// deletion stand in a quorum or fail, and a history is read only if the silent
// regions are no quorum, so that at least one that answers has each turn. Any two
// regions are a quorum. With three regions or more, one may be silent at any time,
// and whoever can read a history can continue it. With two, neither could go on
// without the other: one of them, [Config.TieBreaker], is a quorum by itself. It
// goes on alone; the other refuses to read and to write conversations until the
// first answers. No rule gives that to both, since each would have to take the
// other for dead while that one is at work. [Config.Unpaired] makes every region a
// quorum by itself, and then no history is read while any is silent.
//
// # Deletion
//
// What is deleted gets a tombstone first, in every region that answers and a quorum
// at least, and then goes. In a conversation it is gone for every reader from then
// on, also for who reads one turn by its id; another turn may be read in a region
// that was silent until replication comes there. Of a single item the bytes go too:
// the turn is replaced by a version without them (see [Store.DeleteItem]). Bytes are
// removed wherever they stand: to delete what has not arrived in a region changes
// nothing there, and nothing is replicated that would remove it later. A function
// that was running meanwhile, or a region that was silent, may bring items back:
// they are never read, and expire.
package conversation

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers tell apart. Any other error means that no replica could
// be read or written, and that trying again may help.
var (
	// ErrNotFound is final: what was asked for does not exist, belongs to
	// another tenant, was deleted or has expired, or something that it continues
	// was or has.
	ErrNotFound = errors.New("not found, deleted or expired")
	// ErrDeleted is an [ErrNotFound] of a turn that is known to have existed.
	ErrDeleted = fmt.Errorf("deleted: %w", ErrNotFound)
	// ErrNotArrived is retryable: a region that may have what is missing here
	// did not answer, or something was deleted while it was read.
	ErrNotArrived = errors.New("not all of the conversation has arrived in this region")
	// ErrClaimLost is the end of a [Claim] whose holder was taken for dead.
	ErrClaimLost = errors.New("another request has taken the key")
)

// Turn is one exchange, immutable once stored.
type Turn struct {
	ID TurnID
	// Parent is the turn that this one continues; zero for the first of a
	// thread, and for every turn of a conversation.
	Parent TurnID
	// InConversation tells that the turn belongs to the conversation that its
	// thread is.
	InConversation bool
	// Created is when the turn was stored, in whole seconds.
	Created time.Time
	// Expires is when it is gone, in whole seconds: the earliest of all that it
	// continues.
	Expires time.Time
	// Body is the caller's.
	Body []byte
	// Deleted are the items of the turn that were deleted one by one, by their
	// number in it. Set when read.
	Deleted []int
}

// Conversation is a thread with a name of its own, to which turns are added
// without naming a parent.
type Conversation struct {
	ID ConversationID
	// Created is when it was created, in whole seconds.
	Created time.Time
	// Expires is when it is gone with all its turns, in whole seconds.
	Expires time.Time
	// Meta is the caller's; the latest that was set.
	Meta []byte
}

// Stored tells where a write went.
type Stored struct {
	// Regions have it now; all others will by replication.
	Regions []string
	// Short tells that fewer have it than [Config] wants: one, because no other
	// region answered.
	Short bool
}
