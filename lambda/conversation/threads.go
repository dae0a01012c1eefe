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
	stored, err := s.write(ctx, []item{encodeMeta(tenant, thread, c)})
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
	r, err := s.reader(tenant, id.Thread)
	if err != nil {
		return Conversation{}, err
	}
	if err := s.unite(ctx, r, query{from: sortDeleted, to: sortMeta + sortEnd}); err != nil {
		return Conversation{}, err
	}
	return r.conversation(id)
}

// History returns a conversation and all its turns, in the order of their ids.
// Since nothing tells which turn is the last, it takes the union of what all
// regions have. One of them may be silent, for every turn stands in two;
// [ErrNotArrived] says that more are. [ErrNotFound] says that the conversation
// does not exist, or not any more.
func (s *Store) History(ctx context.Context, tenant string, id ConversationID) (Conversation, []Turn, error) {
	r, err := s.reader(tenant, id.Thread)
	if err != nil {
		return Conversation{}, nil, err
	}
	if err := s.unite(ctx, r, query{from: sortDeleted, to: sortTurn + sortEnd}); err != nil {
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

// unite reads a range from all replicas into the view: what the local one has,
// the keys of what the others have, and then what the local one lacks.
func (s *Store) unite(ctx context.Context, r *reader, q query) error {
	replicas := make([][]item, len(s.regions))
	errs := each(len(s.regions), func(i int) (err error) {
		one := q
		one.keys = i > 0
		replicas[i], err = s.readRange(ctx, s.regions[i], r.partition, one)
		return err
	})
	r.failed = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(r.failed) == len(s.regions) {
		return r.unfound()
	}
	if len(r.failed) > 1 {
		return fmt.Errorf("%w: %w", ErrNotArrived, errors.Join(r.failed...))
	}
	if errs[0] != nil {
		var err error
		if replicas[0], err = s.readRange(ctx, s.Partners[0], r.partition, q); err != nil {
			return fmt.Errorf("%w: %w", ErrNotArrived, err)
		}
	}
	r.view.add(replicas[0])
	return s.complete(ctx, r, replicas[1:])
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

// complete gets what partners have, by their keys, and the view lacks. A
// tombstone is its key; of the rest the content is needed. What is gone
// meanwhile was deleted.
func (s *Store) complete(ctx context.Context, r *reader, partners [][]item) error {
	lacking := map[string]string{} // region by sort key
	for i, keys := range partners {
		for _, it := range keys {
			sort := textOf(it, contract.SortKey)
			switch {
			case r.view.has(sort):
			case strings.HasPrefix(sort, sortDeleted):
				r.view.add([]item{it})
			default:
				lacking[sort] = s.Partners[i]
			}
		}
	}
	sorts := slices.Sorted(maps.Keys(lacking))
	items := make([]item, len(sorts))
	errs := each(len(sorts), func(i int) (err error) {
		items[i], err = s.get(ctx, lacking[sorts[i]], itemKey(r.partition, sorts[i]))
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrNotArrived, err)
	}
	r.view.add(slices.DeleteFunc(items, func(it item) bool { return len(it) == 0 }))
	return nil
}

// UpdateConversation replaces a conversation's metadata. Of two updates at once
// the one with the later name counts, in every region alike.
func (s *Store) UpdateConversation(ctx context.Context, tenant string, id ConversationID, meta []byte) (Conversation, error) {
	r, err := s.reader(tenant, id.Thread)
	if err != nil {
		return Conversation{}, err
	}
	if err := s.unite(ctx, r, query{from: sortDeleted, to: sortMeta + sortEnd}); err != nil {
		return Conversation{}, err
	}
	c, err := r.conversation(id)
	if err != nil {
		return Conversation{}, err
	}
	name, err := newName(s.Random, s.Now(), strings.TrimPrefix(textOf(r.view.meta(), contract.SortKey), sortMeta))
	if err != nil {
		return Conversation{}, err
	}
	c.Meta = meta
	if _, err := s.write(ctx, []item{encodeMeta(tenant, name, c)}); err != nil {
		return Conversation{}, fmt.Errorf("update a conversation: %w", err)
	}
	return c, nil
}

// DeleteConversation deletes a conversation with all its turns, and whatever is
// still being added to it.
func (s *Store) DeleteConversation(ctx context.Context, tenant string, id ConversationID) error {
	if _, err := s.Conversation(ctx, tenant, id); err != nil {
		return err
	}
	r, err := s.reader(tenant, id.Thread)
	if err != nil {
		return err
	}
	stored, err := s.writeEverywhere(ctx, s.tombstone(tenant, id.Thread, sortDeleted))
	if err != nil {
		return fmt.Errorf("delete a conversation: %w", err)
	}
	return s.clear(ctx, r, stored, query{from: sortMeta, to: sortTurn + sortEnd})
}
