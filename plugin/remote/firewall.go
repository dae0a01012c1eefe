package remote

import (
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type webACLArgs struct {
	StageArn     pulumi.StringInput `pulumi:"stageArn"`
	AddressLimit int                `pulumi:"addressLimit,optional"`
}

// Annotate implements infer.Annotated.
func (w *webACLArgs) Annotate(a infer.Annotator) {
	a.Describe(&w.StageArn, "Output stageArn of the RegionalAPI to protect.")
	a.Describe(&w.AddressLimit, "Requests that one address may make in five minutes, 10 to 2000000000. Default: 2000.")
}

func newWebACL(ctx *pulumi.Context, name string, args webACLArgs, opts ...pulumi.ResourceOption) (*gateway.WebACL, error) {
	return gateway.NewWebACL(ctx, name, &gateway.WebACLArgs{
		API: &gateway.RegionalAPI{StageArn: args.StageArn.ToStringOutput()}, AddressLimit: args.AddressLimit,
	}, opts...)
}
