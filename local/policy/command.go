package policy

import (
	"context"
	"errors"
	"flag"
	"io"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/deploy"
)

// Command is `local policy`.
func Command(ctx context.Context, args []string, out io.Writer) error {
	line := command.Line{
		Name:     "go run ./local policy",
		Does:     "Write the policies of the role that deploys a stack, as one JSON object, by name.",
		Examples: []string{"--stack eu --account 123456789012", "--stack eu --account 123456789012 --state-bucket acme-pulumi --read-only", "--stack eu --scp"},
	}
	flags := line.Flags()
	var o Options
	flags.StringVar(&o.Stack, "stack", "prod", "the stack: the `name` in Pulumi.<name>.yaml")
	flags.StringVar(&o.Account, "account", "", "the `account` to deploy into, where the settings name none")
	flags.StringVar(&o.StateBucket, "state-bucket", "", "the `bucket` that holds Pulumi's state, if one does")
	flags.StringVar(&o.StateKey, "state-key", "", "the `ARN` of the KMS key that the stack's secrets provider names, if it names one")
	flags.BoolVar(&o.ReadOnly, "read-only", false, "only what a preview and the search for drift take")
	scp := flags.Bool("scp", false, "instead, the service control policy that holds an account to the stack's jurisdiction")
	switch _, err := line.Parse(flags, args, out); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	o.Root = root
	if *scp {
		d, err := Control(o)
		if err != nil {
			return err
		}
		return write(out, d)
	}
	documents, err := Documents(ctx, o)
	if err != nil {
		return err
	}
	return write(out, documents)
}
