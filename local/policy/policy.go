// Package policy writes what the role that deploys a stack may do, and nothing
// more: the actions that the AWS provider calls for the types of resources that
// the program registers, on those resources, as far as AWS lets them be named.
// It rests on what the program registers in the embedded cloud.
package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/stacks"
)

// Options configure [Documents].
type Options struct {
	Root    string // folder of the project
	Stack   string // name of the stack
	Account string // that it is deployed into, if the settings do not say
	// ReadOnly leaves out all that changes anything, for who previews. Default:
	// false.
	ReadOnly bool
	// StateBucket is the bucket that holds Pulumi's state. Default: none, it is
	// elsewhere.
	StateBucket string
	// StateKey is the ARN of the KMS key that encrypts the stack's secrets there.
	// Default: none, they are encrypted otherwise.
	StateKey string
}

// Document is one policy.
type Document struct {
	Version   string
	Statement []Statement
}

// version is that of the language of policies.
const version = "2012-10-17"

// Statement allows or denies actions on resources: those of Action, or all but
// those of NotAction.
type Statement struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Action    []string `json:",omitempty"`
	NotAction []string `json:",omitempty"`
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// place is a type of resource in a region, or a function that is asked there.
type place struct{ token, region string }

// keyARN matches what policies call a key.
var keyARN = regexp.MustCompile(`^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)

// Documents returns the policies, by name. A type of resource that the table
// does not know is an error.
func Documents(ctx context.Context, o Options) (map[string]Document, error) {
	stack, err := deploy.Load(o.Root, o.Stack)
	if err != nil {
		return nil, err
	}
	if o.Account, err = accountOf(o, stack.Settings); err != nil {
		return nil, err
	}
	if o.StateKey != "" && !keyARN.MatchString(o.StateKey) {
		return nil, fmt.Errorf("--state-key %s: give the key's ARN, arn:aws:kms:REGION:ACCOUNT:key/ID; policies do not go by aliases", o.StateKey)
	}
	used, err := registered(ctx, stack)
	if err != nil {
		return nil, err
	}
	return generator{o, stack.Settings}.documents(used)
}

// accountPattern matches an account's ID.
var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)

// accountOf is the account that the policies are for, of which there is one.
func accountOf(o Options, s stacks.Settings) (string, error) {
	switch {
	case o.Account == "" && s.Account == "":
		return "", errors.New("the settings name no account: give --account")
	case o.Account != "" && s.Account != "" && o.Account != s.Account:
		return "", fmt.Errorf("--account %s: the settings of stack %s allow only %s; leave --account out, or correct one of them", o.Account, o.Stack, s.Account)
	case o.Account != "" && !accountPattern.MatchString(o.Account):
		return "", fmt.Errorf("--account %s: give the 12 digits of an account ID", o.Account)
	}
	return cmp.Or(o.Account, s.Account), nil
}

// registered are all that the stack registers and asks.
func registered(ctx context.Context, stack *deploy.Stack) (used []place, err error) {
	a, err := account.Open(account.Config{
		Port: "0", Viewer: stack.Settings.Regions[0].Name, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	stack.Prepare(a)
	w := &witness{Target: a, used: map[place]bool{}}
	if _, err := stack.Deploy(ctx, w, func(deploy.Resource) {}); err != nil {
		return nil, fmt.Errorf("deploy stack %s: %w", stack.Name, err)
	}
	used = slices.Collect(maps.Keys(w.used))
	slices.SortFunc(used, func(a, b place) int {
		return cmp.Or(strings.Compare(a.token, b.token), strings.Compare(a.region, b.region))
	})
	return used, nil
}

// witness notes what is asked of a target.
type witness struct {
	deploy.Target

	mu   sync.Mutex
	used map[place]bool
}

func (w *witness) note(token, region string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used[place{token, region}] = true
}

// Create implements deploy.Target.
func (w *witness) Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	w.note(token, region)
	return w.Target.Create(ctx, token, region, name, inputs)
}

// Call implements deploy.Target.
func (w *witness) Call(ctx context.Context, token, region string, args map[string]any) (map[string]any, error) {
	w.note(token, region)
	return w.Target.Call(ctx, token, region, args)
}

// generator turns what is used into policies.
type generator struct {
	Options
	settings stacks.Settings
}

// grant is a statement in the making: actions with the same resources and the
// same condition.
type grant struct{ set, resources, condition string }

func (g generator) documents(used []place) (map[string]Document, error) {
	actions, places := map[grant][]string{}, map[grant][]string{}
	var unknown []error
	for _, p := range used {
		rights, known := table[p.token]
		if !known {
			unknown = append(unknown, fmt.Errorf("%s: its rights are not known: add to the table of local/policy what the AWS provider calls for it", p.token))
		}
		for _, r := range rights {
			if r.condition == bound && g.settings.PermissionsBoundary == "" {
				continue
			}
			key := grant{r.set, strings.Join(r.resources, " "), r.condition}
			actions[key] = append(actions[key], r.actions...)
			for _, resource := range r.resources {
				places[key] = append(places[key], g.arn(resource, p.region))
			}
		}
	}
	if err := errors.Join(unknown...); err != nil {
		return nil, err
	}
	documents := map[string]Document{}
	for _, key := range slices.SortedFunc(maps.Keys(actions), compare) {
		name := "deploy-" + key.set
		if g.ReadOnly {
			name, actions[key] = "preview", slices.DeleteFunc(actions[key], changes)
		}
		if len(actions[key]) == 0 {
			continue
		}
		d := documents[name]
		d.Version = version
		d.Statement = append(d.Statement, g.statement(key, actions[key], places[key]))
		documents[name] = d
	}
	if g.StateBucket != "" || g.StateKey != "" {
		g.addState(documents)
	}
	return split(documents)
}

func compare(a, b grant) int {
	return cmp.Or(strings.Compare(a.set, b.set), strings.Compare(a.resources, b.resources), strings.Compare(a.condition, b.condition))
}

func (g generator) statement(key grant, actions, places []string) Statement {
	s := Statement{Effect: "Allow", Action: distinct(actions), Resource: distinct(places)}
	if len(places) == 0 {
		s.Resource = []string{"*"}
	}
	s.Condition = g.condition(key.condition)
	return s
}

// arn fills in a resource of the table.
func (g generator) arn(resource, region string) string {
	return "arn:aws:" + strings.NewReplacer(
		"{region}", region, "{account}", g.Account, "{home}", g.settings.Conversations.Home, "{stack}", g.Stack).Replace(resource)
}

// changes reports whether an action does more than read.
func changes(action string) bool {
	_, verb, _ := strings.Cut(action, ":")
	for _, reading := range []string{"Get", "List", "Describe", "GET"} {
		// Items and quotas of data keys are no matter of configuration.
		if strings.HasPrefix(verb, reading) && verb != "GetItem" {
			return false
		}
	}
	return true
}

func distinct(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

// addState adds the rights on Pulumi's state, and on the key of its secrets:
// that the stack has none does not spare who previews from opening it.
func (g generator) addState(documents map[string]Document) {
	objects, name := []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}, "deploy-"+dataSet
	if g.ReadOnly {
		objects, name = []string{"s3:GetObject"}, "preview"
	}
	d := documents[name]
	d.Version = version
	if g.StateBucket != "" {
		d.Statement = append(d.Statement,
			Statement{Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: []string{"arn:aws:s3:::" + g.StateBucket}},
			Statement{Effect: "Allow", Action: objects, Resource: []string{"arn:aws:s3:::" + g.StateBucket + "/.pulumi/*"}})
	}
	if g.StateKey != "" {
		d.Statement = append(d.Statement, Statement{Effect: "Allow", Action: []string{"kms:Decrypt"}, Resource: []string{g.StateKey}})
	}
	documents[name] = d
}

// write prints documents as JSON.
func write(w io.Writer, documents any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(documents)
}
