package remote

import (
	"github.com/crossregion/crossregion/components/conversation"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// home is what others need of the home region's tables: all their outputs.
type home struct {
	ContentArn  pulumi.StringInput `pulumi:"contentArn"`
	ControlArn  pulumi.StringInput `pulumi:"controlArn"`
	ContentName pulumi.StringInput `pulumi:"contentName"`
	ControlName pulumi.StringInput `pulumi:"controlName"`
}

// Annotate implements infer.Annotated.
func (h *home) Annotate(a infer.Annotator) {
	a.SetToken("conversation", "Home")
	a.Describe(&h, "Outputs of the home region's Tables.")
}

// tables is nil for the home itself.
func (h *home) tables() *conversation.Tables {
	if h == nil {
		return nil
	}
	return &conversation.Tables{
		ContentArn: h.ContentArn.ToStringOutput(), ControlArn: h.ControlArn.ToStringOutput(),
		ContentName: h.ContentName.ToStringOutput(), ControlName: h.ControlName.ToStringOutput(),
	}
}

type tablesArgs struct {
	Home         *home              `pulumi:"home,optional"`
	Stack        string             `pulumi:"stack,optional"`
	HomeRegion   string             `pulumi:"homeRegion,optional"`
	KeyArn       pulumi.StringInput `pulumi:"keyArn"`
	RecoveryDays int                `pulumi:"recoveryDays,optional"`
	Protect      bool               `pulumi:"protect,optional"`
}

// Annotate implements infer.Annotated.
func (t *tablesArgs) Annotate(a infer.Annotator) {
	a.Describe(&t.Home, "Outputs of the Tables of the home region. Default: these are the home.")
	a.Describe(&t.Stack, "With homeRegion, tags the tables so that their home can be found. Default: it cannot.")
	a.Describe(&t.HomeRegion, "See stack.")
	a.Describe(&t.KeyArn, "ARN of the customer-managed key of this region that encrypts both replicas.")
	a.Describe(&t.RecoveryDays, "How far back the tables of the home can be restored, 1 to 35. Default: 35.")
	a.Describe(&t.Protect, "Guards both tables against deletion, by AWS and by Pulumi.")
}

func newTables(ctx *pulumi.Context, name string, args tablesArgs, opts ...pulumi.ResourceOption) (*conversation.Tables, error) {
	return conversation.NewTables(ctx, name, &conversation.TablesArgs{
		Home: args.Home.tables(), Stack: args.Stack, HomeRegion: args.HomeRegion,
		KeyArn: args.KeyArn, RecoveryDays: args.RecoveryDays, Protect: args.Protect,
	}, opts...)
}
