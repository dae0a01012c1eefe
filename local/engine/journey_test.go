package engine_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/require"
)

// journey is the life of one stack file under updates: one region joins, and
// another leaves.
type journey struct {
	stack         string
	home, partner string // which stay
	leaving       string
	joining       string
	geography     string // of its profiles
	title         string // of its OpenAPI document
}

var journeys = []journey{
	{"eu", "eu-central-1", "eu-west-1", "eu-north-1", "eu-west-3", "eu", "crossregion eu"},
	{"prod", "us-east-1", "us-west-2", "us-east-2", "us-west-1", "us", "crossregion prod"},
}

// models are those of the stack file, and one more.
func (j journey) models() []any {
	return []any{
		map[string]any{"name": "claude-sonnet", "profile": j.geography + ".anthropic.claude-sonnet-4-5-20250929-v1:0"},
		map[string]any{"name": "nova-pro", "profile": j.geography + ".amazon.nova-pro-v1:0"},
		map[string]any{"name": "claude-haiku", "profile": j.geography + ".anthropic.claude-haiku-4-5-20251001-v1:0"},
	}
}

// four are all regions; those that stay name the third beside each other.
func (j journey) four(third string) []any {
	return append(j.pair(third), region(j.leaving, j.home, j.partner), region(j.joining, j.partner, j.home))
}

// three are the regions in the end.
func (j journey) three() []any {
	return append(j.pair(j.joining), region(j.joining, j.partner, j.home))
}

// homeless are the regions without the home.
func (j journey) homeless() []any {
	return []any{region(j.partner, j.joining), region(j.joining, j.partner)}
}

func (j journey) pair(third string) []any {
	return []any{region(j.home, j.partner, third), region(j.partner, j.home, third)}
}

func region(name string, failover ...string) any {
	return map[string]any{"name": name, "failover": failover}
}

// drain takes the leaving region out of DNS, as an operator does, and waits
// until its clients are led elsewhere.
func (j journey) drain(t *testing.T, r *up.Running) {
	t.Helper()
	operator := r.Account.IAM.Operator()
	table := dynamodb.New(dynamodb.Options{
		Region: j.home, BaseEndpoint: aws.String(r.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(operator.AccessKeyID, operator.SecretAccessKey, operator.SessionToken),
	})
	_, err := table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(r.ControlTable), Item: map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.DrainPartition(j.leaving)},
		contract.SortKey:      &types.AttributeValueMemberS{Value: contract.DrainSort},
	}})
	require.NoError(t, err)
	n, err := newNear(r, j.leaving)
	require.NoError(t, err)
	own, err := n.resolver.LookupHost(t.Context(), j.leaving+"."+r.Domain+".")
	require.NoError(t, err)
	require.NoError(t, eventually(t.Context(), "DNS leads away from "+j.leaving, func() bool {
		now, err := n.resolver.LookupHost(t.Context(), r.Domain+".")
		return err == nil && !slices.Equal(now, own)
	}))
}

// unguard takes the guards off what holds the leaving region's data, as
// docs/operations.md says.
func (j journey) unguard(t *testing.T, r *up.Running) {
	t.Helper()
	guarded := []string{j.leaving + "-conversation-content", j.leaving + "-conversation-control", j.leaving + "-encryption-key"}
	state, err := r.Engine.Export(t.Context())
	require.NoError(t, err)
	var known struct {
		Resources []struct {
			URN, Type, ID string
			Inputs        map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(state.Deployment, &known))
	for _, res := range known.Resources {
		if !slices.Contains(guarded, res.URN[strings.LastIndex(res.URN, "::")+2:]) {
			continue
		}
		if res.Type == "aws:dynamodb/tableReplica:TableReplica" {
			e, _, err := r.Account.Read(res.Type, j.leaving, res.ID)
			require.NoError(t, err)
			inputs := maps.Clone(e.Inputs)
			inputs["deletionProtectionEnabled"] = false
			_, err = r.Account.Update(t.Context(), res.Type, j.leaving, res.ID, inputs)
			require.NoError(t, err)
		}
		ws := r.Engine.Workspace()
		var env []string
		for k, v := range ws.GetEnvVars() {
			env = append(env, k+"="+v)
		}
		_, said, _, err := ws.PulumiCommand().Run(t.Context(), ws.WorkDir(), nil, nil, nil, env, "state", "unprotect", res.URN, "--yes", "--stack", j.stack)
		require.NoError(t, err, said)
		guarded = slices.DeleteFunc(guarded, func(name string) bool { return strings.HasSuffix(res.URN, "::"+name) })
	}
	require.Empty(t, guarded)
}
