package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// words are Pulumi's for what happens to a resource, the worst first.
var words = []struct {
	op         operation
	sign, word string
}{
	{remove, "-", "delete"},
	{replace, "+-", "replace"},
	{update, "~", "update"},
	{create, "+", "create"},
}

// few is how many names of resources that come are told. What is changed or
// goes is told by name each.
const few = 3

// difference tells what changes do to resources, a line for each kind of it,
// by names alone: values may be secret. A component is nothing but what it
// consists of.
func difference(changes []change) []string {
	var lines []string
	for _, w := range words {
		names := map[string][]string{}
		for _, c := range changes {
			if c.op == w.op && !c.component {
				names[c.kind()] = append(names[c.kind()], name(c.urn))
			}
		}
		for _, kind := range slices.Sorted(maps.Keys(names)) {
			of, why, _ := strings.Cut(kind, " ") // a type holds no space
			lines = append(lines, strings.TrimRight(fmt.Sprintf("%2s %-7s %s %s %s", w.sign, w.word, of, shorten(w.op, names[kind]), why), " "))
		}
	}
	return lines
}

// kind is the type of a resource as Pulumi prints it, and which of its
// properties differ.
func (c change) kind() string {
	kind := shortType(typeOf(c.urn))
	if len(c.differs) > 0 {
		kind += " [diff: " + strings.Join(c.differs, ", ") + "]"
	}
	if len(c.replaces) > 0 {
		kind += " [replaced for: " + strings.Join(c.replaces, ", ") + "]"
	}
	return kind
}

// shortType leaves out a module's file: aws:kms:Key is aws:kms/key:Key.
func shortType(t string) string {
	parts := strings.Split(t, ":")
	if len(parts) == 3 {
		parts[1], _, _ = strings.Cut(parts[1], "/")
	}
	return strings.Join(parts, ":")
}

func shorten(op operation, names []string) string {
	slices.Sort(names)
	if op == create && len(names) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}

// count tells how many resources changes are about.
func count(changes []change) string {
	var counts []string
	for _, w := range words {
		n := 0
		for _, c := range changes {
			if c.op == w.op && !c.component {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, fmt.Sprintf("%d to %s", n, w.word))
		}
	}
	if len(counts) == 0 {
		return "components alone"
	}
	return strings.Join(counts, ", ")
}

// precious are types of resources that hold data, or what data cannot be read
// without.
var precious = []string{
	"aws:cloudwatch/logGroup:LogGroup", "aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica", "aws:kms/key:Key",
}

// losing are the changes by which data goes.
func losing(changes []change) []change {
	return slices.DeleteFunc(slices.Clone(changes), func(c change) bool {
		return c.op != remove && c.op != replace || !slices.Contains(precious, typeOf(c.urn))
	})
}

// checkData refuses that data goes unless that was asked for.
func checkData(changes []change, allowed bool) error {
	lost := losing(changes)
	if allowed || len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("data would be lost, and nothing was changed:\n%s\nif that is meant, give --allow-data-loss; if not, find out what the commit changed of them",
		strings.Join(difference(lost), "\n"))
}
