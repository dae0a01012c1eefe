package command_test

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var line = command.Line{
	Name: "go run ./tool brew", Arguments: "POT [CUP]", Does: "Make tea.", Examples: []string{"", "--sugar 2 green"}, Min: 1, Max: 2,
}

func flags() (*flag.FlagSet, *int) {
	f := line.Flags()
	f.String("leaf", "assam", "`name` of the tea")
	f.Duration("wait", -1, "`time` to draw (default: as the pack says)")
	f.Bool("milk", false, "with milk")
	return f, f.Int("sugar", 0, "`number` of lumps")
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, line string
		operands   []string
		sugar      int
		mistake    string
	}{
		{"flags before arguments", "--sugar 2 green", []string{"green"}, 2, ""},
		{"flags between and behind arguments", "green --sugar=1 big -sugar 3", []string{"green", "big"}, 3, ""},
		{"a misspelt flag", "green --suger 2", nil, 0, "flag provided but not defined: -suger; did you mean --sugar?; see go run ./tool brew -h"},
		{"a wrong value", "green --sugar much", nil, 0, `invalid value "much" for flag -sugar: parse error; see go run ./tool brew -h`},
		{"a missing value", "green --leaf", nil, 0, "flag needs an argument: -leaf; see go run ./tool brew -h"},
		{"an argument too many", "green big new", nil, 0, `brew takes no argument "new"; see go run ./tool brew -h`},
		{"an argument too few", "--milk", nil, 0, "brew needs POT [CUP]; see go run ./tool brew -h"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, sugar := flags()
			var out strings.Builder
			operands, err := line.Parse(f, strings.Fields(tt.line), &out)
			assert.Empty(t, out.String())
			assert.Equal(t, tt.operands, operands)
			if tt.mistake == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.sugar, *sugar)
				return
			}
			assert.EqualError(t, err, tt.mistake)
			assert.ErrorIs(t, err, command.ErrUsage)
		})
	}
}

func TestHelp(t *testing.T) {
	const want = `Make tea.

usage: go run ./tool brew [flags] POT [CUP]

  --leaf name
      name of the tea (default assam)

  --milk
      with milk

  --sugar number
      number of lumps

  --wait time
      time to draw (default: as the pack says)

examples:
  go run ./tool brew
  go run ./tool brew --sugar 2 green
`
	for _, args := range [][]string{{"-h"}, {"--help"}, {"green", "-h"}} {
		f, _ := flags()
		var out strings.Builder
		_, err := line.Parse(f, args, &out)
		require.ErrorIs(t, err, flag.ErrHelp)
		assert.NotErrorIs(t, err, command.ErrUsage)
		assert.Equal(t, want, out.String())
	}
}

func TestHelpThatCannotBeWrittenFails(t *testing.T) {
	f, _ := flags()
	r, w := io.Pipe()
	require.NoError(t, r.CloseWithError(errors.New("the reader is gone")))
	_, err := line.Parse(f, []string{"-h"}, w)
	assert.EqualError(t, err, "the reader is gone")
}

func TestNearest(t *testing.T) {
	names := []string{"region-lost", "drain-return", "all"}
	assert.Equal(t, "region-lost", command.Nearest("region-lots", names))
	assert.Equal(t, "drain-return", command.Nearest("drain", names))
	assert.Equal(t, "all", command.Nearest("al", names))
	assert.Empty(t, command.Nearest("x", nil))
}
