package drill

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/talk"
)

// watchOptions say what to watch, and with how much load.
type watchOptions struct {
	endpoint string // URL of the stack, without /v1
	key      string
	model    string // "" for the first that the stack has
	prompt   string
	clients  int
	length   time.Duration
	pause    time.Duration // of each client between two requests
	answer   time.Duration // that a client waits for an answer
	window   time.Duration
	report   string
}

var watchLine = command.Line{
	Name: "go run ./local drill watch",
	Does: `Watch a deployed stack while others break it: hold conversations with it and
report. Every second client, the first among them, holds a conversation by its
id and reads it back after each turn: those are the turns checked. The others go
on from response to response, of which only a failure tells. It breaks nothing,
and calls nothing but the endpoint. Ctrl-C ends it early and writes the report.`,
	Examples: []string{"--endpoint https://us.llm.example.com --for 30m --clients 10"},
}

// watchCommand is `local drill watch`.
func watchCommand(ctx context.Context, args []string, s Streams) error {
	o := watchOptions{}
	flags := watchLine.Flags()
	flags.StringVar(&o.endpoint, "endpoint", "", "`URL` of the stack")
	flags.StringVar(&o.key, "key", "", "API `key` (default: what OPENAI_API_KEY holds)")
	flags.StringVar(&o.model, "model", "", "`name` of the model to ask (default: the stack's first)")
	flags.StringVar(&o.prompt, "prompt", "Answer in one short sentence.", "`text` of each question, behind its number")
	flags.IntVar(&o.clients, "clients", 4, "`number` of clients, each with a conversation, 1 to 50")
	flags.DurationVar(&o.length, "for", 5*time.Minute, "how `long` to watch")
	flags.DurationVar(&o.pause, "pause", 2*time.Second, "`time` of each client between two requests, at least 100ms")
	flags.DurationVar(&o.answer, "timeout", time.Minute, "`time` that a client waits for an answer before its retry")
	flags.DurationVar(&o.window, "window", 178*time.Second, "`W`, in which clients of a lost region may fail, as the preview prints it")
	flags.StringVar(&o.report, "report", "report.html", "`file` to write the picture to")
	switch _, err := watchLine.Parse(flags, args, s.Out); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	o.key = cmp.Or(o.key, os.Getenv("OPENAI_API_KEY"))
	if err := o.check(); err != nil {
		return err
	}
	return watch(ctx, o, s)
}

// check finds every fault of the options.
func (o *watchOptions) check() error {
	var faults []error
	u, err := url.Parse(o.endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		faults = append(faults, fmt.Errorf("endpoint %q: give the stack's URL, e.g. --endpoint https://us.llm.example.com", o.endpoint))
	}
	o.endpoint = strings.TrimSuffix(strings.TrimSuffix(o.endpoint, "/"), "/v1")
	if o.key == "" {
		faults = append(faults, errors.New("no API key: give --key, or set OPENAI_API_KEY"))
	}
	if o.clients < 1 || o.clients > 50 {
		faults = append(faults, fmt.Errorf("clients %d is out of range: give 1 to 50", o.clients))
	}
	if o.pause < 100*time.Millisecond {
		faults = append(faults, fmt.Errorf("pause %s is too short: give 100ms or more", o.pause))
	}
	for name, d := range map[string]time.Duration{"for": o.length, "timeout": o.answer, "window": o.window} {
		if d <= 0 {
			faults = append(faults, fmt.Errorf("%s %s is too short: give more than nothing", name, d))
		}
	}
	return errors.Join(append(faults, checkReport(o.report))...)
}

// watch lets clients work with a stack, and reports what they saw.
func watch(ctx context.Context, o watchOptions, s Streams) error {
	sdk := o.sdk()
	model, err := o.pick(ctx, sdk)
	if err != nil {
		return err
	}
	r := &record{title: o.endpoint, speed: 1, window: o.window, length: o.length, start: time.Now()}
	running, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var working sync.WaitGroup
	for n := range o.clients {
		c := &client{
			place: fmt.Sprintf("client %d", n+1), number: n, thread: n%2 == 0, sdk: sdk, model: model, prompt: o.prompt, most: 100,
			patience: patience{answer: o.answer, retry: 500 * time.Millisecond, think: o.pause},
		}
		r.places = append(r.places, c.place)
		working.Go(func() { c.work(running, ctx, r.add) })
	}
	working.Go(func() { r.tell(running, live(s.Err)) })
	working.Wait()
	fmt.Fprintln(s.Err)
	if r.length = time.Since(r.start); ctx.Err() == nil {
		r.length = max(r.length, o.length)
	}
	p := r.observed()
	p.What = fmt.Sprintf("%s was watched by %d clients for %s", o.endpoint, o.clients, r.length.Round(time.Second))
	p.Promises, p.Expected = "R2 R3", fmt.Sprintf("no client fails for longer than W = %s, and none that reads its conversation back finds a turn missing", o.window)
	return conclude([]picture{p}, o.report, s.Out)
}

// sdk is the official client, which goes to the endpoint and nowhere else: no
// proxy, no redirect, no retry but the client's own, and a new connection for
// each request, so that it goes where DNS leads by then.
func (o watchOptions) sdk() openai.Client {
	return openai.NewClient(
		option.WithBaseURL(o.endpoint+"/v1"), option.WithAPIKey(o.key), option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	)
}

// pick finds the model to ask, and so out whether the stack can be called at all.
func (o watchOptions) pick(ctx context.Context, sdk openai.Client) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, o.answer)
	defer cancel()
	models, err := sdk.Models.List(ctx)
	if err != nil {
		return "", fmt.Errorf("%s does not list its models (%s); are endpoint and key right?", o.endpoint, talk.Short(err))
	}
	var names []string
	for _, m := range models.Data {
		names = append(names, m.ID)
	}
	switch {
	case len(names) == 0:
		return "", fmt.Errorf("%s has no models", o.endpoint)
	case o.model == "":
		return names[0], nil
	case !slices.Contains(names, o.model):
		return "", fmt.Errorf("%s has no model %q; it has %s", o.endpoint, o.model, strings.Join(names, ", "))
	default:
		return o.model, nil
	}
}

// observed is what the clients saw: one that fails for longer than the window has
// been broken a promise, whether or not it had answers in between.
func (r *record) observed() picture {
	r.sort()
	for _, s := range r.samples {
		if s.region != "" && !slices.Contains(r.regions, s.region) {
			r.regions = append(r.regions, s.region)
		}
	}
	troubles := r.troubles()
	excused := func(s sample) bool {
		return !slices.ContainsFunc(troubles, func(t trouble) bool { return r.scaled(t.lasted()) > r.window && t.covers(s) })
	}
	return r.picture(r.count(excused), excused)
}
