package up_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wallClasses are what the API makes of classes of failure.
type wallClasses map[string]struct {
	status int
	code   string
}

// of is a cell with a class's code in its place, and the class's status.
func (c wallClasses) of(cell string) (want string, status int) {
	words := strings.Split(cell, ", ")
	for i, word := range words {
		if class, ok := c[word]; ok {
			words[i], status = class.code, class.status
		}
	}
	return strings.Join(words, ", "), status
}

// readWall returns the tables in docs/fault-wall.md: the wall, and the classes.
func readWall(t *testing.T) ([][]string, wallClasses) {
	t.Helper()
	page, err := os.ReadFile("../../docs/fault-wall.md")
	require.NoError(t, err)
	var rows [][]string
	classes := wallClasses{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		switch status, err := strconv.Atoi(cells[min(1, len(cells)-1)]); {
		case len(cells) == 3 && err == nil:
			classes[cells[0]] = struct {
				status int
				code   string
			}{status, cells[2]}
		case len(cells) == 5 && regexp.MustCompile("^(one|two)$").MatchString(cells[1]):
			rows = append(rows, cells)
		}
	}
	require.NotEmpty(t, classes)
	return rows, classes
}
