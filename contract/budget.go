package contract

// Budget bounds the tokens that a tenant uses in one region, in and out. The
// zero Budget bounds nothing.
type Budget struct {
	// TokensPerMinute is the most in a minute by the clock; 0 means no limit,
	// and [NoTokens] that the region has no share.
	TokensPerMinute int64
	// TokensPerDay is the most in a day of UTC, in the same way.
	TokensPerDay int64
}

// NoTokens is the share of a region that has none.
const NoTokens = -1
