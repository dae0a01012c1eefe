package dynamodb

import (
	"cmp"
	"slices"
	"time"
)

// table is one global table: a schema, and data in each region that has a
// replica. Its name, home and key attributes never change; all else is guarded
// by [Service].
type table struct {
	name     string
	home     string
	hash     attribute
	sort     *attribute // nil when items have no sort key
	streams  bool       // of new and old images, which replicas need
	replicas map[string]*replica
	copied   time.Time // when a replica was last added; zero: never
}

// attribute is one key attribute; kind is S, N or B.
type attribute struct{ name, kind string }

// replica is one region's copy of a table. It receives the writes of others when
// it is looked at, so that replication needs no process of its own.
type replica struct {
	region    string
	key       string                // ARN of the customer's key; empty for one that AWS owns
	tags      map[string]string     // never synced between replicas
	protected bool                  // against deletion; never synced either
	items     map[string]*partition // by partition key
	underway  []write               // from other replicas, by arrival
	lastStamp int64
}

// record is what a replica knows of one key.
type record struct {
	item  item // nil once deleted: a tombstone lets an older write lose
	stamp stamp
}

// stamp orders the writes to one item: the later wins, and of two at the same
// time the one of the region with the greater name.
type stamp struct {
	at     int64 // nanoseconds since the epoch
	region string
}

// write is a record on its way to a replica.
type write struct {
	key     key
	record  record
	arrival time.Time
}

// key is the canonical form of an item's primary key. The zero sort stands for
// none.
type key struct {
	partition string
	sort      value
}

func (s stamp) compare(o stamp) int {
	return cmp.Or(cmp.Compare(s.at, o.at), cmp.Compare(s.region, o.region))
}

func newReplica(region, key string) *replica {
	return &replica{region: region, key: key, items: map[string]*partition{}}
}

// clone is a new replica that starts with what r has and will receive.
func (r *replica) clone(region, key string) *replica {
	c := newReplica(region, key)
	for name, p := range r.items {
		c.items[name] = p.clone()
	}
	c.underway, c.lastStamp = slices.Clone(r.underway), r.lastStamp
	return c
}

// put stores i (nil to delete) in one replica and sends it to the others.
func (t *table) put(r *replica, k key, i item, now time.Time) {
	r.lastStamp = max(now.UnixNano(), r.lastStamp+1)
	rec := record{item: i, stamp: stamp{at: r.lastStamp, region: r.region}}
	r.merge(k, rec)
	for region, other := range t.replicas {
		if region != r.region {
			other.underway = append(other.underway, write{key: k, record: rec, arrival: now.Add(ReplicationLag)})
		}
	}
}

// receive lets r take what has arrived by now, from the regions to which its
// link is open.
func (r *replica) receive(now time.Time, open func(from string) bool) {
	due := slices.IndexFunc(r.underway, func(w write) bool { return w.arrival.After(now) })
	if due < 0 {
		due = len(r.underway)
	}
	waits := 0
	for _, w := range r.underway[:due] {
		if open(w.record.stamp.region) {
			r.merge(w.key, w.record)
			continue
		}
		r.underway[waits] = w
		waits++
	}
	r.underway = slices.Delete(r.underway, waits, due)
}

// merge keeps the later of what r has and rec.
func (r *replica) merge(k key, rec record) {
	r.lastStamp = max(r.lastStamp, rec.stamp.at)
	p := r.items[k.partition]
	if p == nil {
		p = &partition{}
		r.items[k.partition] = p
	}
	p.merge(k.sort, rec)
}

func (r *replica) get(k key) item { return r.items[k.partition].get(k.sort) }
