package remote

import (
	"fmt"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// served is what an API needs of a function: all its outputs.
type served struct {
	Arn       pulumi.StringInput `pulumi:"arn"`
	Name      pulumi.StringInput `pulumi:"name"`
	Qualifier pulumi.StringInput `pulumi:"qualifier"`
}

// Annotate implements infer.Annotated.
func (s *served) Annotate(a infer.Annotator) {
	a.SetToken("gateway", "ServingFunction")
	a.Describe(&s, "Outputs of a Function.")
}

type alias struct {
	Name           string             `pulumi:"name"`
	CertificateArn pulumi.StringInput `pulumi:"certificateArn"`
}

// Annotate implements infer.Annotated.
func (n *alias) Annotate(a infer.Annotator) {
	a.SetToken("gateway", "Alias")
	a.Describe(&n, "One more name that an API answers to, without the names under it.")
	a.Describe(&n.CertificateArn, "Output arn of a Certificate that covers the name.")
}

type domain struct {
	Name           string             `pulumi:"name"`
	CertificateArn pulumi.StringInput `pulumi:"certificateArn"`
	Aliases        []alias            `pulumi:"aliases,optional"`
}

// Annotate implements infer.Annotated.
func (d *domain) Annotate(a infer.Annotator) {
	a.SetToken("gateway", "Domain")
	a.Describe(&d, "The name that all regions share.")
	a.Describe(&d.CertificateArn, "Output arn of a Certificate that covers the name and the wildcard under it.")
	a.Describe(&d.Aliases, "Further names that clients use, such as a front door's. Default: none.")
}

func (d *domain) of() *gateway.Domain {
	if d == nil {
		return nil
	}
	of := &gateway.Domain{Name: d.Name, Certificate: issued(d.CertificateArn)}
	for _, n := range d.Aliases {
		of.Aliases = append(of.Aliases, gateway.Alias{Name: n.Name, Certificate: issued(n.CertificateArn)})
	}
	return of
}

func issued(arn pulumi.StringInput) *gateway.Certificate {
	return &gateway.Certificate{Arn: arn.ToStringOutput()}
}

type accessLogs struct {
	RetentionDays       int                `pulumi:"retentionDays,optional"`
	KeyArn              pulumi.StringInput `pulumi:"keyArn,optional"`
	OwnsAccountRole     bool               `pulumi:"ownsAccountRole,optional"`
	PermissionsBoundary string             `pulumi:"permissionsBoundary,optional"`
}

// Annotate implements infer.Annotated.
func (l *accessLogs) Annotate(a infer.Annotator) {
	a.SetToken("gateway", "AccessLogs")
	a.Describe(&l, "One line for each request, with nothing that a caller wrote.")
	a.Describe(&l.RetentionDays, "A value that CloudWatch Logs knows. Default: 30.")
	a.Describe(&l.KeyArn, "ARN of the key that encrypts the lines. Default: a key of CloudWatch Logs.")
	a.Describe(&l.OwnsAccountRole, "Creates the account's role for API Gateway's logs in the region. Default: there is one.")
	a.Describe(&l.PermissionsBoundary, "ARN of a managed policy for that role. Default: none.")
}

func (l *accessLogs) of() *gateway.AccessLogs {
	if l == nil {
		return nil
	}
	return &gateway.AccessLogs{
		RetentionDays: l.RetentionDays, KeyArn: l.KeyArn, OwnsAccountRole: l.OwnsAccountRole, PermissionsBoundary: l.PermissionsBoundary,
	}
}

type apiArgs struct {
	Title       string            `pulumi:"title"`
	Functions   map[string]served `pulumi:"functions"`
	Credentials string            `pulumi:"credentials,optional"`
	Domain      *domain           `pulumi:"domain,optional"`
	DualStack   bool              `pulumi:"dualStack,optional"`
	RateLimit   float64           `pulumi:"rateLimit,optional"`
	BurstLimit  int               `pulumi:"burstLimit,optional"`
	AccessLogs  *accessLogs       `pulumi:"accessLogs,optional"`
}

// Annotate implements infer.Annotated.
func (r *apiArgs) Annotate(a infer.Annotator) {
	a.Describe(&r.Title, "Name of the API in its reference.")
	a.Describe(&r.Functions, "Functions by the part that they play: \"invoker\", \"health\" and, unless credentials are \"iam\", \"authorizer\".")
	a.Describe(&r.Credentials, "What callers prove themselves with: \"apiKey\", \"oidc\" or \"iam\". Default: \"apiKey\".")
	a.Describe(&r.Domain, "Gives the API its names. Default: its own endpoint only.")
	a.Describe(&r.DualStack, "Lets clients come by IPv6 too. Default: IPv4 only.")
	a.Describe(&r.RateLimit, "Requests a second that each method takes. Default: 100.")
	a.Describe(&r.BurstLimit, "Requests at once that each method takes. Default: 200.")
	a.Describe(&r.AccessLogs, "Writes a line for each request. Default: none.")
}

// credentials by their names in settings.
var credentials = map[string]gateway.Credentials{
	"": gateway.APIKeys, "apiKey": gateway.APIKeys, "oidc": gateway.Tokens, "iam": gateway.Signatures,
}

// api is that of package gateway, with its target as outputs.
type api struct {
	pulumi.ComponentResource

	URL            pulumi.StringOutput `pulumi:"url"`
	Name           pulumi.StringOutput `pulumi:"name"`
	StageArn       pulumi.StringOutput `pulumi:"stageArn"`
	WildcardName   pulumi.StringOutput `pulumi:"wildcardName"`
	WildcardZoneID pulumi.StringOutput `pulumi:"wildcardZoneId"`
}

// Annotate implements infer.Annotated.
func (r *api) Annotate(a infer.Annotator) {
	a.SetToken("gateway", "RegionalAPI")
	a.Describe(&r, "One region's REST API, and with a domain its custom domains.")
	a.Describe(&r.URL, "Address of the API on its own endpoint, with the stage. With a domain that endpoint is off.")
	a.Describe(&r.Name, "Name of the API, the dimension ApiName of its metrics.")
	a.Describe(&r.StageArn, "ARN of the stage, which a firewall attaches to.")
	a.Describe(&r.WildcardName, "DNS name to alias for names under the domain, once the API answers there; empty without a domain.")
	a.Describe(&r.WildcardZoneID, "Hosted zone of wildcardName, API Gateway's own.")
}

func newRegionalAPI(ctx *pulumi.Context, name string, args apiArgs, opts ...pulumi.ResourceOption) (*api, error) {
	proof, known := credentials[args.Credentials]
	if !known {
		return nil, fmt.Errorf("gateway.RegionalAPI %s: credentials are %q: give apiKey, oidc or iam", name, args.Credentials)
	}
	functions := map[string]*invoker.Function{}
	for part, f := range args.Functions {
		functions[part] = &invoker.Function{
			Arn: f.Arn.ToStringOutput(), Name: f.Name.ToStringOutput(), Qualifier: f.Qualifier.ToStringOutput(),
		}
	}
	r, err := gateway.NewRegionalAPI(ctx, name, &gateway.RegionalAPIArgs{
		Title: args.Title, Functions: functions, Credentials: proof, Domain: args.Domain.of(), DualStack: args.DualStack,
		RateLimit: args.RateLimit, BurstLimit: args.BurstLimit, AccessLogs: args.AccessLogs.of(),
	}, opts...)
	if err != nil {
		return nil, err
	}
	target := gateway.Target{Name: pulumi.String("").ToStringOutput(), ZoneID: pulumi.String("").ToStringOutput()}
	if r.Wildcard != nil {
		target = gateway.Target{Name: whole(r, r.Wildcard.Name), ZoneID: r.Wildcard.ZoneID}
	}
	return &api{r, r.URL, r.Name, r.StageArn, target.Name, target.ZoneID}, nil
}

// whole is a value that is known, in another process too, no sooner than all
// parts of the API exist: nobody is sent there before.
func whole(r *gateway.RegionalAPI, value pulumi.StringOutput) pulumi.StringOutput {
	all := []any{value}
	for _, part := range r.Parts() {
		all = append(all, part.URN())
		if custom, ok := part.(pulumi.CustomResource); ok {
			all = append(all, custom.ID())
		}
	}
	return pulumi.All(all...).ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput)
}
