package gateway

// AccountRolePolicy exposes the policy of the account's log role to tests.
var AccountRolePolicy = accountRolePolicy
