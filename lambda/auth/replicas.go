package auth

import (
	"context"
	"errors"
	"time"
)

// replicaTimeout bounds the wait for one replica. DynamoDB answers within
// milliseconds, from another continent within a few hundred; whoever has not
// answered by then is taken for down, and the next is asked while the client
// still has the patience.
const replicaTimeout = 800 * time.Millisecond

// Replicas is a [Reader] that asks the first of its readers, and each next one
// if those before it did not answer. That a reader has no such item is an answer.
type Replicas []Reader

// Get implements [Reader].
func (r Replicas) Get(ctx context.Context, id string) (Record, error) {
	errs := []error{errors.New("no replica answered")}
	for _, reader := range r {
		record, err := within(ctx, reader, id)
		if err == nil || errors.Is(err, ErrNotFound) {
			return record, err
		}
		errs = append(errs, err)
	}
	return Record{}, errors.Join(errs...)
}

func within(ctx context.Context, reader Reader, id string) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	return reader.Get(ctx, id)
}
