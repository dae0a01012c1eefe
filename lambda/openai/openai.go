// Package openai is the HTTP surface: OpenAI's API over the models of a stack.
//
// It ignores nothing silently. A parameter is honoured, or is at the value at
// which it changes nothing, or is a hint that cannot change an answer, or is
// refused by name. A request has at most 2,048 messages with 2,048 parts in all,
// and its body at most [contract.MaxBodyBytes]. It knows no region and no AWS: an [Engine] answers.
package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// Engine answers a question from the first of targets that can.
// [failover.Engine] is one. Errors are *[failover.Error].
type Engine interface {
	// Open returns an answer while it grows; the caller closes it.
	Open(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Stream, failover.Report, error)
	// Answer returns a whole answer.
	Answer(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Answer, failover.Report, error)
}

// Config configures the handler that [New] returns.
type Config struct {
	// Stack names the stack in metrics; required.
	Stack string
	// Region is where the handler runs; required.
	Region string
	// Models are what callers may ask for; at least one.
	Models []contract.Model
	// Engine is required.
	Engine Engine
	// Store keeps responses and conversations; required.
	Store Store
	// Budget bounds and records what tenants use; required.
	Budget Budget
	// Log receives one line per request, without anything that a caller wrote;
	// required.
	Log *slog.Logger
	// KeepAlive is how often a stream shows that it is alive while text is held
	// back; 0 means [failover.DefaultKeepAlive].
	KeepAlive time.Duration
	// Now is time.Now if nil.
	Now func() time.Time
}

// New returns the handler of every route that [contract.Routes] gives to the
// invoker. It answers anything else with 404 or 405. Errors name every fault of
// cfg, and routes that it cannot serve.
func New(cfg Config) (http.Handler, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure the API: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Engine = objects{cfg.Engine, cfg.Now, cmp.Or(cfg.KeepAlive, failover.DefaultKeepAlive)}
	s := &server{Config: cfg, mux: http.NewServeMux(), models: map[string]contract.Model{}}
	for _, m := range cfg.Models {
		s.models[m.Name] = m
	}
	if err := s.route(); err != nil {
		return nil, fmt.Errorf("configure the API: %w", err)
	}
	return s.mux, nil
}

func (c Config) validate() error {
	var errs []error
	if c.Stack == "" {
		errs = append(errs, errors.New("stack is missing"))
	}
	if c.Region == "" {
		errs = append(errs, errors.New("region is missing"))
	}
	if len(c.Models) == 0 {
		errs = append(errs, errors.New("models is empty"))
	}
	if c.Engine == nil {
		errs = append(errs, errors.New("engine is missing"))
	}
	if c.Store == nil {
		errs = append(errs, errors.New("store is missing"))
	}
	if c.Budget == nil {
		errs = append(errs, errors.New("budget is missing"))
	}
	if c.Log == nil {
		errs = append(errs, errors.New("log is missing"))
	}
	return errors.Join(errs...)
}

type server struct {
	Config
	mux    *http.ServeMux
	models map[string]contract.Model
}

// operation answers one request. An error that it returns has not been written;
// one that began to stream tells the record how to write it.
type operation func(w http.ResponseWriter, r *http.Request, rec *record) error

func (s *server) operations() map[string]operation {
	return map[string]operation{
		contract.OpChatCompletions:    bare(s.createChatCompletion),
		contract.OpCreateResponse:     bare(s.createResponse),
		contract.OpGetResponse:        s.retrieveResponse,
		contract.OpDeleteResponse:     bare(s.deleteResponse),
		contract.OpListInputItems:     s.listInputItems,
		contract.OpCreateConversation: bare(s.createConversation),
		contract.OpGetConversation:    bare(s.retrieveConversation),
		contract.OpUpdateConversation: bare(s.updateConversation),
		contract.OpDeleteConversation: bare(s.deleteConversation),
		contract.OpCreateItems:        s.createItems,
		contract.OpListItems:          s.listItems,
		contract.OpGetItem:            s.retrieveItem,
		contract.OpDeleteItem:         bare(s.deleteItem),
		contract.OpListModels:         bare(s.listModels),
		contract.OpGetModel:           bare(s.retrieveModel),
		contract.OpEmbeddings:         bare(s.createEmbedding),
	}
}

// bare is an operation that knows no query.
func bare(op operation) operation {
	return func(w http.ResponseWriter, r *http.Request, rec *record) error {
		if r.URL.RawQuery != "" {
			for _, name := range slices.Sorted(maps.Keys(r.URL.Query())) {
				return unknownParameter("", name)
			}
		}
		return op(w, r, rec)
	}
}

// route fails unless the contract's routes and the operations are the same.
func (s *server) route() error {
	ops := s.operations()
	allowed := map[string][]string{}
	for _, r := range contract.Routes {
		if r.Function != contract.FunctionInvoker {
			continue
		}
		op, ok := ops[r.Operation]
		if !ok {
			return fmt.Errorf("route %s %s: no operation is called %s", r.Method, r.Path, r.Operation)
		}
		delete(ops, r.Operation)
		s.mux.Handle(r.Method+" "+r.Path, s.serve(r.Operation, op))
		allowed[r.Path] = append(allowed[r.Path], r.Method)
	}
	for name := range ops {
		return fmt.Errorf("operation %s: no route leads to it", name)
	}
	for path, methods := range allowed {
		s.mux.Handle(path, s.serve("", methodNotAllowed(strings.Join(methods, ", "))))
	}
	s.mux.Handle("/", s.serve("", unknownURL))
	return nil
}

// serve wraps op with what every answer has: headers, errors in OpenAI's shape
// and a line in the log.
func (s *server) serve(name string, op operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &record{operation: name, started: s.Now(), status: http.StatusOK}
		// Whatever becomes of op: nothing may go on after the invocation.
		defer rec.settleUp(r.Context(), s)
		w.Header().Set(contract.HeaderRegion, s.Region)
		w.Header().Set(contract.HeaderRequestID, apigw.RequestID(r.Context()))
		if err := s.safely(r.Context(), func() error { return op(w, r, rec) }); err != nil {
			rec.answer(w, asAPIError(err))
		}
		rec.settleUp(r.Context(), s)
		rec.write(r.Context(), s)
	})
}

func unknownURL(_ http.ResponseWriter, _ *http.Request, _ *record) error {
	return &apiError{status: http.StatusNotFound, kind: kindInvalid, code: "unknown_url",
		message: "Unknown request URL. See the API reference for the URLs that exist."}
}

func methodNotAllowed(allow string) operation {
	return func(w http.ResponseWriter, _ *http.Request, _ *record) error {
		w.Header().Set("Allow", allow)
		return &apiError{status: http.StatusMethodNotAllowed, kind: kindInvalid, code: "method_not_supported",
			message: "Not allowed on this URL; use " + allow + "."}
	}
}
