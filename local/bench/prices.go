package bench

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed prices.json
var priceFile []byte

// prices are what AWS asks for, on a day.
type prices struct {
	AsOf         string           `json:"asOf"`
	Region       string           `json:"region"`
	Currency     string           `json:"currency"`
	Prices       map[string]price `json:"prices"`
	Alternatives []alternative    `json:"alternatives"`
}

// price is one of them, for one unit.
type price struct {
	USD    float64 `json:"usd"`
	Per    string  `json:"per"`
	Source string  `json:"source"`
	// Seen is where the number was read: "at AWS", "elsewhere" if only others
	// tell it, "nowhere" if it could not be looked up and is from memory.
	Seen string `json:"seen"`
}

// alternative is what somebody says that another system costs while idle.
type alternative struct {
	Name   string  `json:"name"`
	USD    float64 `json:"usd"` // a month
	Source string  `json:"source"`
}

func readPrices() (prices, error) {
	var p prices
	if err := json.Unmarshal(priceFile, &p); err != nil {
		return prices{}, fmt.Errorf("read prices: %w", err)
	}
	return p, nil
}

// unverified are the names of the prices that were not read at AWS.
func (p prices) unverified() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(p.Prices)) {
		if p.Prices[name].Seen != "at AWS" {
			names = append(names, fmt.Sprintf("%s (%s)", name, p.Prices[name].Seen))
		}
	}
	return names
}

// bill adds up what units cost, by what they are spent on.
type bill struct {
	prices prices
	usd    map[string]float64
	marked map[string]bool // items with a price that was not read at AWS
	err    error           // of the first price that is missing
}

func newBill(p prices) *bill {
	return &bill{prices: p, usd: map[string]float64{}, marked: map[string]bool{}}
}

// add puts units of a price on the bill for an item.
func (b *bill) add(item, name string, units float64) {
	p, ok := b.prices.Prices[name]
	if !ok && b.err == nil {
		b.err = fmt.Errorf("prices.json has no price %q", name)
	}
	b.usd[item] += units * p.USD
	b.marked[item] = b.marked[item] || p.Seen != "at AWS"
}

func (b *bill) total() float64 {
	sum := 0.0
	for _, usd := range b.usd {
		sum += usd
	}
	return sum
}

// figures are the items' shares, and the whole, or the price that is missing.
func (b *bill) figures(what string) ([]Figure, error) {
	var figures []Figure
	any := false
	for _, item := range slices.Sorted(maps.Keys(b.usd)) {
		figures = append(figures, figure(starred(what+": "+item, b.marked[item]), "$", b.usd[item]))
		any = any || b.marked[item]
	}
	return append(figures, figure(starred(what+": all", any), "$", b.total())), b.err
}

// starred shows that a figure stands on a price that was not read at AWS.
func starred(name string, unverified bool) string {
	if unverified {
		return name + " *"
	}
	return name
}

func (p prices) note() string {
	return fmt.Sprintf("money: prices of %s in %s, without free tiers and the models' own tokens. Figures with a * stand on prices "+
		"that were not read at AWS: %s. See prices.json.", p.AsOf, p.Region, strings.Join(p.unverified(), ", "))
}
