package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/conversation"
)

// turnBytes is about what a question and an answer of some paragraphs take.
const turnBytes = 4000

// retention is that of the threads.
const retention = 30 * 24 * time.Hour

// state measures what keeping a conversation takes: the time beside bare calls of
// the SDK with the same items, and what DynamoDB would bill.
func state(ctx context.Context, b *bench) ([]Figure, error) {
	timed, err := stateTimes(ctx, b)
	if err != nil {
		return nil, err
	}
	lengths, err := stateLengths(ctx, b)
	if err != nil {
		return nil, err
	}
	stores, err := stateStores(ctx, b)
	if err != nil {
		return nil, err
	}
	return append(append(timed, lengths...), stores...), nil
}

// common are words of which a text has many.
var common = strings.Fields("the of and a to in is you that it he was for on are as with his they I at be this have from or one had by " +
	"word but not what all were we when your can said there use an each which she do how their if will up other about out many then them " +
	"region table request answer model latency failure retry order customer delivery refund invoice contract shipment address between " +
	"because however therefore please consider following example several different important possible available question")

// text returns words without an order, of about the given length: what is said
// compresses, but not as a repetition does.
func text(random *rand.Rand, bytes int) string {
	var s strings.Builder
	for s.Len() < bytes {
		s.WriteString(common[random.IntN(len(common))])
		s.WriteByte(' ')
	}
	return s.String()
}

func body(random *rand.Rand, bytes int) []byte {
	return fmt.Appendf(nil, `{"input":%q,"output":%q}`, text(random, bytes/4), text(random, bytes*3/4))
}

func newStore(clients map[string]conversation.DynamoDB, partners ...string) (*conversation.Store, error) {
	return conversation.New(conversation.Config{
		Table: contentTable, Region: home, Partners: partners, Clients: clients, Retention: retention, CallTimeout: time.Minute,
	})
}

// thread is one that grows.
type thread struct {
	store  *conversation.Store
	random *rand.Rand
	last   conversation.Turn
}

// say appends a turn.
func (t *thread) say(ctx context.Context, bytes int) error {
	id, err := t.store.NewTurn(t.last.ID)
	if err != nil {
		return err
	}
	turn, _, err := t.store.Append(ctx, tenant, conversation.Turn{ID: id, Parent: t.last.ID, Body: body(t.random, bytes), Expires: t.last.Expires})
	if err == nil {
		t.last = turn
	}
	return err
}

func (t *thread) load(ctx context.Context, want int) error {
	turns, err := t.store.Chain(ctx, tenant, t.last.ID)
	if err == nil && len(turns) != want {
		err = fmt.Errorf("loaded %d turns, want %d", len(turns), want)
	}
	return err
}

func newThread(store *conversation.Store) *thread {
	return &thread{store: store, random: rand.New(rand.NewPCG(1, 2))}
}

// stateTimes measures load and append against the embedded DynamoDB.
func stateTimes(ctx context.Context, b *bench) (_ []Figure, err error) {
	d, err := openData(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, d.Close()) }()
	store, err := newStore(map[string]conversation.DynamoDB{home: d.client(home), partner: d.client(partner)}, partner)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	var turns, took []float64
	for _, n := range b.scale.turns {
		t := newThread(store)
		for range n {
			if err := t.say(ctx, turnBytes); err != nil {
				return nil, err
			}
		}
		load, bare, err := t.timeLoads(ctx, b, d.client(home), n)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure(fmt.Sprintf("load a thread of %d turns", n), "µs", load).over(bare))
		turns, took = append(turns, float64(n)), append(took, load)
		added, put, err := t.timeAppends(ctx, b, d)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure(fmt.Sprintf("append to a thread of %d turns, in two regions", n), "µs", added).over(put))
	}
	perTurn, explained := slope(turns, took)
	return append(figures,
		figure("load: for each turn more", "µs", perTurn),
		figure("load: share that a straight line explains", "", explained)), nil
}

// timeLoads measures loads of the thread and of its bare items.
func (t *thread) timeLoads(ctx context.Context, b *bench, client *dynamodb.Client, n int) (load, bare float64, err error) {
	took := make([][]float64, 2)
	err = interleave(b.scale.rounds*2, 2, func(i int) error {
		started := time.Now()
		var err error
		if i == 0 {
			err = t.load(ctx, n)
		} else {
			err = queryAll(ctx, client, t.last.ID.Thread, n)
		}
		took[i] = append(took[i], micros(time.Since(started)))
		return err
	})
	return median(took[0]), median(took[1]), err
}

// queryAll reads the items of a thread, and what it has besides, and does
// nothing with them.
func queryAll(ctx context.Context, client *dynamodb.Client, thread string, want int) error {
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName: aws.String(contentTable), ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String(contract.PartitionKey + " = :p"),
		ExpressionAttributeValues: item{":p": &types.AttributeValueMemberS{Value: tenant + "#" + thread}},
	})
	got := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		got += len(page.Items)
	}
	if got < want {
		return fmt.Errorf("read %d items, want %d at least", got, want)
	}
	return nil
}

// timeAppends measures appends in two regions, and one bare write of as many
// bytes.
func (t *thread) timeAppends(ctx context.Context, b *bench, d *data) (added, put float64, err error) {
	start := t.last
	client := d.client(home)
	took := make([][]float64, 2)
	err = interleave(b.scale.rounds*2, 2, func(i int) error {
		t.last = start // the thread does not grow meanwhile
		said := body(t.random, turnBytes/3)
		started := time.Now()
		var err error
		if i == 0 {
			err = t.say(ctx, turnBytes)
		} else {
			_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(contentTable), Item: item{
				contract.PartitionKey: &types.AttributeValueMemberS{Value: "bare"}, contract.SortKey: &types.AttributeValueMemberS{Value: "bare"},
				"b": &types.AttributeValueMemberB{Value: said},
			}})
		}
		took[i] = append(took[i], micros(time.Since(started)))
		return err
	})
	t.last = start
	return median(took[0]), median(took[1]), err
}

// stateLengths tells what is billed for a turn, by the length of its thread and
// the number of regions.
func stateLengths(ctx context.Context, b *bench) ([]Figure, error) {
	var figures []Figure
	for _, regions := range []int{2, 3, 5} {
		l := newLedger(regions)
		store, err := newStore(map[string]conversation.DynamoDB{home: l, partner: l}, partner)
		if err != nil {
			return nil, err
		}
		t := newThread(store)
		said := 0
		var turns, reads, writes []float64
		for _, n := range b.scale.turns {
			for ; said < n; said++ {
				if err := t.say(ctx, turnBytes); err != nil {
					return nil, err
				}
			}
			before := l.billed
			if err := t.load(ctx, n); err != nil {
				return nil, err
			}
			turns, reads = append(turns, float64(n)), append(reads, l.since(before).reads)
			before = l.billed
			if err := t.say(ctx, turnBytes); err != nil {
				return nil, err
			}
			said++
			writes = append(writes, l.since(before).writes)
		}
		figures = append(figures, lengthFigures(regions, turns, reads, writes)...)
	}
	return figures, nil
}

// linear is how far the longest thread may be above the straight line through
// the shortest: each read is rounded up to 4 KB.
const linear = 1.05

func lengthFigures(regions int, turns, reads, writes []float64) []Figure {
	name := func(what string) string { return fmt.Sprintf("%d regions: %s", regions, what) }
	last := len(turns) - 1
	figures := []Figure{
		figure(name("units written for a turn, in all regions"), "WRU", writes[0]),
		figure(name(fmt.Sprintf("units written for a turn after %g", turns[last])), "WRU", writes[last]).over(writes[0]).atMostTimes(linear),
	}
	for i, n := range turns {
		figures = append(figures, figure(name(fmt.Sprintf("units read to go on after %g turns", n)), "RRU", reads[i]))
	}
	perTurn, _ := slope(turns, reads)
	return append(figures,
		figure(name("units read for each turn more"), "RRU", perTurn),
		figure(name(fmt.Sprintf("units read for a turn of %g", turns[last])), "RRU", reads[last]/turns[last]).over(reads[0]/turns[0]).atMostTimes(linear))
}

// fillerBytes are those of the turns that only fill a store.
const fillerBytes = 200
