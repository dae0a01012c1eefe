package bedrock

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
)

// Limits of cache points.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
const (
	maxCachePoints = 4
	cacheTTL       = 5 * time.Minute
	// maxCached bounds what the stand-in remembers: beyond, it forgets all.
	maxCached = 4096
)

// prefix names what stands before a cache point, for one source region and model.
type prefix [sha256.Size]byte

func (c cachePoint) validate(at string) error {
	switch {
	case c.Type != "default":
		return outOfBounds(at+".cachePoint.type", c.Type, "default")
	case c.TTL != "" && c.TTL != "5m":
		return unsupported(at + ".cachePoint.ttl " + c.TTL)
	default:
		return nil
	}
}

// validateCache checks how many cache points there are, and where.
func (r converseRequest) validateCache(m model) error {
	inTools, inText, first := 0, 0, false
	if r.ToolConfig != nil {
		for i, t := range r.ToolConfig.Tools {
			if t.Cache != nil {
				inTools++
				first = first || i == 0
			}
		}
	}
	for _, blocks := range r.texts() {
		for i, b := range blocks {
			if b.cache != nil {
				inText++
				first = first || i == 0
			}
		}
	}
	switch {
	case inTools > 0 && !m.can("cache-tools"), inText > 0 && !m.can("cache"):
		return invalid("You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.")
	case first:
		return invalid("A cachePoint must come after the content that it caches.")
	case inTools+inText > maxCachePoints:
		return invalid("The model returned the following errors: A maximum of %d blocks with cache_control may be provided. Found %d.", maxCachePoints, inTools+inText)
	default:
		return nil
	}
}

// texts are the instructions and the contents of all messages.
func (r converseRequest) texts() [][]block {
	all := [][]block{r.System}
	for _, msg := range r.Messages {
		all = append(all, msg.Content)
	}
	return all
}

// cached divides the input of r into what the cache held, what it holds now and
// the rest. A prefix counts from the model's minimum on, and for five minutes
// after it was used last.
func (s *Service) cached(t target, r converseRequest, now time.Time) usage {
	var u usage
	prefixes, sizes := r.prefixes(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.prefixes) > maxCached {
		clear(s.prefixes)
	}
	for i, p := range prefixes {
		if sizes[i] < t.model.cacheMin {
			continue
		}
		if used, known := s.prefixes[p]; known && now.Sub(used) <= cacheTTL {
			u.CacheRead, u.CacheWrite = sizes[i], 0
		} else {
			u.CacheWrite = sizes[i] - u.CacheRead
		}
		s.prefixes[p] = now
	}
	u.InputTokens = r.inputTokens() - u.CacheRead - u.CacheWrite
	return u
}

// prefixes are what stands before each cache point, and their sizes in tokens.
func (r converseRequest) prefixes(t target) (names []prefix, sizes []int) {
	hash, size := sha256.New(), 0
	fmt.Fprintln(hash, t.source, t.model.id)
	point := func() {
		names, sizes = append(names, prefix(hash.Sum(nil))), append(sizes, size)
	}
	if r.ToolConfig != nil {
		for _, tool := range r.ToolConfig.Tools {
			if tool.Cache != nil {
				point()
				continue
			}
			fmt.Fprintf(hash, "tool %s", canonical(tool.Spec))
			size += tool.Spec.tokens()
		}
	}
	for i, blocks := range r.texts() {
		fmt.Fprintln(hash, "message", min(i, 1))
		for _, b := range blocks {
			if b.cache != nil {
				point()
				continue
			}
			text := b.canonical()
			fmt.Fprintf(hash, "%s %d %s", b.kind, len(text), text)
			size += b.tokens()
		}
	}
	return names, sizes
}

// canonical is what tells a block from others of its kind.
func (b block) canonical() string {
	switch b.kind {
	case "image":
		return canonical(b.image)
	case "document":
		return canonical(b.document)
	case "toolUse":
		return canonical(b.toolUse)
	case "toolResult":
		text := b.toolResult.ID + b.toolResult.Status
		for _, c := range b.toolResult.Content {
			text += c.kind + c.canonical()
		}
		return text
	case "reasoningContent":
		return canonical(b.reasoning)
	default:
		return b.text
	}
}

// canonical is JSON, which none of the types that it is used for lacks.
func canonical(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
