// Package up deploys one stack into the embedded cloud and serves it on this
// machine's loopback interface, until told to stop.
package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/engine"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/gofrs/flock"
)

// Options configure [Start].
type Options struct {
	// Root is the project's folder. Required.
	Root string
	// Stack names the stack file, Pulumi.<stack>.yaml. Required.
	Stack string
	// Listen is the front door's loopback address, e.g. "127.0.0.1:8080". Port
	// 0 means any free one. Required.
	Listen string
	// From names the region that clients of the front door are near to.
	// Default: the first of the stack.
	From string
	// Progress hears what is being done. Default: nobody.
	Progress func(string)
	// Log receives warnings of the embedded cloud. Default: nobody.
	Log *slog.Logger
	// Settings replace those of the same names in the stack file. Default: none.
	Settings map[string]any
	// Speed is how fast the cloud's own time runs. Default: as fast as the
	// machine's.
	Speed float64
	// Readings choose how Bedrock reads what AWS leaves open. Default: the
	// strictest way.
	Readings bedrock.Readings
	// Target wraps where resources go, to observe or alter what is deployed, as
	// a policy of the account or a mistake in the program would. Default: the
	// account itself.
	Target func(deploy.Target) deploy.Target
	// State is a folder in which the real Pulumi engine keeps what it knows of
	// the stack. Without it a stand-in for the engine deploys, which forgets.
	State string
	// Diff takes what the engine changes of a stack that it knew. Default:
	// nobody.
	Diff io.Writer
}

// Running is a deployed stack that answers.
type Running struct {
	Stack    string
	Endpoint string            // URL of the front door
	Regions  map[string]string // URL of each region alone
	DNS      string            // address of the DNS server
	APIKey   string            // of a first tenant; empty where callers have none
	// Signer is what a first caller signs with, where IAM decides; else nil.
	Signer *iam.Credentials
	// Tokens are what callers need of an issuer; nil where they need none.
	Tokens *Tokens
	Models []string // what to put into "model"
	// ControlTable is the name of the table that holds keys and drain flags.
	ControlTable string
	// Outputs are all that the stack exports.
	Outputs      map[string]any
	Domain       string // the stack's name in that DNS; empty without a domain
	From         string // where the front door's clients stand
	Jurisdiction string // of the stack
	// RegionNames are the stack's regions, in the order of its settings.
	RegionNames []string
	Resources   int // registered by the program, components included

	// Account is the embedded account, for tests and drills.
	Account *account.Account
	// Engine is the one that deployed the stack. Nil without [Options.State].
	Engine *engine.Engine

	claimed *flock.Flock // on the engine's state; nil without one

	doors []*door
	names map[string]string // URL of each region alone, as the cloud's DNS knows it
	// warnings are what a preview of the stack says too.
	warnings []string
}

// Start deploys a stack and serves it. The caller closes what it returns;
// after an error nothing is left running.
func Start(ctx context.Context, o Options) (_ *Running, err error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	stack, err := deploy.Load(o.Root, o.Stack)
	if err != nil {
		return nil, err
	}
	if err := stack.Override(o.Settings); err != nil {
		return nil, err
	}
	r := &Running{Stack: o.Stack, Regions: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.From, err = viewer(stack, o.From); err != nil {
		return nil, err
	}
	front, err := listen(o.Listen)
	if err != nil {
		return nil, err
	}
	r.doors = append(r.doors, &door{listener: front})
	out, err := r.deploy(ctx, stack, o)
	if err != nil {
		return nil, err
	}
	o.Progress("let a first caller in")
	r.ControlTable, r.names, r.warnings = out.ControlTable, out.RegionalEndpoints, out.Warnings
	if err = r.admit(ctx, stack); err != nil {
		return nil, err
	}
	return r, r.open(stack, out)
}

// viewer checks where clients stand.
func viewer(stack *deploy.Stack, from string) (string, error) {
	if from == "" {
		return stack.Settings.Regions[0].Name, nil
	}
	if !cloud.KnownRegion(from) {
		return "", fmt.Errorf("no region %q to call from: known are %s", from, strings.Join(cloud.Regions(), ", "))
	}
	return from, nil
}

// listen opens the front door. The embedded cloud speaks plain HTTP and prints
// a key, so it stays on this machine.
func listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: give host:port, e.g. 127.0.0.1:8080", address)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %s: only a loopback address is served, e.g. 127.0.0.1:%s", address, port)
	}
	if cloud.RegionAddresses.Contains(ip) {
		return nil, fmt.Errorf("listen on %s: %s are the regions' addresses; choose another, e.g. 127.0.0.1:%s", address, cloud.RegionAddresses.String(), port)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, listenError(address, err)
	}
	return l, nil
}

func listenError(address string, err error) error {
	var system *os.SyscallError
	if errors.As(err, &system) {
		err = system
	}
	return fmt.Errorf("listen on %s: %w; choose another with --listen", address, err)
}

// deploy opens an account and runs the program into it.
func (r *Running) deploy(ctx context.Context, stack *deploy.Stack, o Options) (_ outputs, err error) {
	_, port, err := net.SplitHostPort(r.doors[0].listener.Addr().String())
	if err != nil {
		return outputs{}, err
	}
	r.Account, err = account.Open(account.Config{Port: port, Viewer: r.From, Log: o.Log, Speed: o.Speed, Readings: o.Readings})
	if err != nil {
		return outputs{}, err
	}
	// Before the build, which can take minutes: a port may be taken.
	for _, region := range stack.Settings.Regions {
		if err := r.Account.OpenRegion(region.Name); err != nil {
			return outputs{}, listenError("port "+port+" of region "+region.Name, err)
		}
	}
	stack.Prepare(r.Account)
	if d := stack.Settings.Domain; d != nil {
		r.Domain = d.Name
	}
	r.Jurisdiction = stack.Settings.Jurisdiction
	for _, region := range stack.Settings.Regions {
		r.RegionNames = append(r.RegionNames, region.Name)
	}
	for _, m := range stack.Settings.Models {
		r.Models = append(r.Models, m.Name)
	}
	o.Progress("build the handlers and deploy stack " + stack.Name)
	exported, err := r.run(ctx, stack, o)
	if err != nil {
		return outputs{}, fmt.Errorf("deploy stack %s: %w", stack.Name, err)
	}
	r.Outputs = exported
	return readOutputs(exported)
}

// run deploys and reports each component as its first resource appears.
func (r *Running) run(ctx context.Context, stack *deploy.Stack, o Options) (map[string]any, error) {
	if o.State != "" {
		return r.runEngine(ctx, stack, o)
	}
	created := make(chan deploy.Resource)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for resource := range created {
			r.Resources++
			if resource.Region == "" && strings.HasPrefix(resource.Token, stack.Project+":") {
				o.Progress(resource.Name)
			}
		}
	}()
	target := deploy.Target(r.Account)
	if o.Target != nil {
		target = o.Target(target)
	}
	outputs, err := stack.Deploy(ctx, target, func(resource deploy.Resource) { created <- resource })
	close(created)
	<-done
	return outputs, err
}

// open puts a door before the endpoint and one before each region.
func (r *Running) open(stack *deploy.Stack, out outputs) error {
	host, port, err := net.SplitHostPort(r.doors[0].listener.Addr().String())
	if err != nil {
		return err
	}
	if err := r.doors[0].open(r.Account, out.Endpoint); err != nil {
		return err
	}
	r.Endpoint = "http://" + net.JoinHostPort(host, port)
	for i, region := range stack.Settings.Regions {
		l, err := nextListener(host, port, i+1)
		if err != nil {
			return fmt.Errorf("listen for region %s: %w", region.Name, err)
		}
		d := &door{listener: l}
		r.doors = append(r.doors, d)
		if err := d.open(r.Account, out.RegionalEndpoints[region.Name]); err != nil {
			return err
		}
		r.Regions[region.Name] = "http://" + l.Addr().String()
	}
	r.DNS = r.Account.DNS()
	return nil
}

// Close stops everything that Start started and removes what it wrote.
func (r *Running) Close() error {
	var errs []error
	for _, d := range slices.Backward(r.doors) {
		errs = append(errs, d.Close())
	}
	if r.Engine != nil {
		errs = append(errs, r.Engine.Close())
	}
	if r.Account != nil {
		errs = append(errs, r.Account.Close())
	}
	if r.claimed != nil {
		errs = append(errs, r.claimed.Unlock())
	}
	return errors.Join(errs...)
}
