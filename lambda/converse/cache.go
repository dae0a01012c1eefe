package converse

import "slices"

// maxCachePoints is how many cache points a request may have.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
const maxCachePoints = 4

// KeepPrefixes returns r with cache points where later requests are likely to
// begin alike: after the tools and after the instructions, which an application
// repeats, and after the user's last two turns of a conversation, the first of
// which the request before has written. The first turn alone has none, since
// writing costs more than reading without a cache, and many ask only once.
// Prefixes that are too short for the model are not kept, at no cost.
//
// Bedrock keeps prefixes per account and for minutes. Whoever sends the whole of
// somebody else's prefix, a thousand tokens and more, learns by the usage that it
// was sent before, and nothing else.
func KeepPrefixes(r Request) Request {
	if n := len(r.Tools); n > 0 {
		r.Tools = slices.Clone(r.Tools)
		r.Tools[n-1].Cache = true
	}
	if len(r.System) > 0 {
		r.System = append(slices.Clip(r.System), Part{Cache: true})
	}
	last := len(r.Messages) - 1
	if last < 2 {
		return r
	}
	r.Messages = slices.Clone(r.Messages)
	for _, m := range []*Message{&r.Messages[last-2], &r.Messages[last]} {
		m.Parts = append(slices.Clip(m.Parts), Part{Cache: true})
	}
	return r
}
