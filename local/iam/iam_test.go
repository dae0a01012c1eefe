package iam_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/require"
)

const lambdaTrust = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
	"Principal": {"Service": "lambda.amazonaws.com"}}]}`

var start = time.Date(2026, 8, 22, 12, 0, 0, 0, time.UTC)

// create makes a resource of the given token.
func create(t *testing.T, s *iam.Service, token string, inputs map[string]any) (cloud.State, error) {
	t.Helper()
	for _, r := range s.Resources() {
		if r.Token == token {
			return r.Create(t.Context(), "eu-west-1", "relay", inputs)
		}
	}
	require.Fail(t, "no such resource type", token)
	return cloud.State{}, nil
}

func createRole(t *testing.T, s *iam.Service, name string) string {
	t.Helper()
	state, err := create(t, s, "aws:iam/role:Role", map[string]any{"name": name, "assumeRolePolicy": lambdaTrust})
	require.NoError(t, err)
	return fmt.Sprint(state.Outputs["arn"])
}

func attach(t *testing.T, s *iam.Service, role, name, policy string) {
	t.Helper()
	_, err := create(t, s, "aws:iam/rolePolicy:RolePolicy", map[string]any{"role": role, "name": name, "policy": policy})
	require.NoError(t, err)
}

// requireCode fails unless err is AWS's refusal with that code and status.
func requireCode(t *testing.T, err error, code string, status int) {
	t.Helper()
	var api *cloud.APIError
	require.Truef(t, errors.As(err, &api), "got %v, want %s", err, code)
	require.Equal(t, code, api.Code, api.Message)
	require.Equal(t, status, api.HTTPStatus())
}
