package policy

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/crossregion/crossregion/local/deploy"
)

// Command is `local policy`.
func Command(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("policy", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, "Write the policies of the role that deploys a stack, as one JSON object, by name.\n\nusage: go run ./local policy [flags]\n\n")
		flags.PrintDefaults()
	}
	var o Options
	flags.StringVar(&o.Stack, "stack", "prod", "the stack: the `name` in Pulumi.<name>.yaml")
	flags.StringVar(&o.Account, "account", "", "the `account` to deploy into, where the settings name none")
	flags.StringVar(&o.StateBucket, "state-bucket", "", "the `bucket` that holds Pulumi's state, if one does")
	flags.StringVar(&o.StateKey, "state-key", "", "the `ARN` of the KMS key that the stack's secrets provider names, if it names one")
	flags.BoolVar(&o.ReadOnly, "read-only", false, "only what a preview and the search for drift take")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return fmt.Errorf("%w; see go run ./local policy -h", err)
	case flags.NArg() > 0:
		return fmt.Errorf("policy takes no argument %q; see go run ./local policy -h", flags.Arg(0))
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	o.Root = root
	documents, err := Documents(ctx, o)
	if err != nil {
		return err
	}
	return write(out, documents)
}
