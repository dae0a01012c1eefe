package bedrock_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/require"
)

const (
	haiku   = "anthropic.claude-haiku-4-5-20251001-v1:0"
	sonnet  = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	novaPro = "amazon.nova-pro-v1:0"
	role    = "arn:aws:sts::123456789012:assumed-role/invoker/i"
)

// check is one question that the service asked IAM, in one line.
type check string

// fakeIAM allows everything except the resources it is told to deny.
type fakeIAM struct {
	mu     sync.Mutex
	asked  []check
	denied []string
}

func (f *fakeIAM) Authorize(_ cloud.Caller, action, resource string, keys cloud.Keys) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	line := action + " on " + resource + " in " + strings.Join(keys["aws:RequestedRegion"], ",")
	if p := keys["bedrock:InferenceProfileArn"]; p != nil {
		line += " by " + strings.Join(p, ",")
	}
	f.asked = append(f.asked, check(line))
	if slices.Contains(f.denied, resource) {
		return &cloud.APIError{Code: "AccessDeniedException", Message: "not authorized to perform: " + action, Status: 400}
	}
	return nil
}

// bench is a service with everything that a test turns.
type bench struct {
	*bedrock.Service
	iam    *fakeIAM
	server *httptest.Server
}

func newBench(t *testing.T, clock cloud.Clock) *bench { return benchThat(t, clock, bedrock.Readings{}) }

// benchThat reads AWS's documentation in a certain way.
func benchThat(t *testing.T, clock cloud.Clock, reads bedrock.Readings) *bench {
	t.Helper()
	iam := &fakeIAM{}
	s := bedrock.New(bedrock.Config{IAM: iam, Readings: reads, World: cloud.World{Clock: clock, Log: slog.New(slog.DiscardHandler)}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeAWS(w, r, cloud.Caller{ARN: role, Role: "invoker", Region: signedRegion(r)})
	}))
	t.Cleanup(server.Close)
	return &bench{Service: s, iam: iam, server: server}
}

// fast returns a bench whose model takes a few milliseconds.
func fast(t *testing.T) *bench { return newBench(t, cloud.RealClock(20)) }

// signedRegion reads the region from the scope of a SigV4 signature.
func signedRegion(r *http.Request) string {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 || scope[3] != "bedrock" {
		return ""
	}
	return scope[2]
}

func (b *bench) client(region string) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: region, BaseEndpoint: aws.String(b.server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
		}),
	})
}

// profile creates an application profile as the Pulumi program would.
func (b *bench) profile(t *testing.T, region, name, copyFrom string) string {
	t.Helper()
	state, err := b.create(region, "p", map[string]any{"name": name, "modelSource": map[string]any{"copyFrom": copyFrom}})
	require.NoError(t, err)
	return state.Outputs["arn"].(string)
}

func (b *bench) create(region, name string, inputs map[string]any) (cloud.State, error) {
	return b.Resources()[0].Create(context.Background(), region, name, inputs)
}

func (b *bench) lookUp(region, id string) (map[string]any, error) {
	return b.Functions()[0].Call(context.Background(), region, map[string]any{"inferenceProfileId": id})
}

func systemARN(region, id string) string {
	return "arn:aws:bedrock:" + region + ":123456789012:inference-profile/" + id
}

func said(role types.ConversationRole, text string) types.Message {
	return types.Message{Role: role, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}
}

func ask(model string, texts ...string) *bedrockruntime.ConverseInput {
	in := &bedrockruntime.ConverseInput{ModelId: aws.String(model)}
	for i, text := range texts {
		who := types.ConversationRoleUser
		if i%2 == 1 {
			who = types.ConversationRoleAssistant
		}
		in.Messages = append(in.Messages, said(who, text))
	}
	return in
}

func answerOf(t *testing.T, out *bedrockruntime.ConverseOutput) string {
	t.Helper()
	m, ok := out.Output.(*types.ConverseOutputMemberMessage)
	require.True(t, ok)
	require.Len(t, m.Value.Content, 1)
	text, ok := m.Value.Content[0].(*types.ContentBlockMemberText)
	require.True(t, ok)
	return text.Value
}

// streamed is what came through one stream, up to its end.
type streamed struct {
	events []string
	text   string
	stop   types.StopReason
	usage  *types.TokenUsage
	err    error
}

func stream(ctx context.Context, c *bedrockruntime.Client, in *bedrockruntime.ConverseInput) streamed {
	out, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId: in.ModelId, Messages: in.Messages, System: in.System, InferenceConfig: in.InferenceConfig,
	})
	if err != nil {
		return streamed{err: err}
	}
	var s streamed
	for e := range out.GetStream().Events() {
		s.add(e)
	}
	s.err = out.GetStream().Err()
	return s
}

func (s *streamed) add(e types.ConverseStreamOutput) {
	switch e := e.(type) {
	case *types.ConverseStreamOutputMemberMessageStart:
		s.events = append(s.events, "start "+string(e.Value.Role))
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		s.events = append(s.events, "delta")
		if d, ok := e.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
			s.text += d.Value
		}
	case *types.ConverseStreamOutputMemberContentBlockStop:
		s.events = append(s.events, "block stop")
	case *types.ConverseStreamOutputMemberMessageStop:
		s.events, s.stop = append(s.events, "stop"), e.Value.StopReason
	case *types.ConverseStreamOutputMemberMetadata:
		s.events, s.usage = append(s.events, "metadata"), e.Value.Usage
	default:
		s.events = append(s.events, "unexpected")
	}
}

// patience bounds what a test waits for; it is never waited out when all is well.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
