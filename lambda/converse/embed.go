package converse

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/parallel"
)

// Embed asks for the vectors of texts.
type Embed struct {
	// Texts are one at least, none of them empty.
	Texts []string
	// Dimensions of the vectors, one of [Embedder.Dimensions]; 0 leaves it to
	// the model.
	Dimensions int
	// Purpose is what the vectors are for, one of [Embedder.Purposes]; "" is the
	// first.
	Purpose string
}

// Embedder is what a model that makes embeddings can do.
type Embedder struct {
	// Dimensions that its vectors may have, the default first.
	Dimensions []int
	// Purposes that it tells apart, the default first; empty for none.
	Purposes []string
	// MaxCharacters of one text; 0 for no such limit.
	MaxCharacters int

	fixed bool // the dimensions cannot be asked for
	batch int  // texts of one call
	wire  wire
}

// embedders has an entry for each of [contract.EmbeddingModels].
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
// and https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
var embedders = map[string]Embedder{
	"amazon.titan-embed-text-v1":   {Dimensions: []int{1536}, MaxCharacters: 50_000, fixed: true, batch: 1, wire: titan{}},
	"amazon.titan-embed-text-v2:0": {Dimensions: []int{1024, 512, 256}, MaxCharacters: 50_000, batch: 1, wire: titan{}},
	"cohere.embed-english-v3":      cohereV3,
	"cohere.embed-multilingual-v3": cohereV3,
	"cohere.embed-v4:0":            {Dimensions: []int{1536, 1024, 512, 256}, Purposes: coherePurposes, batch: 96, wire: cohere{}},
}

var (
	coherePurposes = []string{"search_document", "search_query", "classification", "clustering"}
	cohereV3       = Embedder{Dimensions: []int{1024}, Purposes: coherePurposes, MaxCharacters: 2048, fixed: true, batch: 96, wire: cohere{}}
)

// FindEmbedder returns what the foundation model with the given ID can do, and
// whether it makes embeddings at all.
func FindEmbedder(model string) (Embedder, bool) {
	e, ok := embedders[model]
	return e, ok
}

// maxCalls is how many calls of one request are under way at once.
const maxCalls = 8

// vectors is what one call returns, or panics with, which is for whoever reads
// the stream to handle.
type vectors struct {
	all      [][]float32
	tokens   int
	err      *Error
	panicked *parallel.Panic
}

func guarded(call func() vectors) (v vectors) {
	v.panicked = parallel.Catch(func() { v = call() })
	return v
}

// embedding is the answer to an [Embed]: as many calls as its texts need, whose
// vectors come in the texts' order.
type embedding struct {
	ctx    context.Context // of the calls
	cancel context.CancelFunc
	region string
	calls  sync.WaitGroup
	came   []chan vectors // one for each call, of room for what it returns
	read   int            // how many of them were taken
	ready  [][]float32    // of the last one taken
	tokens int
	done   bool
}

// embed begins to ask target for vectors. The caller closes the stream, which
// ends all calls.
func embed(ctx context.Context, client *bedrockruntime.Client, target contract.Target, model string, e Embed) (Stream, error) {
	embedder, ok := FindEmbedder(model)
	if !ok {
		return nil, &Error{Class: Invalid, Region: target.Region, Message: "The model makes no embeddings."}
	}
	s := &embedding{region: target.Region}
	s.ctx, s.cancel = context.WithCancel(ctx)
	batches := slices.Collect(slices.Chunk(e.Texts, embedder.batch))
	for range batches {
		s.came = append(s.came, make(chan vectors, 1))
	}
	var next atomic.Int64
	for range min(maxCalls, len(batches)) {
		s.calls.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(batches)) && s.ctx.Err() == nil; i = next.Add(1) - 1 {
				one := e
				one.Texts = batches[i]
				s.came[i] <- guarded(func() vectors { return embedder.call(s.ctx, client, target, one) })
			}
		})
	}
	return s, nil
}

// Next implements [Stream].
func (s *embedding) Next() (Event, error) {
	for len(s.ready) == 0 {
		if s.done {
			return Event{}, io.EOF
		}
		if s.read == len(s.came) {
			s.done = true
			return Event{End: &End{Reason: StopEnd, Usage: Usage{Input: s.tokens}}}, nil
		}
		select {
		case v := <-s.came[s.read]:
			v.panicked.Throw() // in the goroutine that can handle it
			if v.err != nil {
				return Event{}, v.err
			}
			s.read, s.ready, s.tokens = s.read+1, v.all, s.tokens+v.tokens
		case <-s.ctx.Done():
			return Event{}, newError(s.region, s.ctx.Err())
		}
	}
	vector := s.ready[0]
	s.ready = s.ready[1:]
	return Event{Vector: vector}, nil
}

// Close implements [Stream]. It waits for the calls, which end at once.
func (s *embedding) Close() error {
	s.cancel()
	s.calls.Wait()
	return nil
}
