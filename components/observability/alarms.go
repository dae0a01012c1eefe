package observability

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// alarmsType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const alarmsType = "crossregion:observability:RegionalAlarms"

// RegionalAlarms are the alarms of one region, and the topic of that region
// that they tell: an alarm cannot tell a topic elsewhere, and a region that is
// down must not take the alarms of others with it.
type RegionalAlarms struct {
	pulumi.ResourceState

	// TopicArn is the ARN of the topic that every alarm tells, of trouble and
	// of its end.
	TopicArn pulumi.StringOutput `pulumi:"topicArn"`
}

// RegionalAlarmsArgs are the arguments of [NewRegionalAlarms].
type RegionalAlarmsArgs struct {
	// Stack is the stack's name, as the invoker knows it. Required.
	Stack string
	// Region is the one to watch; its provider must be given. Required: one of
	// Regions.
	Region string
	// Regions are all regions of the stack. Replication is watched
	// towards the partners of this one. The health checks of all are watched from us-east-1 alone,
	// where Route 53 publishes their state: a stack without that region has no
	// alarm on them, and sees them on its dashboard. Required.
	Regions []Region
	// FirstTokenMillis is the time to the first token that nine in ten streamed
	// answers keep, in milliseconds. Default: 10000.
	FirstTokenMillis int
	// ConcurrencyLimit is how many invocations of all functions the account may
	// have at once in the region. Default: 1000, as AWS's.
	ConcurrencyLimit int
	// KeyArn is a customer-managed key of the region that encrypts the topic.
	// Its policy must let cloudwatch.amazonaws.com use kms:Decrypt and
	// kms:GenerateDataKey*, or nobody is told anything. The key alias/aws/sns
	// never lets it. Default: no key of the stack's own.
	// Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
	KeyArn pulumi.StringInput
	// Emails are told by the topic, each once its owner has confirmed it by the
	// mail that SNS sends. Default: nobody.
	Emails []string
}

func (a *RegionalAlarmsArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	errs := []error{validate(a.Stack, a.Regions)}
	if !slices.ContainsFunc(a.Regions, func(r Region) bool { return r.Name == a.Region }) {
		errs = append(errs, fmt.Errorf("region %q is not one of Regions", a.Region))
	}
	if a.FirstTokenMillis < 0 || a.ConcurrencyLimit < 0 {
		errs = append(errs, errors.New("the limits FirstTokenMillis and ConcurrencyLimit cannot be negative"))
	}
	for i, email := range a.Emails {
		if at := strings.Index(email, "@"); at < 1 || at == len(email)-1 {
			errs = append(errs, fmt.Errorf("email %q in Emails[%d] is not an address", email, i))
		}
		if slices.Contains(a.Emails[:i], email) {
			errs = append(errs, fmt.Errorf("email %q stands twice in Emails", email))
		}
	}
	return errors.Join(errs...)
}

// NewRegionalAlarms registers RegionalAlarms and their children.
func NewRegionalAlarms(ctx *pulumi.Context, name string, args *RegionalAlarmsArgs, opts ...pulumi.ResourceOption) (*RegionalAlarms, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("observability.RegionalAlarms %s: %w", name, err)
	}
	a := &RegionalAlarms{}
	inputs := pulumi.Map{"stack": pulumi.String(args.Stack), "region": pulumi.String(args.Region)}
	if err := ctx.RegisterComponentResourceV2(alarmsType, name, inputs, a, opts...); err != nil {
		return nil, err
	}
	if err := a.newTopic(ctx, name, args); err != nil {
		return nil, fmt.Errorf("topic of %s: %w", name, err)
	}
	for _, row := range table(args) {
		if err := a.newAlarm(ctx, name, row); err != nil {
			return nil, fmt.Errorf("alarm %s of %s: %w", row.role, name, err)
		}
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"topicArn": a.TopicArn})
}

// newTopic registers the topic and its subscriptions, which are named by a
// digest: an address in a resource's name would be a person in a name.
func (a *RegionalAlarms) newTopic(ctx *pulumi.Context, name string, args *RegionalAlarmsArgs) error {
	topicArgs := &sns.TopicArgs{}
	if args.KeyArn != nil {
		topicArgs.KmsMasterKeyId = args.KeyArn.ToStringOutput().ToStringPtrOutput()
	}
	topic, err := sns.NewTopic(ctx, name+"-topic", topicArgs, pulumi.Parent(a))
	if err != nil {
		return err
	}
	a.TopicArn = topic.Arn
	for _, email := range args.Emails {
		digest := sha256.Sum256([]byte(email))
		_, err := sns.NewTopicSubscription(ctx, name+"-email-"+hex.EncodeToString(digest[:4]), &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(email),
		}, pulumi.Parent(a))
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *RegionalAlarms) newAlarm(ctx *pulumi.Context, name string, row alarm) error {
	args := &cloudwatch.MetricAlarmArgs{
		AlarmDescription:   pulumi.String(row.about),
		ComparisonOperator: pulumi.String(row.comparison),
		Threshold:          pulumi.Float64(row.threshold),
		EvaluationPeriods:  pulumi.Int(row.periods),
		DatapointsToAlarm:  pulumi.Int(row.breaching),
		TreatMissingData:   pulumi.String(row.missing),
		AlarmActions:       pulumi.Array{a.TopicArn},
		OkActions:          pulumi.Array{a.TopicArn},
	}
	if row.expression == "" {
		row.metrics[0].watch(args)
	} else {
		args.MetricQueries = row.queries()
	}
	_, err := cloudwatch.NewMetricAlarm(ctx, name+"-"+row.role, args, pulumi.Parent(a))
	return err
}

// watch makes m all that an alarm looks at.
func (m metric) watch(args *cloudwatch.MetricAlarmArgs) {
	args.Namespace, args.MetricName = pulumi.String(m.namespace), pulumi.String(m.name)
	args.Dimensions, args.Period = m.dimensions, pulumi.Int(periodSeconds)
	if strings.HasPrefix(m.statistic, "p") {
		args.ExtendedStatistic = pulumi.String(m.statistic)
		// Of ten answers, the slowest is no ninetieth percentile.
		args.EvaluateLowSampleCountPercentiles = pulumi.String("ignore")
		return
	}
	args.Statistic = pulumi.String(m.statistic)
}

func (row alarm) queries() cloudwatch.MetricAlarmMetricQueryArray {
	queries := cloudwatch.MetricAlarmMetricQueryArray{cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String("result"), Expression: pulumi.String(row.expression),
		Label: pulumi.String(row.role), ReturnData: pulumi.Bool(true),
	}}
	for _, m := range row.metrics {
		queries = append(queries, cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String(m.id),
			Metric: cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace: pulumi.String(m.namespace), MetricName: pulumi.String(m.name), Dimensions: m.dimensions,
				Period: pulumi.Int(periodSeconds), Stat: pulumi.String(m.statistic),
			},
		})
	}
	return queries
}
