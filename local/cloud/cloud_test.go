package cloud_test

import (
	"context"
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
	})
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

func TestManualClockWakesWhoIsDue(t *testing.T) {
	c := cloud.NewManualClock(time.Unix(0, 0))
	woken := make(chan struct{})
	go func() {
		defer close(woken)
		assert.NoError(t, c.Sleep(t.Context(), time.Minute))
	}()
	require.NoError(t, c.AwaitSleepers(t.Context(), 1))
	c.Advance(59 * time.Second)
	select {
	case <-woken:
		t.Fatal("woken a second early")
	default:
	}
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
