package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"strings"

	"github.com/crossregion/crossregion/command"
)

// Streams are where a command reads and prints.
type Streams struct {
	In  io.Reader // answers to questions
	Out io.Writer // the result
	Err io.Writer // questions
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

Every command needs one of --stack NAME, --outputs FILE and --local, beside
which --stack chooses if several run; see <command> -h for its flags. Exit code
2 is a mistake in the command, 1 any other failure.

examples:
  go run ./ops keys mint acme --stack eu
  go run ./ops drain eu-west-1 --local
`

func exitCode(err error) int {
	if errors.Is(err, command.ErrUsage) {
		return 2
	}
	return 1
}

func misuse(format string, args ...any) error {
	return command.Line{Name: "go run ./ops"}.Mistake(format, args...)
}

// call is one command under way.
type call struct {
	*stack
	Streams
	args []string
	json bool
}

// task is one thing that an operator does.
type task struct {
	name  string
	line  command.Line // but for its name
	flags func(*flag.FlagSet) func(context.Context, *call) error
}

func tasks() []task {
	none := func(does, example string) command.Line { return command.Line{Does: does, Examples: []string{example}} }
	one := func(argument, does, example string) command.Line {
		return command.Line{Arguments: argument, Does: does, Examples: []string{example}, Min: 1, Max: 1}
	}
	return []task{
		{"keys mint", one("TENANT", "Make an API key, which is shown this once.", "acme --stack eu --models claude-sonnet --days 90"), mintFlags},
		{"keys list", command.Line{Arguments: "[TENANT]", Does: "List keys, never their secrets.", Examples: []string{"acme --stack eu"}, Max: 1}, plain(listKeys)},
		{"keys revoke", one("ID", "Make a key open nothing.", "cr_x4 --stack eu"), plain(revokeKey)},
		{"tenants list", none("List tenants that have limits.", "--stack eu"), plain(listTenants)},
		{"tenants show", one("TENANT", "Show a tenant's limits.", "acme --stack eu"), plain(showTenant)},
		{"tenants set", one("TENANT", "Replace a tenant's limits.", "acme --stack eu --tokens-per-day 1000000 --shares eu-west-1=60,eu-central-1=40"), tenantFlags},
		{"erase", one("TENANT", "Revoke a tenant's keys and remove all that it said.", "acme --stack eu"), eraseFlags},
		{"drain", one("REGION", "Take a region out of DNS.", "eu-west-1 --stack eu"), plain(drain)},
		{"undrain", one("REGION", "Bring a region back.", "eu-west-1 --stack eu"), plain(undrain)},
		{"drains", none("List drained regions.", "--stack eu"), plain(listDrains)},
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
	var names []string
	for _, c := range tasks() {
		words := strings.Fields(c.name)
		said := strings.Join(args[:min(len(args), len(words))], " ")
		if said == c.name {
			return c.run(ctx, args[len(words):], s)
		}
		names = append(names, c.name)
	}
	said := strings.Join(args[:min(len(args), 2)], " ")
	return misuse("no command is called %q%s", args[0], cmp.Or(command.Suggest(said, names), command.Suggest(args[0], names)))
}

func (c task) run(ctx context.Context, args []string, s Streams) error {
	c.line.Name = "go run ./ops " + c.name
	flags := c.line.Flags()
	var from source
	from.flags(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	do := c.flags(flags)
	operands, err := c.line.Parse(flags, args, s.Out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	target, err := from.open(ctx)
	if err != nil {
		return err
	}
	return do(ctx, &call{stack: target, Streams: s, args: operands, json: *asJSON})
}

// print writes v as JSON if that was asked for, else what text writes.
func (c *call) print(v any, text string) error {
	if c.json {
		return json.NewEncoder(c.Out).Encode(v)
	}
	_, err := io.WriteString(c.Out, text)
	return err
}
