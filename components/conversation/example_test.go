package conversation_test

import (
	"fmt"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/conversation"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func ExampleNewTables() {
	rec := componenttest.New(nil)
	err := rec.Run(func(ctx *pulumi.Context) error {
		var home *conversation.Tables
		for _, region := range []string{"eu-west-1", "eu-central-1"} {
			provider, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{Region: pulumi.String(region)})
			if err != nil {
				return err
			}
			tables, err := conversation.NewTables(ctx, region+"-conversation", &conversation.TablesArgs{
				Home:    home, // nil in the region that owns the tables
				KeyArn:  pulumi.String("arn:aws:kms:" + region + ":111122223333:key/8f2c"),
				Protect: true,
			}, pulumi.Provider(provider))
			if err != nil {
				return err
			}
			if home == nil {
				home = tables
			}
		}
		return nil
	})
	fmt.Println(len(rec.Of("aws:dynamodb/table:Table")), "tables,", len(rec.Of("aws:dynamodb/tableReplica:TableReplica")), "replicas, error:", err)
	// Output: 2 tables, 2 replicas, error: <nil>
}
