package main_test

import (
	"runtime"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Names that the program uses.
const (
	ireland = "eu-west-1"
	germany = "eu-central-1"
	shared  = "eu.llm.example.com"
	door    = "llm.example.com"
)

// component is any component of the plugin: its outputs as the program finds
// them.
type component struct {
	pulumi.ResourceState

	Arn            pulumi.StringOutput    `pulumi:"arn"`
	Name           pulumi.StringOutput    `pulumi:"name"`
	Qualifier      pulumi.StringOutput    `pulumi:"qualifier"`
	ContentArn     pulumi.StringOutput    `pulumi:"contentArn"`
	ContentName    pulumi.StringOutput    `pulumi:"contentName"`
	ControlArn     pulumi.StringOutput    `pulumi:"controlArn"`
	ControlName    pulumi.StringOutput    `pulumi:"controlName"`
	Arns           pulumi.StringMapOutput `pulumi:"arns"`
	InvokePolicy   pulumi.StringOutput    `pulumi:"invokePolicy"`
	ValidationFqdn pulumi.StringOutput    `pulumi:"validationFqdn"`
	StageArn       pulumi.StringOutput    `pulumi:"stageArn"`
	WildcardName   pulumi.StringOutput    `pulumi:"wildcardName"`
	WildcardZoneID pulumi.StringOutput    `pulumi:"wildcardZoneId"`
	Endpoint       pulumi.StringOutput    `pulumi:"endpoint"`
	HealthCheckIDs pulumi.StringMapOutput `pulumi:"healthCheckIds"`
	TopicArn       pulumi.StringOutput    `pulumi:"topicArn"`
	URL            pulumi.StringOutput    `pulumi:"url"`
}

// builder constructs components until one fails.
type builder struct {
	ctx      *pulumi.Context
	zone     pulumi.String
	code     string
	provider map[string]pulumi.ProviderResource
	err      error
}

func (b *builder) construct(kind, region, name string, args pulumi.Map, opts ...pulumi.ResourceOption) *component {
	c := &component{}
	if b.err == nil {
		b.err = b.ctx.RegisterRemoteComponentResource("crossregion:"+kind, region+"-"+name, args, c, append(opts, pulumi.Providers(b.provider[region]))...)
	}
	return c
}

// regional is what one region has.
type regional struct{ key, tables, certificate, door, api, role, function *component }

// everything is a program of each component, in two regions where that matters.
func everything(code string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		b := &builder{ctx: ctx, code: code, provider: map[string]pulumi.ProviderResource{}}
		for _, region := range []string{ireland, germany} {
			p, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{Region: pulumi.String(region)})
			if err != nil {
				return err
			}
			b.provider[region] = p
		}
		zone, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{Name: pulumi.StringRef("example.com")}, pulumi.Provider(b.provider[ireland]))
		if err != nil {
			return err
		}
		b.zone = pulumi.String(zone.ZoneId)
		home := b.region(ireland, nil)
		other := b.region(germany, home)
		b.global(home, other)
		ctx.Export("replica", other.tables.ContentArn)
		ctx.Export("function", home.function.Arn)
		return b.err
	}
}

func (b *builder) region(region string, home *regional) *regional {
	r := &regional{}
	r.role = b.construct("invoker:Role", region, "role", pulumi.Map{})
	r.key = b.construct("encryption:Key", region, "key", pulumi.Map{
		"region": pulumi.String(region), "regions": pulumi.ToStringArray([]string{ireland, germany}), "roles": pulumi.StringArray{r.role.Arn},
	})
	tables := pulumi.Map{"keyArn": r.key.Arn}
	certificate, front := pulumi.Map{"domain": pulumi.String(shared)}, pulumi.Map{"domain": pulumi.String(door), "nameOnly": pulumi.Bool(true)}
	if home == nil {
		certificate["zoneId"], front["zoneId"] = b.zone, b.zone
	} else {
		tables["home"] = pulumi.Map{
			"contentArn": home.tables.ContentArn, "controlArn": home.tables.ControlArn,
			"contentName": home.tables.ContentName, "controlName": home.tables.ControlName,
		}
		certificate["ownerValidationFqdn"], front["ownerValidationFqdn"] = home.certificate.ValidationFqdn, home.door.ValidationFqdn
	}
	r.tables = b.construct("conversation:Tables", region, "tables", tables)
	r.certificate = b.construct("gateway:Certificate", region, "certificate", certificate)
	r.door = b.construct("gateway:Certificate", region, "door-certificate", front)
	r.serve(b, region)
	return r
}

func (r *regional) serve(b *builder, region string) {
	r.function = b.construct("invoker:Function", region, "function", pulumi.Map{
		"code": pulumi.NewFileArchive(b.code), "platform": pulumi.String(runtime.GOOS + "/" + runtime.GOARCH),
		"environment": pulumi.StringMap{"TABLE": r.tables.ControlName},
		"logKeyArn":   r.key.Arn, "role": pulumi.Map{"arn": r.role.Arn, "name": r.role.Name},
		"policies": pulumi.Map{"read": pulumi.Sprintf(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"%s"}]}`, r.tables.ControlArn)},
		"reservedConcurrency": pulumi.Int(2),
	})
	served := pulumi.Map{"arn": r.function.Arn, "name": r.function.Name, "qualifier": r.function.Qualifier}
	r.api = b.construct("gateway:RegionalAPI", region, "api", pulumi.Map{
		"title": pulumi.String("mine"), "credentials": pulumi.String("iam"),
		"functions": pulumi.Map{"invoker": served, "health": served},
		"domain": pulumi.Map{
			"name": pulumi.String(shared), "certificateArn": r.certificate.Arn,
			"aliases": pulumi.Array{pulumi.Map{"name": pulumi.String(door), "certificateArn": r.door.Arn}},
		},
		"accessLogs": pulumi.Map{"keyArn": r.key.Arn, "ownsAccountRole": pulumi.Bool(true)},
	})
}

// global is what there is once, or needed in one region only.
func (b *builder) global(home, other *regional) {
	models := b.construct("inference:Profiles", ireland, "models", pulumi.Map{
		"region": pulumi.String(ireland), "jurisdiction": pulumi.String("eu"),
		"allowed": pulumi.ToStringArray([]string{germany, ireland, "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2"}),
		"models":  pulumi.Array{pulumi.Map{"name": pulumi.String("nova"), "profile": pulumi.String("eu.amazon.nova-pro-v1:0")}},
	})
	b.construct("gateway:WebACL", ireland, "firewall", pulumi.Map{"stageArn": home.api.StageArn})
	routed := func(name, partner string, r *regional) pulumi.Map {
		return pulumi.Map{
			"name": pulumi.String(name), "partner": pulumi.String(partner),
			"wildcardName": r.api.WildcardName, "wildcardZoneId": r.api.WildcardZoneID,
		}
	}
	routing := b.construct("routing:GlobalRouting", ireland, "routing", pulumi.Map{
		"domain": pulumi.String(shared), "zoneId": b.zone, "checks": pulumi.Map{"intervalSeconds": pulumi.Int(10)},
		"regions": pulumi.Array{routed(ireland, germany, home), routed(germany, ireland, other)},
	})
	front := b.construct("routing:FrontDoor", ireland, "front-door", pulumi.Map{
		"name": pulumi.String(door), "zoneId": b.zone, "target": pulumi.String(shared), "locations": pulumi.ToStringArray([]string{"DE"}),
	}, pulumi.DependsOn([]pulumi.Resource{routing}))
	watched := pulumi.Array{pulumi.Map{
		"name": pulumi.String(ireland), "api": home.api.Name,
		"functions":   pulumi.Map{"invoker": pulumi.Map{"name": home.function.Name, "reservedConcurrency": pulumi.Int(2)}},
		"tables":      pulumi.Map{"content": home.tables.ContentName},
		"healthCheck": routing.HealthCheckIDs.MapIndex(pulumi.String(ireland)),
	}}
	alarms := b.construct("observability:RegionalAlarms", ireland, "alarms", pulumi.Map{
		"stack": pulumi.String("eu"), "region": pulumi.String(ireland), "regions": watched,
		"emails": pulumi.ToStringArray([]string{"oncall@example.com"}),
	})
	dashboard := b.construct("observability:Dashboard", ireland, "dashboard", pulumi.Map{"stack": pulumi.String("eu"), "regions": watched})
	for name, output := range map[string]pulumi.Input{
		"profile": models.Arns.MapIndex(pulumi.String("nova")), "invokePolicy": models.InvokePolicy, "endpoint": routing.Endpoint,
		"door": front.Endpoint, "topic": alarms.TopicArn, "dashboard": dashboard.URL,
	} {
		b.ctx.Export(name, output)
	}
}
