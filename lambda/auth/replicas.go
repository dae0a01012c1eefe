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
	return ask(ctx, r, func(ctx context.Context, reader Reader) (Record, error) { return reader.Get(ctx, id) })
}

// Tenant implements [Reader].
func (r Replicas) Tenant(ctx context.Context, name string) (Limits, error) {
	return ask(ctx, r, func(ctx context.Context, reader Reader) (Limits, error) { return reader.Tenant(ctx, name) })
}

func ask[T any](ctx context.Context, readers []Reader, question func(context.Context, Reader) (T, error)) (T, error) {
	var none T
	errs := []error{errors.New("no replica answered")}
	for _, reader := range readers {
		answer, err := within(ctx, func(ctx context.Context) (T, error) { return question(ctx, reader) })
		if err == nil || errors.Is(err, ErrNotFound) {
			return answer, err
		}
		errs = append(errs, err)
	}
	return none, errors.Join(errs...)
}

func within[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	return f(ctx)
}
