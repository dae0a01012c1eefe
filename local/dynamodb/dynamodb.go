// Package dynamodb stands in for Amazon DynamoDB in every region of the embedded
// cloud: global tables of the eventually consistent kind, and GetItem, PutItem,
// UpdateItem, DeleteItem, Query and Scan on them. It refuses what DynamoDB would
// refuse, and every operation, parameter and kind of expression beyond those that
// this program uses; it never ignores one. A read sees every write made in its
// region. Items past their TTL stay readable: DynamoDB takes days to delete them,
// and readers must not rely on it.
//
// A region's service can be made to fail, and a link between two regions to be
// cut: see [Service.SetFault] and [Service.Cut].
package dynamodb

import (
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/kms"
)

// ReplicationLag is how long a write takes to reach the other replicas, by the
// cloud's clock.
const ReplicationLag = 300 * time.Millisecond

// Service is DynamoDB in all regions. It is safe for concurrent use.
type Service struct {
	world cloud.World
	iam   cloud.Authorizer
	kms   Keys

	mu       sync.Mutex
	tables   map[place]*table // one entry for each replica
	faults   map[string]Fault // by region
	cut      map[link]bool
	requests uint64 // received so far, for their ids
}

// place is where a table can be called.
type place struct{ region, name string }

// Keys decides who may use a customer's key.
type Keys interface {
	// UseFor returns nil if the caller may do what DynamoDB asks on its behalf.
	UseFor(c cloud.Caller, u kms.Use) error
}

// New returns a service without tables.
func New(world cloud.World, iam cloud.Authorizer, keys Keys) *Service {
	return &Service{
		world: world, iam: iam, kms: keys, tables: map[place]*table{}, faults: map[string]Fault{}, cut: map[link]bool{},
	}
}

// Resources are the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:dynamodb/table:Table", s.createTable, s.updateTable, s.deleteTable),
		cloud.DefineResource("aws:dynamodb/tableReplica:TableReplica", s.createReplica, s.updateReplica, s.deleteReplica),
	}
}

// SigningName is "dynamodb".
func (s *Service) SigningName() string { return "dynamodb" }

// Close drops all tables and what was still on its way between their replicas.
// It never fails.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tables)
	return nil
}

func invalid(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("ValidationException", format, args...)
}

func tableARN(region, name string) string { return cloud.ARN("dynamodb", region, "table/"+name) }
