package up_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/crossregion/crossregion/local/up"
	"github.com/miekg/dns"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deployed starts each stack once for all tests of the package.
var deployed = struct {
	sync.Mutex
	stacks map[string]*up.Running
}{stacks: map[string]*up.Running{}}

func start(t *testing.T, name string) *up.Running {
	t.Helper()
	deployed.Lock()
	defer deployed.Unlock()
	if r := deployed.stacks[name]; r != nil {
		return r
	}
	r, err := up.Start(context.Background(), up.Options{Root: "../..", Stack: name, Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	deployed.stacks[name] = r
	return r
}

func TestMain(m *testing.M) {
	code := m.Run()
	for name, r := range deployed.stacks {
		err := r.Close()
		if left := r.Account.Lambda.Environments(); err != nil || left > 0 {
			fmt.Fprintf(os.Stderr, "closing stack %s left %d processes: %v\n", name, left, err)
			code = 1
		}
	}
	os.Exit(code)
}

// client is the official SDK with nothing but base URL and key changed, and
// its own retries off so that a test sees what the gateway does.
func client(r *up.Running, opts ...option.RequestOption) openai.Client {
	opts = append([]option.RequestOption{
		option.WithBaseURL(r.Endpoint + "/v1"), option.WithAPIKey(r.APIKey), option.WithMaxRetries(0),
	}, opts...)
	return openai.NewClient(opts...)
}

func ask(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: "claude-sonnet", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

func TestAnAnswerThroughTheWholePath(t *testing.T) {
	for _, stack := range []string{"prod", "eu"} {
		t.Run(stack, func(t *testing.T) {
			r := start(t, stack)
			var raw *http.Response
			c := client(r)
			got, err := c.Chat.Completions.New(t.Context(), ask("Please say 5 words."), option.WithResponseInto(&raw))
			require.NoError(t, err)
			assert.Equal(t, "claude-sonnet", got.Model)
			assert.Equal(t, "stop", got.Choices[0].FinishReason)
			assert.Contains(t, got.Choices[0].Message.Content, "Please say 5 words.")
			assert.Positive(t, got.Usage.CompletionTokens)

			assert.Equal(t, r.From, raw.Header.Get(contract.HeaderRegion), "latency routing chose the nearest region")
			assert.Equal(t, r.From, raw.Header.Get(contract.HeaderTarget))
			assert.Equal(t, "1", raw.Header.Get(contract.HeaderAttempts))
			assert.NotEmpty(t, raw.Header.Get(contract.HeaderRequestID))

			calls := r.Account.Bedrock.Calls()
			last := calls[len(calls)-1]
			assert.Equal(t, r.From, last.Source)
			assert.Contains(t, last.ModelID, ":application-inference-profile/", "through the region's own profile")
			assert.Contains(t, last.Principal, "assumed-role/"+r.From+"-invoker-role", "with the invoker's own role")
		})
	}
}

// TestTokensArriveAsTheyAreMade: an answer that was held back anywhere would
// arrive all at once.
func TestTokensArriveAsTheyAreMade(t *testing.T) {
	r := start(t, "prod")
	c := client(r)
	stream := c.Chat.Completions.NewStreaming(t.Context(), ask("Please say 200 words."))
	text, finish := "", ""
	for stream.Next() {
		choice := stream.Current().Choices[0]
		text, finish = text+choice.Delta.Content, finish+choice.FinishReason
	}
	require.NoError(t, stream.Err())
	assert.Equal(t, "stop", finish)
	assert.Greater(t, len(strings.Fields(text)), 200)

	const question = "Please say 200 words slowly."
	slow(t, r, question)
	ctx, leave := context.WithTimeout(t.Context(), time.Minute)
	defer leave()
	assert.NotEmpty(t, begun(c.Chat.Completions.NewStreaming(ctx, ask(question))), "the first token is to come without the next")
}

// slow makes the model take half a minute for each token after the first of an
// answer to a question. Who asks is to leave before the end.
func slow(t *testing.T, r *up.Running, asked string) {
	t.Helper()
	for _, region := range r.RegionNames {
		r.Account.Bedrock.AddFault(region, bedrock.Fault{Asked: asked, PerDelta: time.Minute / 2})
	}
	t.Cleanup(func() {
		for _, region := range r.RegionNames {
			r.Account.Bedrock.SetFault(region, nil)
		}
	})
}

// begun is the first text of an answer, or "" if it has none.
func begun(stream *ssestream.Stream[openai.ChatCompletionChunk]) string {
	for stream.Next() {
		if choices := stream.Current().Choices; len(choices) > 0 && choices[0].Delta.Content != "" {
			return choices[0].Delta.Content
		}
	}
	return ""
}

// TestEachRegionAnswersForItself pins to each region by its own address.
func TestEachRegionAnswersForItself(t *testing.T) {
	r := start(t, "prod")
	require.Len(t, r.Regions, 3)
	for region, url := range r.Regions {
		var raw *http.Response
		c := client(r, option.WithBaseURL(url+"/v1"))
		_, err := c.Chat.Completions.New(t.Context(), ask("hello"), option.WithResponseInto(&raw))
		require.NoError(t, err, region)
		assert.Equal(t, region, raw.Header.Get(contract.HeaderRegion))
	}
}

// TestAClientWithARealResolver calls the stack's name as a client in the world
// does: it asks the DNS server and connects to the address that it gets.
func TestAClientWithARealResolver(t *testing.T) {
	r := start(t, "eu")
	query := new(dns.Msg).SetQuestion(r.Domain+".", dns.TypeA)
	answer, _, err := new(dns.Client).ExchangeContext(t.Context(), query, r.DNS)
	require.NoError(t, err)
	require.Len(t, answer.Answer, 1)
	address := answer.Answer[0].(*dns.A).A.String()
	want, err := cloud.RegionIP("eu-central-1")
	require.NoError(t, err)
	assert.Equal(t, want, address)

	web := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return r.Account.DialContext(ctx, network, net.JoinHostPort(address, "443"))
	}}}
	defer web.CloseIdleConnections()
	resp, err := web.Get("http://" + r.Domain + "/healthz")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

// TestFailoverInsideTheInvoker breaks Bedrock in the client's region: the same
// API answers with the same model from the first partner.
func TestFailoverInsideTheInvoker(t *testing.T) {
	r := start(t, "prod")
	r.Account.Lambda.KeepWarm(false) // no breaker is to know of another request
	defer r.Account.Lambda.KeepWarm(true)
	c := client(r)
	for _, fault := range []*bedrock.Fault{
		{Code: "ThrottlingException"}, {Code: "ServiceUnavailableException"}, {Code: "ThrottlingException", FirstFrame: true},
	} {
		t.Run(fmt.Sprintf("%+v", *fault), func(t *testing.T) {
			r.Account.Bedrock.SetFault(r.From, fault)
			defer r.Account.Bedrock.SetFault(r.From, nil)
			var raw *http.Response
			stream := c.Chat.Completions.NewStreaming(t.Context(), ask("Please say 5 words."), option.WithResponseInto(&raw))
			text := ""
			for stream.Next() {
				text += stream.Current().Choices[0].Delta.Content
			}
			require.NoError(t, stream.Err())
			assert.Contains(t, text, "Please say 5 words.")
			assert.Equal(t, r.From, raw.Header.Get(contract.HeaderRegion))
			assert.Equal(t, "us-west-2", raw.Header.Get(contract.HeaderTarget))
			assert.Equal(t, "2", raw.Header.Get(contract.HeaderAttempts))
		})
	}
}

// TestABrokenStreamIsNoAnswer: after the first content nothing is generated
// twice, and nothing looks like a finished answer.
func TestABrokenStreamIsNoAnswer(t *testing.T) {
	r := start(t, "prod")
	for _, region := range r.RegionNames { // since a breaker may have sent the call to a partner
		r.Account.Bedrock.SetFault(region, &bedrock.Fault{Code: "InternalServerException", AfterDeltas: 3})
		defer r.Account.Bedrock.SetFault(region, nil)
	}
	c := client(r)
	stream := c.Chat.Completions.NewStreaming(t.Context(), ask("Please say 50 words."))
	text, finish := "", ""
	for stream.Next() {
		text += stream.Current().Choices[0].Delta.Content
		finish += stream.Current().Choices[0].FinishReason
	}
	require.Error(t, stream.Err())
	assert.NotEmpty(t, text)
	assert.Empty(t, finish, "a cut answer has no finish reason")
}

func TestRefusals(t *testing.T) {
	r := start(t, "prod")
	tests := []struct {
		name   string
		opts   []option.RequestOption
		params openai.ChatCompletionNewParams
		status int
		code   string
	}{
		{"a wrong key", []option.RequestOption{option.WithAPIKey("cr_aaaaaaaaaaaaaaaa." + strings.Repeat("a", 43))}, ask("x"), 401, "invalid_api_key"},
		{"a key that is none", []option.RequestOption{option.WithAPIKey("sk-1234")}, ask("x"), 401, "invalid_api_key"},
		{"a good id with another secret", []option.RequestOption{option.WithAPIKey(r.APIKey[:len(r.APIKey)-4] + "aaaa")}, ask("x"), 401, "invalid_api_key"},
		{"no key", []option.RequestOption{option.WithHeaderDel("Authorization")}, ask("x"), 401, "invalid_api_key"},
		{"an unknown model", nil, openai.ChatCompletionNewParams{Model: "gpt-9", Messages: ask("x").Messages}, 404, "model_not_found"},
		{"a parameter that cannot be honoured", []option.RequestOption{option.WithJSONSet("n", 2)}, ask("x"), 400, "unsupported_parameter"},
		{"an unknown path", []option.RequestOption{option.WithBaseURL(r.Endpoint + "/v2")}, ask("x"), 404, "unknown_url"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := client(r, tt.opts...)
			_, err := c.Chat.Completions.New(t.Context(), tt.params)
			var refusal *openai.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tt.status, refusal.StatusCode)
			assert.Equal(t, tt.code, refusal.Code)
			assert.NotEmpty(t, refusal.Message)
		})
	}
}

// TestUnsignedCallsAreRefused: nobody reaches the cloud's services without a
// signature, not even from this machine.
func TestUnsignedCallsAreRefused(t *testing.T) {
	r := start(t, "prod")
	resp, err := http.Post(r.Account.Endpoint()+"/model/x/converse", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
}

// TestManyAtOnce needs several environments of one function, since each
// serves one request at a time.
func TestManyAtOnce(t *testing.T) {
	const atOnce = 12
	r := start(t, "prod")
	c := client(r)
	var wg sync.WaitGroup
	for i := range atOnce {
		wg.Go(func() {
			question := fmt.Sprintf("Question %d: please say 20 words.", i)
			got, err := c.Chat.Completions.New(t.Context(), ask(question))
			if assert.NoError(t, err) {
				assert.Contains(t, got.Choices[0].Message.Content, question, "an answer to somebody else's question")
			}
		})
	}
	wg.Wait()

	slow(t, r, "One of many")
	ctx, leave := context.WithTimeout(t.Context(), time.Minute)
	defer leave()
	for range atOnce {
		wg.Go(func() {
			assert.NotEmpty(t, begun(c.Chat.Completions.NewStreaming(ctx, ask("One of many: please say 20 words."))))
		})
	}
	wg.Wait()
	busy := slices.DeleteFunc(r.Account.Lambda.Processes(), func(p lambda.Process) bool { return !p.Busy })
	assert.GreaterOrEqual(t, len(busy), atOnce, "each question has an environment of its own")
}

func TestModels(t *testing.T) {
	r := start(t, "eu")
	c := client(r)
	page, err := c.Models.List(t.Context())
	require.NoError(t, err)
	var names []string
	for _, m := range page.Data {
		names = append(names, m.ID)
	}
	assert.Equal(t, r.Models, names)
}

func TestStartRefuses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	tests := []struct {
		name string
		o    up.Options
		want string
	}{
		{"a port in use", up.Options{Stack: "prod", Listen: busy.Addr().String()}, "address already in use; choose another with --listen"},
		{"an address that is not loopback", up.Options{Stack: "prod", Listen: "0.0.0.0:8080"}, "only a loopback address is served"},
		{"an address of the regions", up.Options{Stack: "prod", Listen: "127.77.31.1:8080"}, "127.77.0.0/16 are the regions' addresses"},
		{"an address that is none", up.Options{Stack: "prod", Listen: "8080"}, "give host:port"},
		{"an unknown stack", up.Options{Stack: "qa", Listen: "127.0.0.1:0"}, "known stacks are eu, prod"},
		{"an unknown place", up.Options{Stack: "prod", Listen: "127.0.0.1:0", From: "mars"}, `no region "mars"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Root = "../.."
			_, err := up.Start(t.Context(), tt.o)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
