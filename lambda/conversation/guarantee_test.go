package conversation_test

import (
	"context"
	"flag"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// guarantee takes one of the store's guarantees away: it stands between the
// store and a replica, its own or another region's, so that the two together
// behave as a store without it.
type guarantee func(own bool, client conversation.DynamoDB) conversation.DynamoDB

// TestEveryGuaranteeIsNeeded: without any one of them, [TestNoTurnIsLost] fails.
func TestEveryGuaranteeIsNeeded(t *testing.T) {
	without := map[string]guarantee{
		"turns are written to the local replica alone": func(own bool, client conversation.DynamoDB) conversation.DynamoDB {
			return puts{client, func(sk string) bool { return own || !strings.HasPrefix(sk, "turn#") }}
		},
		"conversations are begun in the local replica alone": func(own bool, client conversation.DynamoDB) conversation.DynamoDB {
			return puts{client, func(sk string) bool { return own || !strings.HasPrefix(sk, "meta#") }}
		},
		"the local replica alone is read": func(own bool, client conversation.DynamoDB) conversation.DynamoDB {
			return reads{client, func(string) bool { return own }}
		},
		"tombstones are not written": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return puts{client, func(sk string) bool { return !strings.HasPrefix(sk, "del") }}
		},
		"tombstones are not read": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return reads{client, func(sk string) bool { return !strings.HasPrefix(sk, "del") }}
		},
		"what is left of a turn is written to the local replica alone": func(own bool, client conversation.DynamoDB) conversation.DynamoDB {
			return puts{client, func(sk string) bool { return own || !strings.Contains(sk, "#v") }}
		},
		"what is left of a turn does not count in its place": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return reads{client, func(sk string) bool { return !strings.Contains(sk, "#v") }}
		},
		"further parts are not written": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return puts{client, func(sk string) bool { return !isPart(sk) }}
		},
		"a turn counts without its further parts": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return headless{client}
		},
		"one copy of a turn of a conversation is enough": func(own bool, client conversation.DynamoDB) conversation.DynamoDB {
			return deaf{client, func(it item) bool { return !own && it["m"] != nil }}
		},
		"a deletion counts that one region took": func(own bool, client conversation.DynamoDB) conversation.DynamoDB {
			return deaf{client, func(it item) bool { return !own && strings.HasPrefix(str(it["sk"]), "del") }}
		},
		"failed writes count as done": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return deaf{client, func(item) bool { return true }}
		},
		"turns of a conversation share a key": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return shared{client}
		},
		"tenants share a partition": func(_ bool, client conversation.DynamoDB) conversation.DynamoDB {
			return common{client}
		},
	}
	require.False(t, fails(t, intact), "with all of them nothing fails")
	for name, through := range without {
		t.Run(name, func(t *testing.T) {
			assert.True(t, fails(t, through), "nothing notices")
		})
	}
}

// fails plays histories of a fixed seed until one fails.
func fails(t *testing.T, through guarantee) bool {
	checks, steps := "200", "60"
	if testing.Short() {
		checks, steps = "1000", "120" // of which rapid then plays a fifth, of half the length
	}
	for name, value := range map[string]string{"checks": checks, "steps": steps, "seed": "1", "nofailfile": "true", "shrinktime": "0s"} {
		f := flag.Lookup("rapid." + name)
		before := f.Value.String()
		require.NoError(t, f.Value.Set(value))
		defer func() { assert.NoError(t, f.Value.Set(before)) }()
	}
	verdict := &silent{TB: t}
	done := make(chan struct{})
	go func() { // which a failure ends
		defer close(done)
		rapid.Check(verdict, func(t *rapid.T) { play(t, through) })
	}()
	<-done
	return verdict.failed
}

// silent keeps a failure to itself.
type silent struct {
	testing.TB
	failed bool
}

func (s *silent) Log(...any)            {}
func (s *silent) Logf(string, ...any)   {}
func (s *silent) Error(...any)          { s.failed = true }
func (s *silent) Errorf(string, ...any) { s.failed = true }
func (s *silent) Fail()                 { s.failed = true }
func (s *silent) Failed() bool          { return s.failed }
func (s *silent) FailNow()              { s.failed = true; runtime.Goexit() }

func isPart(sk string) bool { return strings.Count(sk, "#") == 2 && strings.HasPrefix(sk, "turn#") }

// puts drops the writes of some items, and says that they are done.
type puts struct {
	conversation.DynamoDB
	keeps func(sk string) bool
}

func (p puts) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if !p.keeps(str(in.Item["sk"])) {
		return &dynamodb.PutItemOutput{}, nil
	}
	return p.DynamoDB.PutItem(ctx, in, opts...)
}

// reads hides some items.
type reads struct {
	conversation.DynamoDB
	shows func(sk string) bool
}

func (r reads) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := r.DynamoDB.Query(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	var shown []map[string]types.AttributeValue
	for _, it := range out.Items {
		if r.shows(str(it["sk"])) {
			shown = append(shown, it)
		}
	}
	out.Items = shown
	return out, nil
}

// headless has every turn of one part.
type headless struct{ conversation.DynamoDB }

func (h headless) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := h.DynamoDB.Query(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	for i, it := range out.Items {
		if it["n"] != nil {
			out.Items[i] = maps.Clone(it)
			out.Items[i]["n"] = &types.AttributeValueMemberN{Value: "1"}
		}
	}
	return out, nil
}

// deaf does not hear that a write of some items has failed.
type deaf struct {
	conversation.DynamoDB
	to func(item) bool
}

func (d deaf) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if out, err := d.DynamoDB.PutItem(ctx, in, opts...); err == nil || !d.to(in.Item) {
		return out, err
	}
	return &dynamodb.PutItemOutput{}, nil
}

// shared stores turns that were named in the same second under one key.
type shared struct{ conversation.DynamoDB }

func (s shared) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	sk := str(in.Item["sk"])
	if turn, ok := strings.CutPrefix(sk, "turn#"); ok && len(turn) == 20 && in.Item["m"] != nil {
		copied := *in
		copied.Item = maps.Clone(in.Item)
		copied.Item["sk"] = &types.AttributeValueMemberS{Value: "turn#" + turn[:8] + "000000000000"}
		in = &copied
	}
	return s.DynamoDB.PutItem(ctx, in, opts...)
}

// common leaves the tenant out of keys.
type common struct{ conversation.DynamoDB }

func withoutTenant(pk types.AttributeValue) types.AttributeValue {
	_, thread, _ := strings.Cut(str(pk), "#")
	return &types.AttributeValueMemberS{Value: thread}
}

func (c common) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	copied := *in
	copied.Item = maps.Clone(in.Item)
	copied.Item["pk"] = withoutTenant(in.Item["pk"])
	return c.DynamoDB.PutItem(ctx, &copied, opts...)
}

func (c common) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	copied := *in
	copied.Key = map[string]types.AttributeValue{"pk": withoutTenant(in.Key["pk"]), "sk": in.Key["sk"]}
	return c.DynamoDB.GetItem(ctx, &copied, opts...)
}

func (c common) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	copied := *in
	copied.ExpressionAttributeValues = maps.Clone(in.ExpressionAttributeValues)
	copied.ExpressionAttributeValues[":p"] = withoutTenant(in.ExpressionAttributeValues[":p"])
	return c.DynamoDB.Query(ctx, &copied, opts...)
}
