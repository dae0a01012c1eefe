package conversation

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Threads and turns have names of [nameLength] characters: a time of 50 bits in
// milliseconds, so that names sort by age, and 50 random bits.
const (
	nameLength = 20
	halfLength = nameLength / 2
	halfBits   = 50
	itemDigits = 3
)

// nameAlphabet sorts as its values do, and has no letters that look like digits.
const nameAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// MaxItem is the highest number of an item in its turn.
const MaxItem = 999

// TurnID says all that is needed to find a turn: its thread, its name in it, and
// the region that wrote it. The zero TurnID is none.
type TurnID struct {
	Thread, Turn string
	Region       string
}

// ConversationID says all that is needed to find a conversation.
type ConversationID struct {
	Thread string
	Region string
}

// ItemID names one item of a turn, whose number the caller gives.
type ItemID struct {
	TurnID
	Number int // 0 to [MaxItem]
}

// errID says no more, since what was given is a caller's.
var errID = errors.New("malformed id")

// regionPattern is compiled when the first id is read, not while a function
// starts.
var regionPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{1,16}){1,3}-[0-9]{1,2}$`)
})

// IsZero tells whether id is none.
func (id TurnID) IsZero() bool { return id == TurnID{} }

// String is what [ParseTurnID] reads.
func (id TurnID) String() string { return id.Thread + id.Turn + id.Region }

// String is what [ParseConversationID] reads.
func (id ConversationID) String() string { return id.Thread + id.Region }

// String is what [ParseItemID] reads.
func (id ItemID) String() string {
	return fmt.Sprintf("%s%s%0*d%s", id.Thread, id.Turn, itemDigits, id.Number, id.Region)
}

// ParseTurnID reads the one spelling of an id.
func ParseTurnID(s string) (TurnID, error) {
	var id TurnID
	if len(s) <= 2*nameLength {
		return id, errID
	}
	id = TurnID{Thread: s[:nameLength], Turn: s[nameLength : 2*nameLength], Region: s[2*nameLength:]}
	return id, check(id.Region, id.Thread, id.Turn)
}

// ParseConversationID reads the one spelling of an id.
func ParseConversationID(s string) (ConversationID, error) {
	if len(s) <= nameLength {
		return ConversationID{}, errID
	}
	id := ConversationID{Thread: s[:nameLength], Region: s[nameLength:]}
	return id, check(id.Region, id.Thread)
}

// ParseItemID reads the one spelling of an id.
func ParseItemID(s string) (ItemID, error) {
	const numbered = 2*nameLength + itemDigits
	if len(s) <= numbered {
		return ItemID{}, errID
	}
	id := ItemID{TurnID: TurnID{Thread: s[:nameLength], Turn: s[nameLength : 2*nameLength], Region: s[numbered:]}}
	digits := s[2*nameLength : numbered]
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || strings.TrimLeft(digits, "0123456789") != "" {
		return ItemID{}, errID
	}
	id.Number = int(number)
	return id, check(id.Region, id.Thread, id.Turn)
}

func check(region string, names ...string) error {
	for _, name := range names {
		if len(name) != nameLength || strings.Trim(name, nameAlphabet) != "" {
			return errID
		}
	}
	if !regionPattern().MatchString(region) {
		return errID
	}
	return nil
}

// newName returns a name of now, or of the millisecond after that of after if
// this is later, so that whatever follows something sorts behind it, however
// the clocks of two regions differ.
func newName(random io.Reader, now time.Time, after string) (string, error) {
	ms := now.UnixMilli()
	if after != "" {
		ms = max(ms, nameMillis(after)+1)
	}
	var half [8]byte
	if _, err := io.ReadFull(random, half[1:]); err != nil {
		return "", fmt.Errorf("name a turn: read random bytes: %w", err)
	}
	var chance int64
	for _, b := range half {
		chance = chance<<8 | int64(b)
	}
	return encodeHalf(ms) + encodeHalf(chance&(1<<halfBits-1)), nil
}

// encodeHalf writes the lowest 50 bits of n.
func encodeHalf(n int64) string {
	var b [halfLength]byte
	for i := halfLength - 1; i >= 0; i-- {
		b[i] = nameAlphabet[n&31]
		n >>= 5
	}
	return string(b[:])
}

// nameMillis is the time in a valid name.
func nameMillis(name string) int64 {
	var n int64
	for _, c := range name[:halfLength] {
		n = n<<5 | int64(strings.IndexRune(nameAlphabet, c))
	}
	return n
}
