package dynamodb

import (
	"encoding/base64"
)

// Limits of an item.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxItemBytes         = 400 << 10
	maxPartitionKeyBytes = 2048
	maxSortKeyBytes      = 1024
)

// attributes are the key attributes of t.
func (t *table) attributes() []attribute {
	if t.sort == nil {
		return []attribute{t.hash}
	}
	return []attribute{t.hash, *t.sort}
}

// keyOf validates the key attributes of an item and returns its key.
func (t *table) keyOf(i item) (key, error) {
	hash, err := keyValue(i, t.hash, maxPartitionKeyBytes)
	k := key{partition: hash.text}
	if err != nil || t.sort == nil {
		return k, err
	}
	k.sort, err = keyValue(i, *t.sort, maxSortKeyBytes)
	return k, err
}

// onlyKey is [table.keyOf] for an item that may hold nothing else.
func (t *table) onlyKey(i item) (key, error) {
	if len(i) != len(t.attributes()) {
		return key{}, invalid("The provided key element does not match the schema")
	}
	for _, a := range t.attributes() {
		if i[a.name].kind != a.kind {
			return key{}, invalid("The provided key element does not match the schema")
		}
	}
	return t.keyOf(i)
}

func keyValue(i item, a attribute, maxBytes int) (value, error) {
	v, ok := i[a.name]
	switch {
	case !ok:
		return value{}, invalid("One or more parameter values were invalid: Missing the key %s in the item", a.name)
	case v.kind != a.kind:
		return value{}, invalid("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", a.name, a.kind, v.kind)
	case v.text == "":
		return value{}, invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "+
			"an empty string or binary value. Key: %s", a.name)
	case len(v.text) > maxBytes:
		return value{}, invalid("One or more parameter values were invalid: Size of key %s has exceeded the maximum size limit of %d bytes", a.name, maxBytes)
	}
	return v, nil
}

// keyItem is the part of i that is its key.
func (t *table) keyItem(i item) item {
	k := item{}
	for _, a := range t.attributes() {
		k[a.name] = i[a.name]
	}
	return k
}

// leadingKey is the partition key as the condition key dynamodb:LeadingKeys has
// it, and whether there is one.
func leadingKey(i item, a attribute) (string, bool) {
	v, ok := i[a.name]
	if v.kind == "B" {
		return base64.StdEncoding.EncodeToString([]byte(v.text)), ok
	}
	return v.text, ok
}
