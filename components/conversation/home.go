package conversation

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/resourcegroupstaggingapi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// homeTag is on every table and replica. Its value is the stack and its home
// region, so that any region left can tell where the tables were created.
const homeTag = "crossregion:home"

// tags are nil for tables that nobody is to find.
func (a *TablesArgs) tags() pulumi.StringMap {
	if a.Stack == "" {
		return nil
	}
	return pulumi.StringMap{homeTag: pulumi.String(a.Stack + "/" + a.HomeRegion)}
}

// DeployedHome asks AWS, in one region, which home region the tables of a stack
// have that it finds there; it returns "" if it finds none. To move the home
// would replace the tables, so whoever deploys must know before it does.
// Source: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
func DeployedHome(ctx *pulumi.Context, stack string, opts ...pulumi.InvokeOption) (string, error) {
	found, err := resourcegroupstaggingapi.GetResources(ctx, &resourcegroupstaggingapi.GetResourcesArgs{
		ResourceTypeFilters: []string{"dynamodb:table"},
		TagFilters:          []resourcegroupstaggingapi.GetResourcesTagFilter{{Key: homeTag}},
	}, opts...)
	if err != nil {
		return "", fmt.Errorf("look for tables of stack %s: %w", stack, err)
	}
	for _, table := range found.ResourceTagMappingLists {
		if region, ours := strings.CutPrefix(table.Tags[homeTag], stack+"/"); ours {
			return region, nil
		}
	}
	return "", nil
}
