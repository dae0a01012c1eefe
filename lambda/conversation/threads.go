package conversation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
)

// CreateConversation begins a conversation with the caller's metadata. It lasts
// [Config.Retention], however often turns are added.
func (s *Store) CreateConversation(ctx context.Context, tenant string, meta []byte) (Conversation, Stored, error) {
	if err := checkTenant(tenant); err != nil {
		return Conversation{}, Stored{}, fmt.Errorf("begin a conversation: %w", err)
	}
	thread, err := newName(s.Random, s.Now(), "")
	if err != nil {
		return Conversation{}, Stored{}, err
	}
	c := Conversation{ID: ConversationID{Thread: thread, Region: s.Region}, Created: created(thread), Expires: s.expiry(time.Time{}), Meta: meta}
	stored, err := s.write(ctx, []item{encodeMeta(tenant, thread, c)}, s.copies(), anyRegion)
	if err != nil {
		return Conversation{}, Stored{}, fmt.Errorf("begin a conversation: %w", err)
	}
	return c, stored, nil
}

// encodeMeta is one version of a conversation's metadata, under a name of its
// own that sorts by age.
func encodeMeta(tenant, name string, c Conversation) item {
	it := itemKey(threadPartition(tenant, c.ID.Thread), sortMeta+name)
	it[contract.AttrExpires] = number(c.Expires.Unix())
	it[attrRegion] = text(c.ID.Region)
	it[attrBody] = &types.AttributeValueMemberB{Value: c.Meta}
	return it
}

// created is when a thread was named, in whole seconds.
func created(thread string) time.Time { return time.Unix(nameMillis(thread)/1000, 0).UTC() }

// Conversation returns a conversation without its turns. Errors are those of
// [Store.History].
func (s *Store) Conversation(ctx context.Context, tenant string, id ConversationID) (Conversation, error) {
	r, err := s.conversationReader(tenant, id)
	if err != nil {
		return Conversation{}, err
	}
	return r.head(ctx, id)
}

// conversationReader is a reader of a conversation. An id of a shape that no
// store gives is not found.
func (s *Store) conversationReader(tenant string, id ConversationID) (*reader, error) {
	if check(id.Region, id.Thread) != nil {
		return nil, ErrNotFound
	}
	return s.reader(tenant, id.Thread)
}

// head reads all of a conversation but its turns.
func (r *reader) head(ctx context.Context, id ConversationID) (Conversation, error) {
	if err := r.unite(ctx, query{from: sortDeleted, to: sortMeta + sortEnd}); err != nil {
		return Conversation{}, err
	}
	return r.conversation(id)
}

// History returns a conversation and all its turns, in the order of their ids.
// Since nothing tells which turn is the last, it takes the union of what all
// regions have. Those that are silent must be no quorum: one may be, unless it is
// the [Config.TieBreaker] of a stack of two, and none with [Config.Unpaired].
// [ErrNotArrived] says that more are, or that something was deleted while it was
// read. [ErrNotFound] says that the conversation does not exist, or not any more.
func (s *Store) History(ctx context.Context, tenant string, id ConversationID) (Conversation, []Turn, error) {
	r, err := s.conversationReader(tenant, id)
	if err != nil {
		return Conversation{}, nil, err
	}
	if err := r.unite(ctx, query{from: sortDeleted, to: sortTurn + sortEnd}); err != nil {
		return Conversation{}, nil, err
	}
	c, err := r.conversation(id)
	if err != nil {
		return Conversation{}, nil, err
	}
	turns, err := r.view.turns(r.view.members())
	return c, turns, err
}

// conversation reads the conversation's own items.
func (r *reader) conversation(id ConversationID) (Conversation, error) {
	meta := r.view.meta()
	switch {
	case r.view.has(sortDeleted):
		return Conversation{}, ErrNotFound
	case meta == nil:
		return Conversation{}, r.unfound()
	case r.view.expired(meta) || textOf(meta, attrRegion) != id.Region:
		return Conversation{}, ErrNotFound
	}
	return Conversation{
		ID: id, Created: created(id.Thread), Expires: time.Unix(numberOf(meta, contract.AttrExpires), 0).UTC(), Meta: bodyOf(meta),
	}, nil
}

// unite reads a range from all replicas into the view. Those that are spared are
// asked if the rest is not enough.
func (r *reader) unite(ctx context.Context, q query) error {
	well, spared := r.store.wellAndSpared()
	err := r.gather(ctx, well, q)
	for _, region := range spared {
		r.failed[region] = fmt.Errorf("%s has not answered lately", region)
	}
	if len(spared) > 0 && (err != nil || r.blind() || !r.begun(q)) {
		err = errors.Join(err, r.gather(ctx, spared, q))
	}
	switch {
	case len(r.failed) == len(r.store.regions):
		return r.unfound()
	case err == nil && r.blind():
		err = r.failures()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotArrived, err)
	}
	return nil
}

// blind tells whether the regions that did not answer may have what no other
// has.
func (r *reader) blind() bool { return r.store.quorum(slices.Collect(maps.Keys(r.failed))) }

// begun tells whether the conversation is known, be it as deleted, if the range
// is to tell more of it than what is deleted.
func (r *reader) begun(q query) bool {
	return q == tombstones() || r.view.has(sortDeleted) || r.view.meta() != nil
}

// gather adds what the regions have of a range to the view: all that the first
// one has, the keys of what the others have, and then what is lacking.
func (r *reader) gather(ctx context.Context, regions []string, q query) error {
	found := make([]listing, len(regions))
	full := len(r.view.items) == 0
	errs := each(len(regions), func(i int) (err error) {
		one := q
		one.keys = i > 0 || !full
		found[i].region = regions[i]
		found[i].items, err = r.store.readRange(ctx, regions[i], r.partition, one)
		return err
	})
	for i, region := range regions {
		delete(r.failed, region)
		if errs[i] != nil {
			r.failed[region] = errs[i]
		}
	}
	found = slices.DeleteFunc(found, func(l listing) bool { return r.failed[l.region] != nil })
	if len(found) == 0 {
		return nil
	}
	if full {
		if found[0].region != regions[0] {
			var err error
			if found[0].items, err = r.store.readRange(ctx, found[0].region, r.partition, q); err != nil {
				return err
			}
		}
		r.view.add(found[0].items)
	}
	return r.complete(ctx, found)
}

// listing is what a region has of a range, or its keys.
type listing struct {
	region string
	items  []item
}

// readRange reads a range in one region.
func (s *Store) readRange(ctx context.Context, region, partition string, q query) ([]item, error) {
	var all []item
	err := s.pages(ctx, region, partition, q, func(items []item) bool {
		all = append(all, items...)
		return true
	})
	return all, err
}

// complete gets what regions have, by their keys, and the view lacks. A
// tombstone is its key; of the rest the content is needed. What is gone
// meanwhile is an error, for it may have been replaced by what no list has.
func (r *reader) complete(ctx context.Context, found []listing) error {
	lacking := map[string]string{} // region by sort key
	for _, l := range found {
		for _, it := range l.items {
			sort := textOf(it, contract.SortKey)
			switch {
			case r.view.has(sort):
			case strings.HasPrefix(sort, sortDeleted):
				r.view.add([]item{it})
			default:
				lacking[sort] = l.region
			}
		}
	}
	sorts := slices.Sorted(maps.Keys(lacking))
	items := make([]item, len(sorts))
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	errs := eachPatiently(ctx, len(sorts), func(i int) (err error) {
		region := lacking[sorts[i]]
		if items[i], err = r.store.get(ctx, region, itemKey(r.partition, sorts[i])); err == nil && items[i] == nil {
			err = fmt.Errorf("a thread changed in %s while it was read", region)
		}
		if err != nil && !throttled(err) {
			stop()
		}
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.view.add(items)
	return nil
}

// UpdateConversation replaces a conversation's metadata. Of two updates at once
// the one with the later name counts, in every region alike. After an error it may
// have been made all the same; repeated, it is sure to last.
func (s *Store) UpdateConversation(ctx context.Context, tenant string, id ConversationID, meta []byte) (Conversation, error) {
	r, err := s.conversationReader(tenant, id)
	if err != nil {
		return Conversation{}, err
	}
	c, err := r.head(ctx, id)
	if err != nil {
		return Conversation{}, err
	}
	name, err := newName(s.Random, s.Now(), strings.TrimPrefix(textOf(r.view.meta(), contract.SortKey), sortMeta))
	if err != nil {
		return Conversation{}, err
	}
	c.Meta = meta
	if _, err := s.write(ctx, []item{encodeMeta(tenant, name, c)}, s.copies(), s.quorum); err != nil {
		return Conversation{}, fmt.Errorf("update a conversation: %w", err)
	}
	return c, nil
}

// DeleteConversation deletes a conversation with all its turns, and whatever is
// still being added to it. Repeated, it removes what is left of it, and finds
// nothing once it is gone.
func (s *Store) DeleteConversation(ctx context.Context, tenant string, id ConversationID) error {
	r, err := s.conversationReader(tenant, id)
	if err != nil {
		return err
	}
	whole := removal{query{from: sortMeta, to: sortTurn + sortEnd}, everything}
	c, err := r.head(ctx, id)
	if there := r.view.items[sortDeleted]; there != nil {
		return s.finish(ctx, r.partition, s.again(tenant, id.Thread, there), whole)
	}
	if err != nil {
		return err
	}
	stored, err := s.writeEverywhere(ctx, s.tombstone(tenant, id.Thread, sortDeleted, c.Expires), s.quorum)
	if err != nil {
		return fmt.Errorf("delete a conversation: %w", err)
	}
	_, err = s.clear(ctx, r.partition, stored.Regions, whole)
	return err
}
