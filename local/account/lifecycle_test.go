package account_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

const (
	home, far = "eu-central-1", "eu-west-1"

	tableToken   = "aws:dynamodb/table:Table"
	replicaToken = "aws:dynamodb/tableReplica:TableReplica"
	roleToken    = "aws:iam/role:Role"
	policyToken  = "aws:iam/rolePolicy:RolePolicy"
	recordToken  = "aws:route53/record:Record"
	checkToken   = "aws:route53/healthCheck:HealthCheck"
)

type fixture struct {
	*account.Account
	t *testing.T
}

func open(t *testing.T) fixture {
	t.Helper()
	a, err := account.Open(account.Config{Port: "0", Viewer: home, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return fixture{a, t}
}

func (f fixture) make(token, region, name string, inputs object) cloud.State {
	f.t.Helper()
	state, err := f.Create(f.t.Context(), token, region, name, inputs)
	require.NoError(f.t, err)
	return state
}

func (f fixture) refuses(token, region, id, why string) {
	f.t.Helper()
	assert.ErrorContains(f.t, f.Delete(f.t.Context(), token, region, id), why)
}

func (f fixture) removes(token, region, id string) {
	f.t.Helper()
	assert.NoError(f.t, f.Delete(f.t.Context(), token, region, id))
	_, exists, err := f.Read(token, region, id)
	require.NoError(f.t, err)
	assert.False(f.t, exists)
}

func table(protected bool) object {
	return object{
		"hashKey": "pk", "billingMode": "PAY_PER_REQUEST", "attributes": []any{object{"name": "pk", "type": "S"}},
		"streamEnabled": true, "streamViewType": "NEW_AND_OLD_IMAGES", "deletionProtectionEnabled": protected,
	}
}

// TestATableOutlivesItsReplicasByADay: what guards a table goes one by one.
func TestATableOutlivesItsReplicasByADay(t *testing.T) {
	f := open(t)
	made := f.make(tableToken, home, "t", table(true))
	replica := object{"globalTableArn": made.Outputs["arn"], "deletionProtectionEnabled": true}
	id := f.make(replicaToken, far, "r", replica).ID

	f.refuses(tableToken, home, made.ID, "protected against deletion")
	_, err := f.Update(t.Context(), tableToken, home, made.ID, table(false))
	require.NoError(t, err)
	f.refuses(tableToken, home, made.ID, "has replicas in other regions")
	f.refuses(replicaToken, far, id, "protected against deletion")
	_, err = f.Update(t.Context(), replicaToken, far, id, object{"globalTableArn": made.Outputs["arn"]})
	require.NoError(t, err)
	f.removes(replicaToken, far, id)
	f.refuses(tableToken, home, made.ID, "in the last 24 hours")
	f.Skip(24 * time.Hour)
	f.removes(tableToken, home, made.ID)
	assert.NotEqual(t, made.ID, f.make(tableToken, home, "t", table(false)).ID, "a successor has a name of its own")
}

const (
	trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"arn:aws:dynamodb:eu-west-1:123456789012:table/t"}]}`
)

func TestARoleOutlivesItsPolicies(t *testing.T) {
	f := open(t)
	role := f.make(roleToken, home, "r", object{"assumeRolePolicy": trust})
	id := f.make(policyToken, home, "p", object{"role": role.ID, "policy": policy}).ID
	f.refuses(roleToken, home, role.ID, "DeleteConflict")
	f.removes(policyToken, home, id)
	f.removes(roleToken, home, role.ID)
}

// TestWhatIsPointedAtStays: records and health checks that others name.
func TestWhatIsPointedAtStays(t *testing.T) {
	f := open(t)
	zone := f.Route53.CreateZone("example.com")
	check := f.make(checkToken, home, "c", object{"type": "HTTPS", "fqdn": "a.example.com"})
	to := f.make(recordToken, home, "to", object{
		"zoneId": zone, "name": "a.example.com", "type": "A", "ttl": 60.0, "records": []any{"192.0.2.1"}, "healthCheckId": check.ID,
		"setIdentifier": "one", "failoverRoutingPolicies": []any{object{"type": "PRIMARY"}},
	})
	alias := f.make(recordToken, home, "from", object{
		"zoneId": zone, "name": "b.example.com", "type": "A",
		"aliases": []any{object{"name": "a.example.com", "zoneId": zone, "evaluateTargetHealth": true}},
	})
	f.refuses(checkToken, home, check.ID, "is in use by")
	f.refuses(recordToken, home, to.ID, "b.example.com. is an alias of it")
	f.removes(recordToken, home, alias.ID)
	f.removes(recordToken, home, to.ID)
	f.removes(checkToken, home, check.ID)
}

// TestACheckKeepsItsPlaces once they are named: others may be named, but not none.
func TestACheckKeepsItsPlaces(t *testing.T) {
	f := open(t)
	places := func(names ...any) object { return object{"type": "HTTPS", "fqdn": "a.example.com", "regions": names} }
	check := f.make(checkToken, home, "c", object{"type": "HTTPS", "fqdn": "a.example.com"})
	for _, inputs := range []object{places("us-east-1", "eu-west-1", "sa-east-1"), places("us-west-1", "us-west-2", "sa-east-1")} {
		_, err := f.Update(t.Context(), checkToken, home, check.ID, inputs)
		require.NoError(t, err)
	}
	_, err := f.Update(t.Context(), checkToken, home, check.ID, object{"type": "HTTPS", "fqdn": "a.example.com"})
	assert.ErrorContains(t, err, "cannot go back to none")
}

// TestNothingChangesWithoutAControlPlane: neither changes nor reads of them.
func TestNothingChangesWithoutAControlPlane(t *testing.T) {
	f := open(t)
	role := f.make(roleToken, home, "r", object{"assumeRolePolicy": trust})
	f.Faults.BreakControls()
	f.refuses(roleToken, home, role.ID, "control plane is down")
	_, err := f.Update(t.Context(), roleToken, home, role.ID, object{"assumeRolePolicy": trust})
	assert.ErrorContains(t, err, "control plane is down")
	_, _, err = f.Read(roleToken, home, role.ID)
	assert.ErrorContains(t, err, "control plane is down")
}

// TestAnIsolatedRegionAnswersItsOwn: a health checker within reaches its public
// address, and one elsewhere or a client does not.
func TestAnIsolatedRegionAnswersItsOwn(t *testing.T) {
	f := open(t)
	require.NoError(t, f.OpenRegion(far))
	ip, err := cloud.RegionIP(far)
	require.NoError(t, err)
	f.Faults.Isolate(far)
	reaches := func(dial func(ctx context.Context, network, address string) (net.Conn, error)) bool {
		client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
		res, err := client.Get("http://" + net.JoinHostPort(ip, "443"))
		return err == nil && res.Body.Close() == nil
	}
	from := func(region string) func(ctx context.Context, network, address string) (net.Conn, error) {
		return func(ctx context.Context, _, address string) (net.Conn, error) {
			return f.DialFrom(ctx, region, address)
		}
	}
	assert.True(t, reaches(from(far)))
	assert.False(t, reaches(from(home)))
	assert.False(t, reaches(f.DialContext))
}
