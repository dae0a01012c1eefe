package conversation

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/contract"
)

// DynamoDB is the part of the service that a [Store] uses, in one region. A
// dynamodb.Client is one.
type DynamoDB interface {
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// DefaultCallTimeout bounds one call to one region. DynamoDB answers within
// milliseconds, from another continent within a few hundred; whoever has not
// answered in a second is taken for down. A history is read in three steps at
// most, one turn of a conversation in four, and a turn written in as many as there
// are partners, so that none waits longer than that many calls for regions that are
// down. A turn of several parts
// has longer, see [Store.Append].
const DefaultCallTimeout = time.Second

// Config configures a [Store].
type Config struct {
	// Table is the name of the content table, the same in every replica.
	// Required.
	Table string
	// Region is where the caller runs. Required.
	Region string
	// Partners are the other regions with a replica, in the order in which they
	// are tried; the first gets a copy of each turn at once. One at least.
	Partners []string
	// Clients reach the table in Region and in each of Partners. They should
	// repeat a failed call at most once: the next try belongs to another region.
	// Required.
	Clients map[string]DynamoDB
	// Retention is how long a thread lasts from its beginning. Required.
	Retention time.Duration
	// Unpaired leaves copies to replication: what a region has not replicated
	// yet is lost with it, and while any region is silent no conversation can be
	// read, since it may have what no other has.
	Unpaired bool
	// TieBreaker is the region whose copy alone will do in a stack of two, so
	// that a conversation can be continued while the other is silent. Without
	// one, or with more regions, it takes two copies.
	TieBreaker string
	// CallTimeout bounds one call to one region; 0 means [DefaultCallTimeout].
	CallTimeout time.Duration
	// Now is time.Now if nil.
	Now func() time.Time
	// Random is crypto/rand.Reader if nil.
	Random io.Reader
}

// Store keeps the turns of many tenants. It is safe for concurrent use.
type Store struct {
	Config
	regions []string // Region, then Partners
	silent  silence
	aside   func(f func()) // runs f while the request goes on
}

// New returns a Store, or an error that names every fault of cfg.
func New(cfg Config) (*Store, error) {
	var errs []error
	if cfg.Table == "" {
		errs = append(errs, errors.New("table is missing"))
	}
	regions := append([]string{cfg.Region}, cfg.Partners...)
	// A region that is named twice would count as two copies.
	if distinct := slices.Compact(slices.Sorted(slices.Values(regions))); len(cfg.Partners) == 0 || len(distinct) < len(regions) {
		errs = append(errs, fmt.Errorf("partners are %q: name other regions than %q, one at least and each once", cfg.Partners, cfg.Region))
	}
	for _, region := range regions {
		if cfg.Clients[region] == nil {
			errs = append(errs, fmt.Errorf("region %q has no client", region))
		}
	}
	if cfg.TieBreaker != "" && !slices.Contains(regions, cfg.TieBreaker) {
		errs = append(errs, fmt.Errorf("the tie breaker is %q: name one of %q", cfg.TieBreaker, regions))
	}
	if cfg.Retention < time.Second {
		errs = append(errs, fmt.Errorf("retention is %s: set a second at least", cfg.Retention))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("configure the store of conversations: %w", err)
	}
	cfg.CallTimeout = cmp.Or(cfg.CallTimeout, DefaultCallTimeout)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	return &Store{Config: cfg, regions: regions, aside: func(f func()) { go f() }}, nil
}

// checkTenant keeps a tenant from spelling another's partition.
func checkTenant(tenant string) error {
	if !contract.ValidTenant(tenant) {
		return errors.New("the tenant must be " + contract.TenantRule)
	}
	return nil
}

// NewTurn names a turn that continues parent; the zero parent begins a thread.
func (s *Store) NewTurn(parent TurnID) (TurnID, error) {
	s.wellAndSpared() // whoever is back is known to be when the turn is written
	id := TurnID{Thread: parent.Thread, Region: s.Region}
	var err error
	if parent.IsZero() {
		if id.Thread, err = newName(s.Random, s.Now(), ""); err != nil {
			return TurnID{}, err
		}
	}
	id.Turn, err = newName(s.Random, s.Now(), parent.Turn)
	return id, err
}

// NewConversationTurn names a turn that comes after all of history.
func (s *Store) NewConversationTurn(id ConversationID, history []Turn) (TurnID, error) {
	last := ""
	for _, t := range history {
		last = max(last, t.ID.Turn)
	}
	turn, err := newName(s.Random, s.Now(), last)
	return TurnID{Thread: id.Thread, Turn: turn, Region: s.Region}, err
}

// expiry is when what is written now is gone, if it continues something that is
// gone at the given time; zero for nothing.
func (s *Store) expiry(continued time.Time) time.Time {
	at := s.Now().UTC().Add(s.Retention).Truncate(time.Second)
	if !continued.IsZero() && continued.Before(at) {
		return continued
	}
	return at
}
