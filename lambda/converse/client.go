package converse

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/eventstream"
)

// MaxResponseBytes bounds what is read of one answer of Bedrock, error or
// stream. The longest answers of today's models, token by token in frames, stay
// well below it.
const MaxResponseBytes = 64 << 20

// Client calls models in several source regions. It is safe for concurrent use.
type Client struct {
	regions map[string]*bedrockruntime.Client
}

// New returns a Client for the given source regions, which differs from cfg in
// the region and in never repeating a call: the next try belongs to another
// region, and waiting out the SDK's own costs seconds. cfg.HTTPClient is
// required.
func New(cfg aws.Config, regions []string) *Client {
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient = bounded{cfg.HTTPClient}
	c := &Client{regions: make(map[string]*bedrockruntime.Client, len(regions))}
	for _, region := range regions {
		cfg.Region = region
		c.regions[region] = bedrockruntime.NewFromConfig(cfg)
	}
	return c
}

// Open asks target and returns its answer as it grows; the caller closes it. An
// error is an *[Error]. The end of ctx ends the stream too.
func (c *Client) Open(ctx context.Context, target contract.Target, r Request) (Stream, error) {
	client, ok := c.regions[target.Region]
	if !ok {
		return nil, &Error{Class: Unavailable, Region: target.Region, Message: "the client was built without this region"}
	}
	if r.Embed != nil {
		return embed(ctx, client, target, r.Model, *r.Embed)
	}
	t := translate(r)
	ctx, cancel := context.WithCancel(ctx)
	body, err := call(ctx, client, t.input(target))
	if err != nil {
		cancel()
		return nil, newError(target.Region, err)
	}
	return &stream{
		ctx: ctx, cancel: cancel, region: target.Region, body: body,
		frames: eventstream.NewReader(body), answer: t.answer,
	}, nil
}

// guardrail has every piece of an answer checked before it is sent: otherwise a
// caller could read what the guardrail blocks a moment later. Its trace, which
// would quote the request, stays off.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html
func guardrail(g contract.Guardrail) *types.GuardrailStreamConfiguration {
	return &types.GuardrailStreamConfiguration{
		GuardrailIdentifier:  aws.String(g.ID),
		GuardrailVersion:     aws.String(g.Version),
		StreamProcessingMode: types.GuardrailStreamProcessingModeSync,
	}
}

// bounded ends answers at [MaxResponseBytes], whoever reads them.
type bounded struct {
	aws.HTTPClient
}

// Do implements [aws.HTTPClient].
func (b bounded) Do(r *http.Request) (*http.Response, error) {
	resp, err := b.HTTPClient.Do(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: MaxResponseBytes}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements [io.Reader].
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("read the answer of Bedrock: it is over %d bytes", MaxResponseBytes)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
