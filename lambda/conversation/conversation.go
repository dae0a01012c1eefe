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
// # Copies
//
// With two copies the loss of one region is not the loss of a turn. One copy
// ([Stored] names one region: no partner answered, or [Config.Unpaired]) is
// replicated by DynamoDB, usually within a second. Until then, should its region
// fall silent, what names the turn as its parent gets [ErrNotArrived]: the gap is
// seen. A conversation has no such name. Its history is read as long as no more
// regions are silent than copies are meant to be spare, so a turn that was told
// with one copy is missed by who reads elsewhere before it has arrived there and
// while that very region is silent. In a stack of three regions or more that
// takes a second region to fail while the turn is being written, since a
// conversation is not continued while two are silent; in a stack of two it is
// the lag of replication before the one region is lost and the other is back.
//
// # Deletion
//
// What is deleted gets a tombstone first, in every region that answers, and then
// goes. Single items of a turn are marked, and their bytes go with the turn. A
// function that was running when a turn was deleted, or a region that was silent,
// may bring items back: they are never read, and expire.
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
	// did not answer.
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
