package bench_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/bench"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// How far a document may be from a run, which rounds, and which measures what an
// answer leaves behind: on a busy machine words come together.
const (
	cents = 0.02
	some  = 0.5
)

// costsAgree checks that docs/costs.md says what a run found, and leaves out
// nothing of it; and that README.md repeats its sums.
func costsAgree(t *testing.T, figures []bench.Figure) {
	t.Helper()
	found := map[string]float64{}
	for _, f := range figures {
		if f.Part == "money" && f.Unit == "$" {
			found[strings.TrimSuffix(f.Name, " *")] = f.Value
		}
	}
	page := read(t, "docs/costs.md")
	told := map[string]bool{}
	for section, of := range map[string]string{"Idle": "idle a month, %d regions", "A million streamed answers": "a million streamed answers, %d regions"} {
		for _, row := range rows(t, page, section) {
			for i, dollars := range row.dollars {
				name := row.figure(fmt.Sprintf(of, i+2), found)
				told[name] = true
				off := cents
				if section != "Idle" {
					off = some
				}
				assert.InDelta(t, found[name], dollars, off, "docs/costs.md: %s", name)
			}
		}
	}
	for name := range found {
		if strings.Contains(name, " regions: ") && !strings.HasSuffix(name, "own metrics") || strings.HasSuffix(name, ": all") {
			assert.True(t, told[name], "docs/costs.md does not tell: %s", name)
		}
	}
	own := found["a month with any request, 3 regions: the gateway's own metrics"] / 3
	contains(t, "docs/costs.md", fmt.Sprintf("own metrics cost $%.2f a month for each region", own))
	idle, three := found["idle a month, 2 regions: all"], found["idle a month, 3 regions: all"]
	contains(t, "docs/costs.md", fmt.Sprintf("| another region | $%.2f a month while idle", three-idle))
	contains(t, "README.md", fmt.Sprintf("two regions costs about $%.0f a month", idle))
	contains(t, "README.md", fmt.Sprintf("costs about $%.0f besides", 5*math.Round(found["a million streamed answers, 2 regions: all"]/5)))
	contains(t, "docs/performance.md", fmt.Sprintf("Two regions cost $%.2f by these prices", idle))
}

// contains shows what is missing, and not the whole file.
func contains(t *testing.T, file, sentence string) {
	t.Helper()
	assert.True(t, strings.Contains(read(t, file), sentence), "%s does not say: %s", file, sentence)
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(b)
}

// costRow is a row of a table, with what two and three regions cost.
type costRow struct {
	what    string
	dollars [2]float64
}

// figure is the name of the figure that a row tells: an item of a bill, or a
// variant of the whole.
func (r costRow) figure(bill string, found map[string]float64) string {
	what, _, _ := strings.Cut(r.what, ": $") // a remark
	if name := bill + ", " + what + ": all"; found[name] != 0 {
		return name
	}
	return bill + ": " + what
}

// rows are those of a section's tables that end in two sums.
func rows(t *testing.T, page, section string) (all []costRow) {
	t.Helper()
	_, text, ok := strings.Cut(page, "\n## "+section+"\n")
	require.True(t, ok, section)
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.ReplaceAll(line, "*", ""), "| \n"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) < 3 {
			continue
		}
		two, errTwo := strconv.ParseFloat(strings.TrimSpace(cells[len(cells)-2]), 64)
		three, errThree := strconv.ParseFloat(strings.TrimSpace(cells[len(cells)-1]), 64)
		if errTwo == nil && errThree == nil {
			all = append(all, costRow{strings.TrimSpace(cells[0]), [2]float64{two, three}})
		}
	}
	return all
}
