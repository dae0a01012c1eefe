package converse

import (
	"cmp"
	"strconv"
)

// maxToolID is how long the id of a tool's use may be.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
const maxToolID = 64

// toolIDs are the ids of the uses of tools in one request. Models want each to
// stand once, and not all count so far: some begin anew with every turn.
type toolIDs struct {
	taken   map[string]bool
	current map[string]string // what the last use of that id is sent as
	repeats map[string]int
}

// next returns what another use with that id is sent as: the same, if it can be.
func (ids *toolIDs) next(id string) string {
	if ids.taken == nil {
		ids.taken, ids.current, ids.repeats = map[string]bool{}, map[string]string{}, map[string]int{}
	}
	sent := id
	for ids.taken[sent] {
		ids.repeats[id]++
		number := "." + strconv.Itoa(ids.repeats[id]+1)
		sent = id[:min(len(id), maxToolID-len(number))] + number
	}
	ids.taken[sent], ids.current[id] = true, sent
	return sent
}

// last returns what the last use with that id is sent as.
func (ids *toolIDs) last(id string) string { return cmp.Or(ids.current[id], id) }
