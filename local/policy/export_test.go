package policy

import "github.com/crossregion/crossregion/stacks"

// Known reports whether the table knows a type of resource or a function.
func Known(token string) bool { _, known := table[token]; return known }

// Changes reports whether an action does more than read.
var Changes = changes

// DocumentsFor are the policies for one type of resource.
func DocumentsFor(token string) (map[string]Document, error) {
	return generator{Options{Stack: "test", Account: "123456789012"}, stacks.Settings{}}.documents([]place{{token, "eu-west-1"}})
}

// Split is what divides documents that are too long.
var Split = split

// ControlOf is the service control policy of a jurisdiction.
var ControlOf = control
