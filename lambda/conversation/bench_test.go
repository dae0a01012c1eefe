package conversation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/require"
)

// exchange is a body of about 4 KB, as a question and its answer make it.
func exchange(n int) string {
	return fmt.Sprintf(`{"n":%d,"input":%q,"output":%q}`, n, strings.Repeat("why does the table not answer? ", 30), strings.Repeat("because its region is down; ", 100))
}

// BenchmarkLoad loads histories from a replica in memory, so that what is
// measured is the store's own work.
func BenchmarkLoad(b *testing.B) {
	for _, turns := range []int{1, 10, 100, 1000} {
		w := newBench(b)
		w.pageSize = 250 // about what 1 MB holds
		var last conversation.Turn
		for i := range turns {
			last = w.say(b, here, exchange(i), last)
		}
		b.Run(fmt.Sprint(turns, " turns"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, err := w.stores[here].Chain(b.Context(), "acme", last.ID)
				require.NoError(b, err)
				require.Len(b, got, turns)
			}
		})
	}
}
