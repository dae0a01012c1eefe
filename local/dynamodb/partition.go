package dynamodb

import "slices"

// partition is what a replica knows of one partition key, in the order of the
// sort keys. A nil partition has nothing.
type partition struct {
	entries []entry
}

type entry struct {
	sort value
	record
}

func (p *partition) find(sort value) (at int, found bool) {
	return slices.BinarySearchFunc(p.entries, sort, func(e entry, sort value) int { return e.sort.compare(sort) })
}

// merge keeps the later of what p has and rec.
func (p *partition) merge(sort value, rec record) {
	at, found := p.find(sort)
	switch {
	case !found:
		p.entries = slices.Insert(p.entries, at, entry{sort, rec})
	case p.entries[at].stamp.compare(rec.stamp) <= 0:
		p.entries[at].record = rec
	}
}

// get returns the item with a sort key, nil if there is none.
func (p *partition) get(sort value) item {
	if p == nil {
		return nil
	}
	at, found := p.find(sort)
	if !found {
		return nil
	}
	return p.entries[at].item
}

func (p *partition) clone() *partition { return &partition{entries: slices.Clone(p.entries)} }

// within returns the items of a range. Side tells of a sort key on which side of
// the range it is: less than 0 before it, more behind it, 0 in it.
func (p *partition) within(side func(sort value) int) []item {
	if p == nil {
		return nil
	}
	past := func(limit int) int {
		at, _ := slices.BinarySearchFunc(p.entries, limit, func(e entry, limit int) int {
			if side(e.sort) < limit {
				return -1
			}
			return 1
		})
		return at
	}
	var items []item
	for _, e := range p.entries[past(0):past(1)] {
		if e.item != nil {
			items = append(items, e.item)
		}
	}
	return items
}

// everywhere is the range of all sort keys.
func everywhere(value) int { return 0 }
