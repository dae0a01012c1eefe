package auth_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const methodARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/live/POST/v1/chat/completions"

func authorizer(reader auth.Reader, log *bytes.Buffer) *auth.Authorizer {
	return &auth.Authorizer{
		Verifier: auth.Keys{Reader: reader, Now: func() time.Time { return now }}, Log: slog.New(slog.NewJSONHandler(log, nil)),
	}
}

func asks(token string) events.APIGatewayCustomAuthorizerRequest {
	return events.APIGatewayCustomAuthorizerRequest{Type: "TOKEN", AuthorizationToken: token, MethodArn: methodARN}
}

func TestKeyOpensTheWholeStage(t *testing.T) {
	db, key := minted(t)
	a := authorizer(auth.NewTable(db, "control"), &bytes.Buffer{})
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		resp, err := a.Handle(t.Context(), asks(scheme+key))
		require.NoError(t, err)
		b, err := json.Marshal(resp)
		require.NoError(t, err)
		assert.JSONEq(t, `{"principalId":"acme",
			"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"Allow",
				"Resource":["arn:aws:execute-api:eu-west-1:123456789012:abc123/live/*"]}]},
			"context":{"tenant":"acme","keyId":"`+key[3:19]+`"}}`, string(b))
	}
}

func TestEverythingElseIsUnauthorized(t *testing.T) {
	db, key := minted(t)
	revoked, revokedKey := minted(t)
	require.NoError(t, auth.Revoke(t.Context(), auth.NewTable(revoked, "control"), revokedKey[3:19]))
	for name, try := range map[string]struct {
		db    *table
		token string
	}{
		"no token": {db, ""}, "no scheme": {db, key}, "another scheme": {db, "Basic " + key}, "a scheme alone": {db, "Bearer"},
		"malformed": {db, "Bearer cr_x"}, "unknown": {newTable(), "Bearer " + key}, "revoked": {revoked, "Bearer " + revokedKey},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := authorizer(auth.NewTable(try.db, "control"), &bytes.Buffer{}).Handle(t.Context(), asks(try.token))
			assert.EqualError(t, err, "Unauthorized")
			assert.Zero(t, resp)
		})
	}
}

func TestStoreThatDoesNotAnswerGivesNoAccess(t *testing.T) {
	db, key := minted(t)
	db.fault = refused
	resp, err := authorizer(auth.NewTable(db, "control"), &bytes.Buffer{}).Handle(t.Context(), asks("Bearer "+key))
	assert.Error(t, err)
	assert.NotEqual(t, "Unauthorized", err.Error(), "a client would throw its key away")
	assert.Zero(t, resp)
}

func TestContextSaysWhatTheCallerMay(t *testing.T) {
	db, store := newTable(), (*auth.Table)(nil)
	store = auth.NewTable(db, "control")
	expires := now.Add(time.Hour)
	key, err := auth.Mint(t.Context(), store, random(), auth.Grant{Tenant: "acme", Models: []string{"claude"}, Expires: expires})
	require.NoError(t, err)
	resp, err := authorizer(store, &bytes.Buffer{}).Handle(t.Context(), asks("Bearer "+key))
	require.NoError(t, err)
	caller, err := contract.ReadCaller(resp.Context)
	require.NoError(t, err)
	assert.Equal(t, contract.Caller{Tenant: "acme", KeyID: key[3:19], Models: []string{"claude"}, Expires: expires}, caller)
	assert.Equal(t, 1, db.reads(), "one call to the table tells all of it")
}

func TestMethodThatIsNoMethod(t *testing.T) {
	db, key := minted(t)
	for _, arn := range []string{"", "abc123/live/GET/", "arn:aws:execute-api:eu-west-1:1:abc/live", "arn:aws:execute-api:*/live/GET", "arn:x/*/GET", "arn:x//GET"} {
		ev := asks("Bearer " + key)
		ev.MethodArn = arn
		resp, err := authorizer(auth.NewTable(db, "control"), &bytes.Buffer{}).Handle(t.Context(), ev)
		assert.ErrorContains(t, err, "no ARN of a method", arn)
		assert.Zero(t, resp)
	}
}

func TestNoCredentialIsLoggedOrReported(t *testing.T) {
	db, key := minted(t)
	down, _ := minted(t)
	down.fault = refused
	broken, _ := minted(t)
	broken.set(contract.AttrExpires, &types.AttributeValueMemberS{Value: "x"})
	for name, tbl := range map[string]*table{"allowed": db, "refused": newTable(), "down": down, "broken": broken} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			_, err := authorizer(auth.NewTable(tbl, "control"), &log).Handle(t.Context(), asks("Bearer "+key))
			told := log.String()
			if err != nil {
				told += err.Error()
			}
			assert.Equal(t, 1, strings.Count(log.String(), "\n"))
			for _, it := range db.items {
				assert.NotContains(t, told, textOf(it, contract.AttrKeyHash))
			}
			for _, secret := range []string{key, key[3:19], key[20:], "acme"} {
				assert.NotContains(t, told, secret)
			}
		})
	}
}
