package stacks

import (
	"cmp"
	"fmt"
)

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

// checkCopies warns of settings with which the loss of one region stops
// conversations or costs turns.
func (s *stack) checkCopies() error {
	c := s.settings.Conversations
	switch {
	case !c.pairWriting():
		s.warnings = append(s.warnings, "conversations.pairWriting is off: a region that is lost takes with it the turns that it has not replicated yet, "+
			"and while any region's tables do not answer no conversation is read or continued; leave it on to keep each turn in two regions")
	case len(s.settings.Regions) == 2:
		s.warnings = append(s.warnings, fmt.Sprintf("conversations stop while the tables of %s do not answer, since of two regions only "+
			"conversations.tieBreaker goes on alone; with a third region any one may be lost", c.tieBreaker()))
	}
	return nil
}
