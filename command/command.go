// Package command reads the command lines of this project's commands, all in the
// same way: flags stand before, between and behind arguments, help goes to where
// results go, and a mistake is one line that says what was meant.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// ErrUsage is what every mistake in a command line [errors.Is].
var ErrUsage = errors.New("see -h")

// Line is what a command line looks like.
type Line struct {
	Name      string   // as it is typed, e.g. "go run ./local up"
	Arguments string   // what may follow it besides flags, as help shows it; "" for nothing
	Does      string   // what the command is for; one sentence at least
	Examples  []string // what may follow Name; each works as it stands
	Min, Max  int      // number of arguments
}

// Flags returns an empty set, for [Line.Parse] to fill.
func (l Line) Flags() *flag.FlagSet {
	flags := flag.NewFlagSet(l.Name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what it would say, Parse does
	return flags
}

// Parse reads args into flags, and returns what is left: the arguments. It
// returns [flag.ErrHelp] after it has written help to out, which is no failure of
// the command, and [ErrUsage] after a mistake.
func (l Line) Parse(flags *flag.FlagSet, args []string, out io.Writer) (operands []string, err error) {
	for {
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return nil, l.help(flags, out)
		case err != nil:
			return nil, l.Mistake("%v%s", err, suggest(err, flags))
		}
		if flags.NArg() == 0 {
			break
		}
		operands, args = append(operands, flags.Arg(0)), flags.Args()[1:]
	}
	switch word := l.Name[strings.LastIndexByte(l.Name, ' ')+1:]; {
	case len(operands) > l.Max:
		return nil, l.Mistake("%s takes no argument %q", word, operands[l.Max])
	case len(operands) < l.Min:
		return nil, l.Mistake("%s needs %s", word, l.Arguments)
	}
	return operands, nil
}

// Mistake is an error of whoever typed the line, which leads to help.
func (l Line) Mistake(format string, args ...any) error {
	return mistake(fmt.Sprintf(format, args...) + "; see " + l.Name + " -h")
}

type mistake string

func (m mistake) Error() string { return string(m) }

func (mistake) Is(target error) bool { return target == ErrUsage }

// suggest names the flag that was meant, where one was.
func suggest(err error, flags *flag.FlagSet) string {
	given, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return ""
	}
	names := []string{"help"}
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return "; did you mean --" + Nearest(given, names) + "?"
}

// Nearest returns the name that a word was most likely meant to be, the first
// that begins with it or else the one of the fewest changes; "" if there are no
// names.
func Nearest(word string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	if i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, word) }); i >= 0 {
		return names[i]
	}
	return slices.MinFunc(names, func(a, b string) int {
		return levenshtein.Distance(a, word, nil) - levenshtein.Distance(b, word, nil)
	})
}

// help writes all that there is to know, and returns [flag.ErrHelp] unless it
// cannot.
func (l Line) help(flags *flag.FlagSet, out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nusage: %s\n", l.Does, strings.Join(strings.Fields(l.Name+" [flags] "+l.Arguments), " "))
	flags.VisitAll(func(f *flag.Flag) { describe(&b, f) })
	for i, example := range l.Examples {
		if i == 0 {
			b.WriteString("\nexamples:\n")
		}
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(l.Name+" "+example))
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return err
	}
	return flag.ErrHelp
}

// describe writes a flag as it is typed, and its default unless that is nothing
// or the text speaks of it.
func describe(b *strings.Builder, f *flag.Flag) {
	value, text := flag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && !strings.Contains(text, "(default") {
		text += fmt.Sprintf(" (default %s)", f.DefValue)
	}
	fmt.Fprintf(b, "\n  --%s\n      %s\n", strings.TrimSpace(f.Name+" "+value), text)
}
