package up_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wallFault is a fault of the first target, or of all.
type wallFault struct {
	bedrock.Fault
	everywhere bool
}

func first(f bedrock.Fault) []wallFault { return []wallFault{{Fault: f}} }

func firstOnce(f bedrock.Fault) []wallFault {
	f.Calls = 1
	return first(f)
}

const someWay, mostOfTheWay = 1.0 / 3, 2.0 / 3

// wallFaults is what happens upstream in each row of docs/fault-wall.md.
var wallFaults = map[string][]wallFault{
	"429 with Retry-After, once":            firstOnce(bedrock.Fault{Code: "ThrottlingException", RetryAfter: 1}),
	"429 for ever":                          first(bedrock.Fault{Code: "ThrottlingException"}),
	"500 once":                              firstOnce(bedrock.Fault{Code: "InternalServerException"}),
	"503 for ever":                          first(bedrock.Fault{Code: "ServiceUnavailableException"}),
	"connection reset before headers, once": firstOnce(bedrock.Fault{Kind: bedrock.Reset}),
	"no response at all":                    first(bedrock.Fault{Kind: bedrock.Silence}),
	"first token after its limit":           first(bedrock.Fault{FirstToken: 2 * time.Minute}),
	"cut after 2/3, once":                   firstOnce(bedrock.Fault{Kind: bedrock.Cut, AfterShare: mostOfTheWay}),
	"cut after 2/3, and a beginning is refused": {
		{bedrock.Fault{Prefilled: true, Code: "ValidationException", Message: "This model does not support assistant message prefill."}, true},
		{bedrock.Fault{Kind: bedrock.Cut, AfterShare: mostOfTheWay}, false},
	},
	"cut after 2/3 for ever":                     first(bedrock.Fault{Kind: bedrock.Cut, AfterShare: mostOfTheWay}),
	"stall after 1/3":                            first(bedrock.Fault{Kind: bedrock.Silence, AfterShare: someWay}),
	"corrupt frame, once":                        firstOnce(bedrock.Fault{Kind: bedrock.Corrupt, AfterShare: mostOfTheWay}),
	"end of stream without messageStop, once":    firstOnce(bedrock.Fault{Kind: bedrock.End, AfterShare: mostOfTheWay}),
	"context length exceeded":                    first(bedrock.Fault{Code: "ValidationException", Message: "Input is too long for requested model."}),
	"content filter":                             first(bedrock.Fault{Kind: bedrock.Filter, AfterShare: someWay}),
	"throttling as the first frame, once":        firstOnce(bedrock.Fault{Code: "ThrottlingException", FirstFrame: true}),
	"internalServerException mid-stream, once":   firstOnce(bedrock.Fault{Code: "InternalServerException", AfterShare: mostOfTheWay}),
	"modelStreamErrorException mid-stream, once": firstOnce(bedrock.Fault{Code: "ModelStreamErrorException", AfterShare: mostOfTheWay}),
	"validationException mid-stream":             first(bedrock.Fault{Code: "ValidationException", AfterShare: mostOfTheWay}),
	"access denied":                              first(bedrock.Fault{Code: "AccessDeniedException"}),
	"access denied by every target":              {{bedrock.Fault{Code: "AccessDeniedException"}, true}},
	"profile missing":                            first(bedrock.Fault{Code: "ResourceNotFoundException"}),
	"profile missing in every target":            {{bedrock.Fault{Code: "ResourceNotFoundException"}, true}},
	"reply lost after the work was done, once":   firstOnce(bedrock.Fault{Kind: bedrock.Lose}),
	"slow drip below the limit":                  first(bedrock.Fault{PerDelta: 15 * time.Second}),
}

// wallRequest is one cell of the wall.
type wallRequest struct {
	row, targets, way, want string
	stack                   *up.Running
	asked                   string // by which it is known upstream
	got                     wallAnswer
}

// TestFaultWall holds every cell of docs/fault-wall.md to what a deployed stack
// does: what the official client and the bytes of the answer say, and which
// calls came to which region's Bedrock, how far apart.
func TestFaultWall(t *testing.T) {
	t.Parallel()
	plain, continues := startWall(t, false), startWall(t, true)
	rows, classes := readWall(t)
	assert.Len(t, rows, 2*len(wallFaults), "one row per fault, for one and for two targets")
	var all []*wallRequest
	for _, row := range rows {
		require.Contains(t, wallFaults, row[0])
		add := func(way, want string, stack *up.Running) {
			all = append(all, &wallRequest{row: row[0], targets: row[1], way: way, want: want, stack: stack, asked: fmt.Sprintf("Cell %03d:", len(all))})
		}
		add(wayWhole, row[2], plain)
		add(wayChat, row[3], plain)
		add(wayResponse, row[3], plain)
		add(wayContinued, row[4], continues)
	}
	askAll(t, all)
	for _, r := range all {
		t.Run(strings.Join([]string{r.row, r.targets, r.way}, ", "), func(t *testing.T) {
			want, status := classes.of(r.want)
			assert.Equal(t, want, r.got.outcome(t, r.asked)+", "+r.counts())
			r.checkStatus(t, status)
			r.checkSpacing(t)
			r.checkAccount(t)
			r.checkHeaders(t)
		})
	}
}

// askAll makes all requests, a few at once.
func askAll(t *testing.T, all []*wallRequest) {
	t.Helper()
	free := make(chan struct{}, wallAtOnce)
	var asking sync.WaitGroup
	for _, r := range all {
		free <- struct{}{}
		asking.Go(func() {
			defer func() { <-free }()
			r.ask(t)
		})
	}
	asking.Wait()
}

func (r *wallRequest) region() string {
	return map[string]string{"one": wallOne, "two": wallTwo}[r.targets]
}

func (r *wallRequest) ask(t *testing.T) {
	for _, f := range wallFaults[r.row] {
		f.Asked = r.asked
		r.stack.Account.Bedrock.AddFault(r.region(), f.Fault)
		if f.everywhere && r.targets == "two" {
			r.stack.Account.Bedrock.AddFault(wallOne, f.Fault)
		}
	}
	r.got = askWall(t, r.stack, r.region(), r.asked, r.way)
}

// calls are those that came to a region's Bedrock, by the cloud's clock.
func (r *wallRequest) calls(region string) []time.Time {
	var at []time.Time
	for _, c := range r.stack.Account.Bedrock.Arrivals() {
		if c.Source == region && strings.HasPrefix(c.Asked, r.asked) {
			at = append(at, c.At)
		}
	}
	return at
}

func (r *wallRequest) counts() string {
	own := strconv.Itoa(len(r.calls(r.region())))
	if r.targets == "one" {
		return own
	}
	return fmt.Sprintf("%s+%d", own, len(r.calls(wallOne)))
}

// checkSpacing has no target called again before it could have recovered, or
// before it asked to be.
func (r *wallRequest) checkSpacing(t *testing.T) {
	t.Helper()
	least := 250 * time.Millisecond
	if seconds := wallFaults[r.row][0].RetryAfter; seconds > 0 {
		least = time.Duration(seconds) * time.Second * wallSpeed
	}
	for _, region := range []string{wallOne, wallTwo} {
		at := r.calls(region)
		for i := 1; i < len(at); i++ {
			assert.GreaterOrEqual(t, at[i].Sub(at[i-1]), least, region)
		}
	}
	if own, other := r.calls(r.region()), r.calls(wallOne); r.targets == "two" && len(other) > 0 {
		assert.True(t, own[0].Before(other[0]), "the own region comes first")
	}
}

// checkAccount has a whole answer name the model that was asked, and count what
// one call takes; if it was continued, what all pieces took.
func (r *wallRequest) checkAccount(t *testing.T) {
	t.Helper()
	if r.got.failed != nil || r.got.finish != "stop" {
		return
	}
	assert.Equal(t, "claude-sonnet", r.got.model)
	const prompt, answer = 8, 24
	if r.way == wayContinued && r.got.prompt != prompt {
		assert.Greater(t, r.got.prompt, int64(2*prompt), "of both calls")
		assert.GreaterOrEqual(t, r.got.answer, int64(answer-5), "of both calls, the first by estimate")
	} else {
		assert.EqualValues(t, prompt, r.got.prompt)
		assert.EqualValues(t, answer, r.got.answer)
	}
}

// checkStatus has a failure before any content tell of itself by the status of
// its class, unless the status had been given away while it was waited for: then
// comments came before.
func (r *wallRequest) checkStatus(t *testing.T, status int) {
	t.Helper()
	waited := bytes.Index(r.got.raw, []byte(": waiting\n\n"))
	begun := bytes.Index(r.got.raw, []byte(`"content":"Turn`))
	switch {
	case r.late() && r.way == wayContinued:
		assert.Equal(t, http.StatusOK, r.got.status)
		assert.True(t, waited >= 0 && (begun < 0 || waited < begun), "comments before any content: %s", r.got.raw)
	case r.got.failed != nil && r.got.text == "" && !r.late() && r.way != wayContinued:
		assert.Equal(t, status, r.got.status)
	case r.got.status != http.StatusOK:
		assert.Equal(t, status, r.got.status)
	}
}

// checkHeaders has them tell of all calls and failures before the status, unless
// that was given away while they were waited for.
func (r *wallRequest) checkHeaders(t *testing.T) {
	t.Helper()
	if r.way == wayContinued || r.way != wayWhole && r.late() {
		return
	}
	calls := len(r.calls(wallOne)) + len(r.calls(wallTwo))
	failed := calls
	if r.got.status == http.StatusOK {
		failed--
	}
	assert.Equal(t, strconv.Itoa(calls), r.got.header.Get(contract.HeaderAttempts))
	var told []string
	if header := r.got.header.Get(contract.HeaderFailed); header != "" {
		told = strings.Split(header, ", ")
	}
	assert.Len(t, told, failed)
	for _, failure := range told {
		assert.Regexp(t, "^("+wallOne+"|"+wallTwo+");[a-z_]+$", failure)
	}
}

// late tells whether no content comes before the hold is over.
func (r *wallRequest) late() bool {
	return r.row == "no response at all" || r.row == "first token after its limit"
}
