package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

var (
	errDown      = errors.New("the region is down")
	errSilent    = fmt.Errorf("%w: %w", errDown, context.DeadlineExceeded)
	errLostReply = errors.New("the reply was lost")
	errStale     = errors.New("the read may miss what this replica has taken")
)

// world is a table with a replica in each region. Writes reach other replicas
// when the test delivers them, the later writer wins, and conditions see one
// replica.
type world struct {
	mu       sync.Mutex
	regions  []string
	clock    int64 // of writes: each is later than the one before
	replicas map[string]map[string]record
	underway map[string][]record // by region to which they are going
	down     map[string]bool
	cut      map[[2]string]bool // pairs of regions, in either order, that do not reach each other
	silent   bool               // regions that are down do not answer, where others refuse
	lose     map[string]int     // replies of writes that will be lost, by region
	pageSize int
	reads    map[string]int // items read, by region
	calls    map[string]int // made of a region, by name of the operation
	written  []record       // every item that was ever put
	refuse   func(region, operation, sk string) bool
	skew     map[string]int64 // of a region's stamps
}

type record struct {
	key    string
	item   item // nil once deleted
	stamp  int64
	pk, sk string
	from   string // the region that wrote it
}

func newWorld(regions ...string) *world {
	w := &world{
		regions: regions, cut: map[[2]string]bool{}, replicas: map[string]map[string]record{}, underway: map[string][]record{}, down: map[string]bool{},
		lose: map[string]int{}, pageSize: 3, reads: map[string]int{}, calls: map[string]int{}, skew: map[string]int64{},
		refuse: func(string, string, string) bool { return false },
	}
	for _, r := range regions {
		w.replicas[r] = map[string]record{}
	}
	return w
}

// deliver lets n of the writes on their way to a region arrive, in order; all
// of them if n is negative.
func (w *world) deliver(region string, n int) {
	w.deliverFrom(region, func(string) bool { return true }, n)
}

// deliverFrom is [world.deliver] of the writes of some regions, while others are
// parted from this one.
func (w *world) deliverFrom(region string, open func(from string) bool, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.underway[region] = slices.DeleteFunc(w.underway[region], func(rec record) bool {
		if n == 0 || !open(rec.from) {
			return false
		}
		n--
		w.merge(region, rec)
		return true
	})
}

func (w *world) merge(region string, rec record) {
	if have, ok := w.replicas[region][rec.key]; !ok || have.stamp <= rec.stamp {
		w.replicas[region][rec.key] = rec
	}
}

// write stores it in one replica and sends it on its way to the others.
func (w *world) write(region, pk, sk string, it item) error {
	w.clock++
	rec := record{key: pk + "\x00" + sk, item: it, stamp: w.clock + w.skew[region], pk: pk, sk: sk, from: region}
	w.merge(region, rec)
	if it != nil {
		w.written = append(w.written, rec)
	}
	for other := range w.replicas {
		if other != region {
			w.underway[other] = append(w.underway[other], rec)
		}
	}
	if w.lose[region] > 0 {
		w.lose[region]--
		return errLostReply
	}
	return nil
}

// late writes the nth item that was ever written once more, as a writer does
// whose call took its time.
func (w *world) late(region string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rec := w.written[n%len(w.written)]
	_ = w.write(region, rec.pk, rec.sk, rec.item)
}

// outage takes the regions down while others are at work, and mends all if there
// are none.
func (w *world) outage(regions ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.down)
	for _, region := range regions {
		w.down[region] = true
	}
}

// reach tells whether a region's functions reach a replica.
func (w *world) reach(from, region string) bool {
	return !w.down[region] && !w.cut[[2]string{from, region}] && !w.cut[[2]string{region, from}]
}

// unreached are the replicas that a region's functions do not reach.
func (w *world) unreached(from string) []string {
	return slices.DeleteFunc(slices.Clone(w.regions), func(region string) bool { return w.reach(from, region) })
}

// replica is the world as one region's endpoint answers another's functions; its
// own, if from is empty.
type replica struct {
	world        *world
	region, from string
}

func at(w *world, region string) replica { return replica{world: w, region: region} }

func (r replica) enter(ctx context.Context, operation string) (func(), error) {
	r.world.mu.Lock()
	r.world.calls[r.region+" "+operation]++
	if err := ctx.Err(); err != nil || !r.world.reach(r.from, r.region) {
		r.world.mu.Unlock()
		if r.world.silent {
			return nil, errors.Join(err, errSilent)
		}
		return nil, errors.Join(err, errDown)
	}
	return r.world.mu.Unlock, nil
}

func number(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.Unix(), 10)}
}

func str(v types.AttributeValue) string {
	s, ok := v.(*types.AttributeValueMemberS)
	if !ok {
		panic(fmt.Sprintf("%T is no string", v))
	}
	return s.Value
}

func (r replica) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	leave, err := r.enter(ctx, "GetItem")
	if err != nil {
		return nil, err
	}
	defer leave()
	if !aws.ToBool(in.ConsistentRead) {
		return nil, errStale
	}
	r.world.reads[r.region]++
	return &dynamodb.GetItemOutput{Item: r.world.replicas[r.region][str(in.Key["pk"])+"\x00"+str(in.Key["sk"])].item}, nil
}

func (r replica) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	leave, err := r.enter(ctx, "PutItem")
	if err != nil {
		return nil, err
	}
	defer leave()
	pk, sk := str(in.Item["pk"]), str(in.Item["sk"])
	have := r.world.replicas[r.region][pk+"\x00"+sk].item
	if r.world.refuse(r.region, "PutItem", sk) {
		return nil, errDown
	}
	if !holds(in.ConditionExpression, in.ExpressionAttributeValues, have) {
		return nil, &types.ConditionalCheckFailedException{Item: have}
	}
	return &dynamodb.PutItemOutput{}, r.world.write(r.region, pk, sk, maps.Clone(in.Item))
}

func (r replica) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	leave, err := r.enter(ctx, "DeleteItem")
	if err != nil {
		return nil, err
	}
	defer leave()
	pk, sk := str(in.Key["pk"]), str(in.Key["sk"])
	if r.world.refuse(r.region, "DeleteItem", sk) {
		return nil, errDown
	}
	if !holds(in.ConditionExpression, in.ExpressionAttributeValues, r.world.replicas[r.region][pk+"\x00"+sk].item) {
		return nil, &types.ConditionalCheckFailedException{}
	}
	if r.world.replicas[r.region][pk+"\x00"+sk].item == nil {
		return &dynamodb.DeleteItemOutput{}, nil // what changes nothing is not replicated
	}
	return &dynamodb.DeleteItemOutput{}, r.world.write(r.region, pk, sk, nil)
}

// holds tells whether a condition does, of those that the store uses.
func holds(condition *string, values, have item) bool {
	switch text := aws.ToString(condition); text {
	case "":
		return true
	case "attribute_not_exists(pk) OR t = :mine":
		return have == nil || str(have["t"]) == str(values[":mine"])
	case "t = :mine":
		return have != nil && str(have["t"]) == str(values[":mine"])
	case "attribute_not_exists(pk) OR t = :mine OR t = :instead AND u = :until":
		return have == nil || str(have["t"]) == str(values[":mine"]) ||
			str(have["t"]) == str(values[":instead"]) && reflect.DeepEqual(have["u"], values[":until"])
	default:
		panic("unknown condition " + text)
	}
}

func (r replica) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	leave, err := r.enter(ctx, "Query")
	if err != nil {
		return nil, err
	}
	defer leave()
	if !aws.ToBool(in.ConsistentRead) {
		return nil, errStale
	}
	v := in.ExpressionAttributeValues
	forward := aws.ToBool(in.ScanIndexForward)
	found := r.matching(func(rec record) bool {
		return rec.pk == str(v[":p"]) && rec.sk >= str(v[":from"]) && rec.sk <= str(v[":to"]) && follows(rec, in.ExclusiveStartKey, forward)
	})
	if !forward {
		slices.Reverse(found)
	}
	out := &dynamodb.QueryOutput{}
	out.Items, out.LastEvaluatedKey = r.page(found, in.ProjectionExpression)
	return out, nil
}

func (r replica) Scan(ctx context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	leave, err := r.enter(ctx, "Scan")
	if err != nil {
		return nil, err
	}
	defer leave()
	if !aws.ToBool(in.ConsistentRead) {
		return nil, errStale
	}
	out := &dynamodb.ScanOutput{}
	rest := r.matching(func(rec record) bool { return follows(rec, in.ExclusiveStartKey, true) })
	out.Items, out.LastEvaluatedKey = r.page(rest, in.ProjectionExpression)
	prefix := str(in.ExpressionAttributeValues[":t"])
	out.Items = slices.DeleteFunc(out.Items, func(it item) bool { return !strings.HasPrefix(str(it["pk"]), prefix) })
	return out, nil
}

// matching are the region's items that are meant, by key.
func (r replica) matching(meant func(record) bool) []record {
	var found []record
	for _, rec := range r.world.replicas[r.region] {
		if rec.item != nil && meant(rec) {
			found = append(found, rec)
		}
	}
	slices.SortFunc(found, func(a, b record) int { return strings.Compare(a.key, b.key) })
	return found
}

// follows tells whether a page that begins after start can have rec, whatever
// became of what start names.
func follows(rec record, start item, forward bool) bool {
	if start == nil {
		return true
	}
	key := str(start["pk"]) + "\x00" + str(start["sk"])
	return rec.key != key && (rec.key > key) == forward
}

// page cuts what was found to the world's page size.
func (r replica) page(found []record, projection *string) (items []item, last item) {
	for i, rec := range found {
		if i == r.world.pageSize {
			prev := found[i-1]
			return items, item{"pk": prev.item["pk"], "sk": prev.item["sk"]}
		}
		r.world.reads[r.region]++
		it := rec.item
		if projection != nil {
			it = item{}
			for _, name := range strings.Split(*projection, ", ") {
				it[name] = rec.item[name]
			}
		}
		items = append(items, it)
	}
	return items, nil
}
