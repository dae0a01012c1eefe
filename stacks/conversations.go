package stacks

import "cmp"

// Conversations says where the tables live.
type Conversations struct {
	// Home is the region that owns the global tables. Required; to change it
	// would replace them.
	Home string `json:"home"`
	// RecoveryPeriodInDays is how far back a table can be restored, 1 to 35.
	// Default: 35.
	RecoveryPeriodInDays int `json:"recoveryPeriodInDays"`
	// RetentionDays is how long a conversation lasts from its beginning, 1 to
	// 3650. Default: 30.
	RetentionDays int `json:"retentionDays"`
	// PairWriting writes each turn to a partner's replica too before its end is
	// told. Without it, a region takes with it what it has not yet replicated.
	// Default: true.
	PairWriting *bool `json:"pairWriting"`
	// TieBreaker is the region that goes on with conversations alone while the
	// other one is silent, in a stack of two; the other does not. Default: Home.
	TieBreaker string `json:"tieBreaker"`
}

func (c Conversations) retentionDays() int { return cmp.Or(c.RetentionDays, 30) }

func (c Conversations) tieBreaker() string { return cmp.Or(c.TieBreaker, c.Home) }

func (c Conversations) pairWriting() bool { return c.PairWriting == nil || *c.PairWriting }
