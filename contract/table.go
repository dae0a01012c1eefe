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
// [KeySort], that is never changed. The secret itself is stored nowhere.
const (
	AttrKeyHash   = "hash"   // lower-case hex of SHA-256 of the secret
	AttrKeyTenant = "tenant" // tenant that the key speaks for
	AttrKeyModels = "models" // set of the models that it opens; missing for all
)

// KeyPattern is the shape of an API key, id and secret, as a regular
// expression that both Go and API Gateway understand.
const KeyPattern = `cr_[a-z2-7]{16}\.[A-Za-z0-9_-]{43}`

// KeySort is the sort key of an API key's item.
const KeySort = "key"

// RevokedSort is the sort key beside [KeySort] under which an item says that the
// key is revoked. That the item exists is all that it says: whatever else is
// written about the key, in whichever region, leaves it revoked.
const RevokedSort = "revoked"

// KeyPrefix begins the partition of every API key.
const KeyPrefix = "key#"

// KeyPartition is the partition key of the API key with the given id.
func KeyPartition(id string) string { return KeyPrefix + id }

// A region is drained while the control table has an item under
// [DrainPartition] and [DrainSort]. That the item exists is all that it says,
// and it does not expire: a region comes back when somebody deletes it.

// DrainSort is the sort key of a drained region's item.
const DrainSort = "drain"

// DrainPartition is the partition key of a drained region's item.
func DrainPartition(region string) string { return "drain#" + region }

// A tenant's limits are one item of the control table, under [TenantPartition]
// and [TenantSort]. A tenant without an item has none.
const (
	AttrTokensPerMinute = "tokensPerMinute" // missing for no limit
	AttrTokensPerDay    = "tokensPerDay"    // missing for no limit
	AttrShares          = "shares"          // percent by region; missing for equal ones
)

// TenantSort is the sort key of a tenant's item.
const TenantSort = "tenant"

// TenantPrefix begins the partition of every tenant.
const TenantPrefix = "tenant#"

// TenantPartition is the partition key of the tenant's item.
func TenantPartition(tenant string) string { return TenantPrefix + tenant }

// What a tenant used is counted under [UsagePartition], in items that only the
// region at the beginning of their sort key writes: one per window of a budget,
// which DynamoDB deletes soon after, and one per day and model, the record.
const (
	AttrTokens       = "tokens"       // counted against a window of a budget
	AttrRequests     = "requests"     // number of them in a record
	AttrInputTokens  = "inputTokens"  // in a record; cached ones are among them
	AttrCachedTokens = "cachedTokens" // in a record
	AttrOutputTokens = "outputTokens" // in a record
)

// UsagePartition is the partition key of what the tenant used.
func UsagePartition(tenant string) string { return "usage#" + tenant }

// MinuteSort is the sort key of a minute's window in a region, given as
// 2006-01-02T15:04 in UTC.
func MinuteSort(region, minute string) string { return region + "#minute#" + minute }

// DaySort is the sort key of a day's window in a region, given as 2006-01-02 in
// UTC.
func DaySort(region, day string) string { return region + "#day#" + day }

// RecordSort is the sort key of the record of a day and a model in a region.
func RecordSort(region, day, model string) string { return region + "#usage#" + day + "#" + model }
