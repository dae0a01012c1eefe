// Package conversation keeps what must survive a change of region: the global
// tables of a stack, one replica in each of its regions and nowhere else.
package conversation

import (
	"errors"
	"fmt"

	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// tablesType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const tablesType = "crossregion:conversation:Tables"

// Tables are one region's replicas of a stack's two global tables: content
// (conversations) and control (keys, drain flags). The home region's Tables
// create them; all others add a replica. Content and control are apart so that
// the functions which decide who may call have no right to read what was said.
type Tables struct {
	pulumi.ResourceState

	// ContentArn is the ARN of this region's replica of the content table.
	ContentArn pulumi.StringOutput `pulumi:"contentArn"`
	// ControlArn is the ARN of this region's replica of the control table.
	ControlArn pulumi.StringOutput `pulumi:"controlArn"`
	// ContentName is the content table's name, the same in every region.
	ContentName pulumi.StringOutput `pulumi:"contentName"`
	// ControlName is the control table's name, the same in every region.
	ControlName pulumi.StringOutput `pulumi:"controlName"`
}

// TablesArgs are the arguments of [NewTables].
type TablesArgs struct {
	// Home are the Tables of the home region. Default: these are the home.
	Home *Tables
	// Stack and HomeRegion tag the tables, so that [DeployedHome] finds them.
	// Default: it does not.
	Stack, HomeRegion string
	// KeyArn is the ARN of the customer-managed key of this region that encrypts
	// both replicas, as each region's does: DynamoDB refuses replicas that differ
	// in the type of their key. Required.
	KeyArn pulumi.StringInput
	// RecoveryDays is how far back the tables of the home can be restored, 1 to
	// 35; elsewhere it is 35, which DynamoDB lets nobody choose for a replica
	// when it is added. Default: 35.
	RecoveryDays int
	// Protect guards both tables against deletion, by AWS and by Pulumi.
	Protect bool
}

// maxRecoveryDays is the longest that DynamoDB keeps a table's history.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
const maxRecoveryDays = 35

func (a *TablesArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	if a.KeyArn == nil {
		errs = append(errs, errors.New("missing KeyArn"))
	}
	if a.RecoveryDays < 0 || a.RecoveryDays > maxRecoveryDays {
		errs = append(errs, fmt.Errorf("RecoveryDays is %d: give 1 to %d", a.RecoveryDays, maxRecoveryDays))
	}
	return errors.Join(errs...)
}

// NewTables registers Tables and their children.
func NewTables(ctx *pulumi.Context, name string, args *TablesArgs, opts ...pulumi.ResourceOption) (*Tables, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("conversation.Tables %s: %w", name, err)
	}
	t := &Tables{}
	inputs := pulumi.Map{"home": pulumi.Bool(args.Home == nil), "keyArn": args.KeyArn, "protect": pulumi.Bool(args.Protect)}
	if err := ctx.RegisterComponentResourceV2(tablesType, name, inputs, t, opts...); err != nil {
		return nil, err
	}
	register := t.replicate
	if args.Home == nil {
		register = t.create
	}
	if err := register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("conversation.Tables %s: %w", name, err)
	}
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{
		"contentArn": t.ContentArn, "contentName": t.ContentName, "controlArn": t.ControlArn, "controlName": t.ControlName,
	})
}

func (t *Tables) create(ctx *pulumi.Context, name string, args *TablesArgs) error {
	content, err := t.newTable(ctx, name+"-content", args)
	if err != nil {
		return err
	}
	control, err := t.newTable(ctx, name+"-control", args)
	if err != nil {
		return err
	}
	t.ContentArn, t.ContentName = content.Arn, content.Name
	t.ControlArn, t.ControlName = control.Arn, control.Name
	return nil
}

// newTable registers a table that can have replicas: they need a stream with
// both images. Its own list of replicas is ignored, since each is a resource
// of its own and the two would fight.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
func (t *Tables) newTable(ctx *pulumi.Context, name string, args *TablesArgs) (*dynamodb.Table, error) {
	recoveryDays := args.RecoveryDays
	if recoveryDays == 0 {
		recoveryDays = maxRecoveryDays
	}
	return dynamodb.NewTable(ctx, name, &dynamodb.TableArgs{
		Attributes: dynamodb.TableAttributeArray{
			dynamodb.TableAttributeArgs{Name: pulumi.String(contract.PartitionKey), Type: pulumi.String("S")},
			dynamodb.TableAttributeArgs{Name: pulumi.String(contract.SortKey), Type: pulumi.String("S")},
		},
		HashKey:                   pulumi.String(contract.PartitionKey),
		RangeKey:                  pulumi.String(contract.SortKey),
		BillingMode:               pulumi.String("PAY_PER_REQUEST"),
		StreamEnabled:             pulumi.Bool(true),
		StreamViewType:            pulumi.String("NEW_AND_OLD_IMAGES"),
		Ttl:                       dynamodb.TableTtlArgs{AttributeName: pulumi.String(contract.AttrExpires), Enabled: pulumi.Bool(true)},
		PointInTimeRecovery:       dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true), RecoveryPeriodInDays: pulumi.Int(recoveryDays)},
		ServerSideEncryption:      dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true), KmsKeyArn: args.KeyArn.ToStringOutput().ToStringPtrOutput()},
		DeletionProtectionEnabled: pulumi.Bool(args.Protect),
		Tags:                      args.tags(),
	}, pulumi.Parent(t), pulumi.Protect(args.Protect), pulumi.IgnoreChanges([]string{"replicas"}))
}

func (t *Tables) replicate(ctx *pulumi.Context, name string, args *TablesArgs) error {
	content, err := t.newReplica(ctx, name+"-content", args.Home.ContentArn, args)
	if err != nil {
		return err
	}
	control, err := t.newReplica(ctx, name+"-control", args.Home.ControlArn, args)
	if err != nil {
		return err
	}
	t.ContentArn, t.ContentName = content.Arn, args.Home.ContentName
	t.ControlArn, t.ControlName = control.Arn, args.Home.ControlName
	return nil
}

// fillTime is how long a new replica may take to be filled. Tables of some size
// take hours, and the provider's 30 minutes would leave a replica behind that
// Pulumi does not know, and that the next update cannot make again.
// Source: https://github.com/aws/aws-cdk/issues/16611
// Source: https://github.com/hashicorp/terraform-provider-aws (internal/service/dynamodb/table_replica.go)
const fillTime = "24h"

// newReplica sets recovery, protection and the key again: they are never synced
// from the table. Tags are not either; each region's provider gives its own.
func (t *Tables) newReplica(ctx *pulumi.Context, name string, table pulumi.StringInput, args *TablesArgs) (*dynamodb.TableReplica, error) {
	return dynamodb.NewTableReplica(ctx, name, &dynamodb.TableReplicaArgs{
		GlobalTableArn:            table,
		KmsKeyArn:                 args.KeyArn.ToStringOutput().ToStringPtrOutput(),
		PointInTimeRecovery:       pulumi.Bool(true),
		DeletionProtectionEnabled: pulumi.Bool(args.Protect),
		Tags:                      args.tags(),
	}, pulumi.Parent(t), pulumi.Protect(args.Protect), pulumi.Timeouts(&pulumi.CustomTimeouts{Create: fillTime}))
}
