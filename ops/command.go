package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Streams are where a command reads and prints.
type Streams struct {
	In  io.Reader // answers to questions
	Out io.Writer // the result
	Err io.Writer // questions and usage
}

const usage = `usage: go run ./ops <command> [flags] [arguments]

commands:
  keys mint TENANT          make an API key, which is shown this once
  keys list [TENANT]        list keys, never their secrets
  keys revoke ID            make a key open nothing
  tenants list              list tenants that have limits
  tenants show TENANT       show a tenant's limits
  tenants set TENANT        replace a tenant's limits
  erase TENANT              revoke a tenant's keys and remove all that it said
  drain REGION              take a region out of DNS
  undrain REGION            bring it back
  drains                    list drained regions

Every command needs one of --stack NAME, --outputs FILE and --local; see
<command> -h for its flags. Exit code 2 is a mistake in the command, 1 any
other failure.
`

// errUsage is in the chain of a mistake in the command line.
var errUsage = errors.New("see go run ./ops help")

func exitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

func misuse(format string, args ...any) error {
	return fmt.Errorf("%s; %w", fmt.Sprintf(format, args...), errUsage)
}

// call is one command under way.
type call struct {
	*stack
	Streams
	args []string
	json bool
}

// command is one thing that an operator does.
type command struct {
	name  string
	flags func(*flag.FlagSet) func(context.Context, *call) error
	min   int // arguments
	max   int
}

func commands() []command {
	return []command{
		{"keys mint", mintFlags, 1, 1},
		{"keys list", plain(listKeys), 0, 1},
		{"keys revoke", plain(revokeKey), 1, 1},
		{"tenants list", plain(listTenants), 0, 0},
		{"tenants show", plain(showTenant), 1, 1},
		{"tenants set", tenantFlags, 1, 1},
		{"erase", eraseFlags, 1, 1},
		{"drain", plain(drain), 1, 1},
		{"undrain", plain(undrain), 1, 1},
		{"drains", plain(listDrains), 0, 0},
	}
}

// plain is a command without flags of its own.
func plain(do func(context.Context, *call) error) func(*flag.FlagSet) func(context.Context, *call) error {
	return func(*flag.FlagSet) func(context.Context, *call) error { return do }
}

// Run does what args say. It prints nothing about an error that it returns.
func Run(ctx context.Context, args []string, s Streams) error {
	if len(args) == 0 {
		return misuse("no command given")
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		_, err := io.WriteString(s.Out, usage)
		return err
	}
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return c.run(ctx, args[len(words):], s)
		}
	}
	return misuse("no command is called %q", args[0])
}

func (c command) run(ctx context.Context, args []string, s Streams) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(s.Err)
	var from source
	from.flags(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	do := c.flags(flags)
	operands, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return misuse("%s: %v", c.name, err)
	case len(operands) < c.min || len(operands) > c.max:
		return misuse("%s takes %s, not %d", c.name, c.takes(), len(operands))
	}
	target, err := from.open(ctx)
	if err != nil {
		return err
	}
	return do(ctx, &call{stack: target, Streams: s, args: operands, json: *asJSON})
}

// takes says how many arguments a command has.
func (c command) takes() string {
	switch {
	case c.max == 0:
		return "no argument"
	case c.min == c.max:
		return fmt.Sprintf("%d argument", c.min)
	}
	return fmt.Sprintf("%d to %d arguments", c.min, c.max)
}

// parse lets flags stand before, between and after arguments.
func parse(flags *flag.FlagSet, args []string) ([]string, error) {
	var operands []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return operands, nil
		}
		operands, args = append(operands, flags.Arg(0)), flags.Args()[1:]
	}
}

// print writes v as JSON if that was asked for, else what text writes.
func (c *call) print(v any, text string) error {
	if c.json {
		return json.NewEncoder(c.Out).Encode(v)
	}
	_, err := io.WriteString(c.Out, text)
	return err
}
