package conversation

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// Sort keys of a thread's partition. Tombstones and metadata sort before turns,
// so that whoever reads up to a turn has read them.
//
//	del                  the thread is deleted
//	del#{turn}           a turn is
//	del#{turn}#{item}    an item of a turn is, by its number of three digits
//	meta#{name}          metadata; the last name counts
//	turn#{turn}          a turn: its head and the first part of its body
//	turn#{turn}#{part}   a further part of its body, by its number of two digits
//	turn#{turn}#v{name}  the turn without items that were deleted; it counts in
//	                     place of the turn, and the last name in place of others
//	turn#{turn}#v{name}#{part}
const (
	sortDeleted = "del"
	sortMeta    = "meta#"
	sortTurn    = "turn#"
	versionSep  = "#v"
	sortEnd     = "~" // sorts behind every character of the above
)

// Attributes of an item, besides its key and [contract.AttrExpires]. Their names
// are billed with every read and write.
const (
	attrParent   = "p" // of a turn: String of the TurnID
	attrRegion   = "r" // of a turn: where its id was made
	attrCreated  = "c" // of a turn: seconds since the epoch
	attrMember   = "m" // of a turn: present and true in a conversation
	attrParts    = "n" // of a turn: number of parts of its body
	attrBody     = "b" // a part of a body
	attrPacked   = "z" // of a turn whose body is compressed: its bytes before
	attrDigest   = "d" // of a claim
	attrTurn     = "t" // of a claim: String of the TurnID
	attrUntil    = "u" // of a claim: milliseconds since the epoch; renewed
	partitionSep = "#" // between tenant and thread
	maxParts     = 99  // of one turn
)

// partBytes is how much of a body one item holds. DynamoDB's limit of 400 KB
// counts keys and names too, which are far below the rest.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const partBytes = 390 << 10

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func flag() types.AttributeValue         { return &types.AttributeValueMemberBOOL{Value: true} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func itemKey(partition, sort string) item {
	return item{contract.PartitionKey: text(partition), contract.SortKey: text(sort)}
}

func threadPartition(tenant, thread string) string { return tenant + partitionSep + thread }

// textOf, numberOf and flagOf read an attribute; one that is missing or of
// another type is the zero value.
func textOf(it item, name string) string {
	v, ok := it[name].(*types.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return v.Value
}

func numberOf(it item, name string) int64 {
	v, ok := it[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func flagOf(it item, name string) bool {
	v, ok := it[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

func bodyOf(it item) []byte {
	v, ok := it[attrBody].(*types.AttributeValueMemberB)
	if !ok {
		return nil
	}
	return v.Value
}

// encodeTurn returns the items of t, its head first, under a sort key. The same
// turn gives the same bytes, wherever and however often it is written.
func encodeTurn(tenant string, t Turn, sortHead string) ([]item, error) {
	body, packed, err := pack(t.Body)
	if err != nil {
		return nil, err
	}
	parts := max(1, (len(body)+partBytes-1)/partBytes)
	if parts > maxParts || len(t.Body) > maxBodyBytes { // which nobody would read again
		return nil, fmt.Errorf("the turn is too large: %d bytes", len(t.Body))
	}
	partition := threadPartition(tenant, t.ID.Thread)
	items := make([]item, parts)
	for i := range items {
		items[i] = itemKey(partition, sortPart(sortHead, i))
		items[i][contract.AttrExpires] = number(t.Expires.Unix())
		items[i][attrBody] = &types.AttributeValueMemberB{Value: body[i*partBytes : min(len(body), (i+1)*partBytes)]}
	}
	head := items[0]
	head[attrRegion], head[attrCreated], head[attrParts] = text(t.ID.Region), number(t.Created.Unix()), number(int64(parts))
	if !t.Parent.IsZero() {
		head[attrParent] = text(t.Parent.String())
	}
	if t.InConversation {
		head[attrMember] = flag()
	}
	if packed {
		head[attrPacked] = number(int64(len(t.Body)))
	}
	return items, nil
}

// sortPart is the sort key of a part, of which the first is the head.
func sortPart(sortHead string, part int) string {
	if part == 0 {
		return sortHead
	}
	return fmt.Sprintf("%s#%02d", sortHead, part)
}

// turnOf is the name of the turn that a sort key belongs to.
func turnOf(sort string) (turn string, ok bool) {
	turn, ok = strings.CutPrefix(sort, sortTurn)
	turn, _, _ = strings.Cut(turn, "#")
	return turn, ok
}

// decodeTurn puts a turn together from its parts, head first.
func decodeTurn(thread string, parts []item) (Turn, error) {
	head := parts[0]
	name, _ := turnOf(textOf(head, contract.SortKey))
	t := Turn{
		ID:             TurnID{Thread: thread, Turn: name, Region: textOf(head, attrRegion)},
		InConversation: flagOf(head, attrMember),
		Created:        time.Unix(numberOf(head, attrCreated), 0).UTC(),
		Expires:        time.Unix(numberOf(head, contract.AttrExpires), 0).UTC(),
	}
	if parent := textOf(head, attrParent); parent != "" {
		var err error
		if t.Parent, err = ParseTurnID(parent); err != nil {
			return Turn{}, fmt.Errorf("read a turn: its parent: %w", err)
		}
	}
	body := bodyOf(head)
	if len(parts) > 1 {
		all := make([][]byte, len(parts))
		for i, part := range parts {
			all[i] = bodyOf(part)
		}
		body = bytes.Join(all, nil)
	}
	if _, packed := head[attrPacked]; !packed {
		t.Body = body
		return t, nil
	}
	var err error
	t.Body, err = unpack(body, numberOf(head, attrPacked))
	return t, err
}
