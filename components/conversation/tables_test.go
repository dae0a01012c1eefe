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
			tables, err := conversation.NewTables(ctx, region+"-tables", &conversation.TablesArgs{
				Home: home, KeyArn: pulumi.String("arn:aws:kms:" + region + ":1:key/k"), RecoveryDays: 7, Protect: protect,
			}, pulumi.Provider(provider))
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
		recovery := r.Inputs["pointInTimeRecovery"].ObjectValue()
		assert.True(t, recovery["enabled"].BoolValue(), r.Name)
		assert.Equal(t, 7.0, recovery["recoveryPeriodInDays"].NumberValue(), r.Name)
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

// TestEveryReplicaHasTheKeyOfItsRegion, the same type of key for all, or
// DynamoDB refuses the replica.
func TestEveryReplicaHasTheKeyOfItsRegion(t *testing.T) {
	rec := run(t, true)
	for _, r := range rec.Of("aws:dynamodb/table:Table") {
		encryption := r.Inputs["serverSideEncryption"].ObjectValue()
		assert.True(t, encryption["enabled"].BoolValue(), r.Name)
		assert.Equal(t, "arn:aws:kms:eu-west-1:1:key/k", encryption["kmsKeyArn"].StringValue(), r.Name)
	}
	for _, r := range rec.Of("aws:dynamodb/tableReplica:TableReplica") {
		assert.Equal(t, "arn:aws:kms:eu-central-1:1:key/k", r.Inputs["kmsKeyArn"].StringValue(), r.Name)
	}
}

// TestAReplicaHasTimeToBeFilled: given up, it would be there and unknown to Pulumi.
func TestAReplicaHasTimeToBeFilled(t *testing.T) {
	for _, r := range run(t, true).Of("aws:dynamodb/tableReplica:TableReplica") {
		assert.Equal(t, "24h", r.Patience, r.Name)
	}
}

func TestTablesRefuse(t *testing.T) {
	key := pulumi.String("arn:aws:kms:eu-west-1:1:key/k")
	tests := []struct {
		name string
		args *conversation.TablesArgs
		want string
	}{
		{"no arguments", nil, "no arguments"},
		{"no key", &conversation.TablesArgs{}, "missing KeyArn"},
		{"a history that DynamoDB does not keep", &conversation.TablesArgs{KeyArn: key, RecoveryDays: 36}, "RecoveryDays is 36"},
		{"a history of less than nothing", &conversation.TablesArgs{KeyArn: key, RecoveryDays: -1}, "RecoveryDays is -1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(nil)
			err := rec.Run(func(ctx *pulumi.Context) error {
				_, err := conversation.NewTables(ctx, "tables", tt.args)
				return err
			})
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rec.Registrations())
		})
	}
}

// TestEveryTableTellsItsHome, so that any region left can say where the tables
// were created.
func TestEveryTableTellsItsHome(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		args := &conversation.TablesArgs{Stack: "eu", HomeRegion: "eu-west-1", KeyArn: pulumi.String("arn:key")}
		home, err := conversation.NewTables(ctx, "home", args, pulumi.Provider(region))
		if err != nil {
			return err
		}
		args.Home = home
		_, err = conversation.NewTables(ctx, "other", args, pulumi.Provider(region))
		return err
	}))
	for _, r := range append(rec.Of("aws:dynamodb/table:Table"), rec.Of("aws:dynamodb/tableReplica:TableReplica")...) {
		assert.Equal(t, "eu/eu-west-1", r.Inputs["tags"].ObjectValue()["crossregion:home"].StringValue(), r.Name)
	}
}
