package bench

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/crossregion/crossregion/contract"
)

// item is one of a table.
type item = map[string]types.AttributeValue

// ledger is a global table in memory, all of whose replicas are always the same,
// that counts what DynamoDB would bill. It takes no time worth telling, so that
// it can hold a million threads.
type ledger struct {
	regions int

	mu         sync.Mutex
	partitions map[string]*partition
	billed     units
}

// units are what DynamoDB bills on demand.
type units struct {
	reads, writes float64 // the second in all regions together
	calls         int
}

func (u units) less(v units) units {
	return units{u.reads - v.reads, u.writes - v.writes, u.calls - v.calls}
}

type partition struct {
	sorts []string // in order
	items map[string]item
}

func newLedger(regions int) *ledger {
	return &ledger{regions: regions, partitions: map[string]*partition{}}
}

// itemBytes is the size of an item as DynamoDB counts it.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func itemBytes(it item) int {
	n := 0
	for name, v := range it {
		n += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberN:
			n += (len(v.Value)+1)/2 + 1
		case *types.AttributeValueMemberB:
			n += len(v.Value)
		default:
			n++ // a flag: the store has no other kinds
		}
	}
	return n
}

// readUnits is one for each 4 KB of a consistent read, writeUnits one for each
// KB.
func readUnits(bytes int) float64  { return float64(max(1, (bytes+4095)/4096)) }
func writeUnits(bytes int) float64 { return float64(max(1, (bytes+1023)/1024)) }

func textOf(it item, name string) string {
	s, _ := it[name].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// PutItem writes to all replicas, each of which is billed.
func (l *ledger) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.billed.calls++
	l.billed.writes += writeUnits(itemBytes(in.Item)) * float64(l.regions)
	key, sort := textOf(in.Item, contract.PartitionKey), textOf(in.Item, contract.SortKey)
	p := l.partitions[key]
	if p == nil {
		p = &partition{items: map[string]item{}}
		l.partitions[key] = p
	}
	if i, found := slices.BinarySearch(p.sorts, sort); !found {
		p.sorts = slices.Insert(p.sorts, i, sort)
	}
	p.items[sort] = in.Item
	return &dynamodb.PutItemOutput{}, nil
}

// GetItem reads consistently.
func (l *ledger) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var it item
	if p := l.partitions[textOf(in.Key, contract.PartitionKey)]; p != nil {
		it = p.items[textOf(in.Key, contract.SortKey)]
	}
	l.billed.calls++
	l.billed.reads += readUnits(itemBytes(it))
	return &dynamodb.GetItemOutput{Item: it}, nil
}

// DeleteItem deletes in all replicas.
func (l *ledger) DeleteItem(_ context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.billed.calls++
	p, sort := l.partitions[textOf(in.Key, contract.PartitionKey)], textOf(in.Key, contract.SortKey)
	if p == nil {
		l.billed.writes += float64(l.regions)
		return &dynamodb.DeleteItemOutput{}, nil
	}
	l.billed.writes += writeUnits(itemBytes(p.items[sort])) * float64(l.regions)
	delete(p.items, sort)
	if i, found := slices.BinarySearch(p.sorts, sort); found {
		p.sorts = slices.Delete(p.sorts, i, i+1)
	}
	return &dynamodb.DeleteItemOutput{}, nil
}

// pageBytes is how much a query returns at once.
const pageBytes = 1 << 20

// Query reads a range of sort keys, which the store gives as :from and :to, page
// by page.
func (l *ledger) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := in.ExpressionAttributeValues
	out := &dynamodb.QueryOutput{}
	bytes := 0
	for _, it := range l.between(textOf(values, ":p"), textOf(values, ":from"), textOf(values, ":to"), in) {
		out.Items = append(out.Items, it)
		bytes += itemBytes(it)
		if bytes >= pageBytes || in.Limit != nil && len(out.Items) == int(*in.Limit) {
			out.LastEvaluatedKey = item{contract.PartitionKey: it[contract.PartitionKey], contract.SortKey: it[contract.SortKey]}
			break
		}
	}
	l.billed.calls++
	l.billed.reads += readUnits(bytes)
	return out, nil
}

func (l *ledger) between(key, from, to string, in *dynamodb.QueryInput) []item {
	p := l.partitions[key]
	if p == nil {
		return nil
	}
	backward := in.ScanIndexForward != nil && !*in.ScanIndexForward
	after := textOf(in.ExclusiveStartKey, contract.SortKey)
	var items []item
	for _, sort := range p.sorts {
		passed := after != "" && (!backward && sort <= after || backward && sort >= after)
		if sort < from || sort > to || passed {
			continue
		}
		items = append(items, p.items[sort])
	}
	if backward {
		slices.Reverse(items)
	}
	return items
}

// since returns what is billed since an earlier state.
func (l *ledger) since(before units) units {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.billed.less(before)
}
