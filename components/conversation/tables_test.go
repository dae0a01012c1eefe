package conversation_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/conversation"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func run(t *testing.T, protect bool) *componenttest.Recorder {
	t.Helper()
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		var home *conversation.Tables
		for _, region := range []string{"eu-west-1", "eu-central-1"} {
			provider, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{Region: pulumi.String(region)})
			if err != nil {
				return err
			}
			tables, err := conversation.NewTables(ctx, region+"-tables", &conversation.TablesArgs{Home: home, Protect: protect}, pulumi.Provider(provider))
			if err != nil {
				return err
			}
			if home == nil {
				home = tables
			}
		}
		return nil
	}))
	rec.CheckComponents(t)
	return rec
}

func TestTheHomeOwnsTheTablesAndOthersReplicate(t *testing.T) {
	rec := run(t, true)
	for _, role := range []string{"content", "control"} {
		table := rec.One(t, "aws:dynamodb/table:Table", "eu-west-1-tables-"+role)
		replica := rec.One(t, "aws:dynamodb/tableReplica:TableReplica", "eu-central-1-tables-"+role)
		assert.Equal(t, "eu-west-1", table.Region)
		assert.Equal(t, "eu-central-1", replica.Region)
		assert.Contains(t, replica.Inputs["globalTableArn"].StringValue(), "eu-west-1-tables-"+role)
		assert.Equal(t, "NEW_AND_OLD_IMAGES", table.Inputs["streamViewType"].StringValue(), "replication needs both images")
	}
	assert.Len(t, rec.Of("aws:dynamodb/table:Table"), 2)
	assert.Len(t, rec.Of("aws:dynamodb/tableReplica:TableReplica"), 2)
}

// TestRecoveryIsSetOnEveryReplica since DynamoDB syncs neither recovery nor
// protection.
func TestRecoveryIsSetOnEveryReplica(t *testing.T) {
	rec := run(t, true)
	for _, r := range rec.Of("aws:dynamodb/table:Table") {
		assert.True(t, r.Inputs["pointInTimeRecovery"].ObjectValue()["enabled"].BoolValue(), r.Name)
	}
	for _, r := range rec.Of("aws:dynamodb/tableReplica:TableReplica") {
		assert.True(t, r.Inputs["pointInTimeRecovery"].BoolValue(), r.Name)
	}
}

func TestProtectionCanBeSwitchedOff(t *testing.T) {
	for _, protect := range []bool{true, false} {
		rec := run(t, protect)
		for _, r := range append(rec.Of("aws:dynamodb/table:Table"), rec.Of("aws:dynamodb/tableReplica:TableReplica")...) {
			assert.Equal(t, protect, r.Inputs["deletionProtectionEnabled"].BoolValue(), r.Name)
			assert.Equal(t, protect, r.Protect, r.Name)
		}
	}
}
