package contract

// Key attributes of both global tables. All are strings.
const (
	PartitionKey = "pk"
	SortKey      = "sk"
)

// AttrExpires is the TTL attribute of both tables: seconds since the epoch.
// Readers ignore what has expired, since DynamoDB deletes it days later.
const AttrExpires = "expiresAt"

// An API key is one item of the control table, under [KeyPartition] and
// [KeySort]. The secret itself is stored nowhere.
const (
	AttrKeyHash    = "hash"    // lower-case hex of SHA-256 of the secret
	AttrKeyTenant  = "tenant"  // tenant that the key speaks for
	AttrKeyRevoked = "revoked" // present and true once revoked
)

// KeyPattern is the shape of an API key, id and secret, as a regular
// expression that both Go and API Gateway understand.
const KeyPattern = `cr_[a-z2-7]{16}\.[A-Za-z0-9_-]{43}`

// KeySort is the sort key of an API key's item.
const KeySort = "key"

// KeyPartition is the partition key of the API key with the given id.
func KeyPartition(id string) string { return "key#" + id }

// A region is drained while the control table has an item under
// [DrainPartition] and [DrainSort]. That the item exists is all that it says,
// and it does not expire: a region comes back when somebody deletes it.

// DrainSort is the sort key of a drained region's item.
const DrainSort = "drain"

// DrainPartition is the partition key of a drained region's item.
func DrainPartition(region string) string { return "drain#" + region }
