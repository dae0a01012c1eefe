package cloud_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type tagInputs struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
}

type thingInputs struct {
	Size int         `json:"size"`
	Tags []tagInputs `json:"tags,omitempty"`
}

func define() cloud.Resource {
	return cloud.DefineResource("aws:test/thing:Thing", func(_ context.Context, r cloud.Request[thingInputs]) (cloud.State, error) {
		if r.In.Size < 0 {
			return cloud.State{}, cloud.Refuse("ValidationException", "size %d is negative", r.In.Size)
		}
		return cloud.State{ID: r.PhysicalName(32)}, nil
	}, nil, nil)
}

func TestCreateRefuses(t *testing.T) {
	tests := []struct {
		name   string
		inputs map[string]any
		want   string
	}{
		{"a missing property", map[string]any{}, `missing required property "size"`},
		{"an unknown property", map[string]any{"size": 1.0, "colour": "red"}, `does not know property "colour"`},
		{"a missing nested property", map[string]any{"size": 1.0, "tags": []any{map[string]any{}}}, `missing required property "tags[0].key"`},
		{"a wrong type", map[string]any{"size": "one"}, "cannot unmarshal string"},
		{"what the service refuses", map[string]any{"size": -1.0}, "ValidationException: size -1 is negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := define().Create(t.Context(), "eu-west-1", "thing", tt.inputs)
			assert.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, `"thing"`)
		})
	}
}

type taggedInputs struct {
	Tags map[string]string `json:"tags,omitempty"`
}

// tagged makes a thing with tags and returns its refusal.
func tagged(t *testing.T, tags map[string]any) error {
	t.Helper()
	r := cloud.DefineResource("aws:test/tagged:Tagged", func(context.Context, cloud.Request[taggedInputs]) (cloud.State, error) {
		return cloud.State{}, nil
	}, nil, nil)
	assert.True(t, r.Taggable)
	_, err := r.Create(t.Context(), "eu-west-1", "thing", map[string]any{"tags": tags})
	return err
}

// numbered are n tags.
func numbered(n int) map[string]any {
	tags := map[string]any{}
	for i := range n {
		tags[fmt.Sprint("k", i)] = "v"
	}
	return tags
}

func TestTags(t *testing.T) {
	assert.NoError(t, tagged(t, numbered(50)))
	assert.NoError(t, tagged(t, map[string]any{strings.Repeat("k", 128): strings.Repeat("v", 256), "a b_.:/=+-@": ""}))
	assert.False(t, define().Taggable, "tags of another shape are not AWS's")
}

func TestTagsAreRefused(t *testing.T) {
	tests := []struct {
		name string
		tags map[string]any
		want string
	}{
		{"too many", numbered(51), "TooManyTagsException: 51 tags are over the limit of 50"},
		{"a key of AWS", map[string]any{"AWS:x": "v"}, "the prefix aws: is AWS's own"},
		{"no key", map[string]any{"": "v"}, "want a key of 1 to 128"},
		{"a long key", map[string]any{strings.Repeat("k", 129): "v"}, "want a key of 1 to 128"},
		{"a key with a forbidden character", map[string]any{"a*": "v"}, "want a key of 1 to 128"},
		{"a long value", map[string]any{"k": strings.Repeat("v", 257)}, "want a value of up to 256"},
		{"a value with a letter that Bedrock does not take", map[string]any{"k": "é"}, "want a value of up to 256"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.ErrorContains(t, tagged(t, tt.tags), tt.want)
		})
	}
}

func TestParseARN(t *testing.T) {
	got, ok := cloud.ParseARN("arn:aws:lambda:eu-west-1:123456789012:function:f:live")
	assert.True(t, ok)
	assert.Equal(t, cloud.Place{Service: "lambda", Region: "eu-west-1", Account: "123456789012", Resource: "function:f:live"}, got)
	for _, no := range []string{"", "arn:aws:lambda:eu-west-1:123456789012", "urn:aws:lambda:eu-west-1:1:f", "arn:aws-cn:lambda:eu-west-1:1:f"} {
		_, ok := cloud.ParseARN(no)
		assert.False(t, ok, no)
	}
}

func TestDecodeStrict(t *testing.T) {
	var in thingInputs
	require.NoError(t, cloud.DecodeStrict([]byte(`{"size": 7}`), &in))
	assert.Equal(t, 7, in.Size)
	for raw, want := range map[string]string{`{"colour": 1}`: "unknown field", `{} {}`: "more than one JSON value", `{`: "unexpected EOF"} {
		assert.ErrorContains(t, cloud.DecodeStrict([]byte(raw), &in), want, raw)
	}
}

func TestPhysicalNameIsStableAndShort(t *testing.T) {
	a, err := define().Create(t.Context(), "eu-west-1", "a-name-that-is-far-too-long-for-the-limit", map[string]any{"size": 1.0})
	require.NoError(t, err)
	b, err := define().Create(t.Context(), "eu-west-1", "a-name-that-is-far-too-long-for-the-limit", map[string]any{"size": 1.0})
	require.NoError(t, err)
	assert.Equal(t, a, b)
	assert.Len(t, a.ID, 32)
}

func TestNetworkFindsItsListeners(t *testing.T) {
	free, err := cloud.NewNetwork("0").Listen("127.0.0.1")
	require.NoError(t, err)
	defer free.Close()
	n := cloud.NewNetwork("0")
	l, err := n.Listen("127.77.1.1")
	require.NoError(t, err)
	defer l.Close()
	c, err := n.DialContext(t.Context(), "tcp", "127.77.1.1:443")
	require.NoError(t, err)
	require.NoError(t, c.Close())
	_, err = n.DialContext(t.Context(), "tcp", "127.77.2.1:443")
	assert.ErrorContains(t, err, "no such address")
}

// TestNetworkTellsWhoStandsInARegion for as long as the connection is open.
func TestNetworkTellsWhoStandsInARegion(t *testing.T) {
	n := cloud.NewNetwork("0")
	l, err := n.Listen("127.77.1.1")
	require.NoError(t, err)
	homes := make(chan string, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { homes <- n.Home(r) })}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	get := func(dial func(ctx context.Context, network, address string) (net.Conn, error)) string {
		client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
		res, err := client.Get("http://127.77.1.1:443/")
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return <-homes
	}
	inside := func(ctx context.Context, _, address string) (net.Conn, error) {
		return n.DialFrom(ctx, "eu-west-1", address)
	}
	assert.Equal(t, "eu-west-1", get(inside))
	assert.Empty(t, get(n.DialContext))
	assert.Empty(t, n.Home(httptest.NewRequest(http.MethodGet, "/", nil)), "no connection at all")
	_, err = n.DialFrom(t.Context(), "eu-west-1", "127.77.2.1:443")
	assert.ErrorContains(t, err, "no such address")
}

func TestManualClockWakesWhoIsDue(t *testing.T) {
	c := cloud.NewManualClock(time.Unix(0, 0))
	woken := make(chan struct{})
	go func() {
		defer close(woken)
		assert.NoError(t, c.Sleep(t.Context(), time.Minute))
	}()
	require.NoError(t, c.AwaitSleepers(t.Context(), 1))
	c.Advance(59 * time.Second)
	now, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, c.AwaitSleepers(now, 1), "woken a second early")
	c.Advance(time.Second)
	<-woken
}

func TestLatencyFollowsDistance(t *testing.T) {
	near := cloud.Latency("eu-west-1", "eu-central-1")
	far := cloud.Latency("eu-west-1", "ap-southeast-2")
	assert.Less(t, near, far)
	assert.Equal(t, time.Millisecond, cloud.Latency("eu-west-1", "eu-west-1"))
	assert.Equal(t, cloud.Latency("us-east-1", "us-west-2"), cloud.Latency("us-west-2", "us-east-1"))
}

func TestEveryRegionHasItsOwnAddress(t *testing.T) {
	seen := map[string]string{}
	for _, r := range cloud.Regions() {
		ip, err := cloud.RegionIP(r)
		require.NoError(t, err)
		assert.Empty(t, seen[ip], "%s and %s share %s", r, seen[ip], ip)
		seen[ip] = r
	}
	_, err := cloud.RegionIP("eu-nowhere-1")
	assert.ErrorContains(t, err, "not known")
}

func TestAManualClockDoesNotAwaitWhoHasLeft(t *testing.T) {
	c := cloud.NewManualClock(time.Unix(0, 0))
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- c.Sleep(ctx, time.Hour) }()
	require.NoError(t, c.AwaitSleepers(t.Context(), 1))
	leave()
	require.ErrorIs(t, <-left, context.Canceled)
	tried, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, c.AwaitSleepers(tried, 1), context.Canceled, "nobody sleeps")
}
