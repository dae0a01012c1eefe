package bench

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/account"
)

// The stack that is measured: two regions, with their tables.
const (
	home         = "us-east-1"
	partner      = "us-west-2"
	contentTable = "content"
	controlTable = "control"
	tenant       = "acme"
)

// data is the embedded account with the tables of the stack.
type data struct{ *account.Account }

func openData(ctx context.Context) (*data, error) {
	a, err := account.Open(account.Config{Port: "0", Viewer: home, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{contentTable, controlTable} {
		if err := makeTable(ctx, a, name); err != nil {
			return nil, fmt.Errorf("make table %s: %w", name, closing(err, a.Close()))
		}
	}
	return &data{a}, nil
}

// closing keeps the first of two errors, which is why the second thing happened.
func closing(err, second error) error {
	if err != nil {
		return err
	}
	return second
}

func makeTable(ctx context.Context, a *account.Account, name string) error {
	key := func(name string) any { return map[string]any{"name": name, "type": "S"} }
	table, err := a.Create(ctx, "aws:dynamodb/table:Table", home, name, map[string]any{
		"name": name, "hashKey": contract.PartitionKey, "rangeKey": contract.SortKey, "billingMode": "PAY_PER_REQUEST",
		"attributes":    []any{key(contract.PartitionKey), key(contract.SortKey)},
		"streamEnabled": true, "streamViewType": "NEW_AND_OLD_IMAGES",
	})
	if err != nil {
		return err
	}
	_, err = a.Create(ctx, "aws:dynamodb/tableReplica:TableReplica", partner, name, map[string]any{
		"globalTableArn": table.Outputs["arn"], "pointInTimeRecovery": true,
	})
	return err
}

// client calls DynamoDB in a region as the gateway's store does.
func (d *data) client(region string) *dynamodb.Client {
	o := d.IAM.Operator()
	return dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: aws.String(d.Endpoint()), RetryMaxAttempts: 2,
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken),
	})
}

// environment is that of an invoker's function with Bedrock at the given URL,
// which the floor understands, too.
func (d *data) environment(bedrock string) ([]string, error) {
	env, err := contract.Encode(invokerConfig())
	if err != nil {
		return nil, err
	}
	o := d.IAM.Operator()
	list := []string{
		"AWS_REGION=" + home, "AWS_ACCESS_KEY_ID=" + o.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + o.SecretAccessKey,
		"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=" + bedrock, "AWS_ENDPOINT_URL_DYNAMODB=" + d.Endpoint(),
	}
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	return list, nil
}

func profileARN(region, name string) string {
	return "arn:aws:bedrock:" + region + ":123456789012:application-inference-profile/" + name
}

func invokerConfig() contract.Invoker {
	c := contract.Invoker{
		Stack: "bench", Jurisdiction: "us", Region: home, Regions: []string{home, partner}, Allowed: []string{home, partner},
		Conversations: contract.Conversations{Table: contentTable, Partners: []string{partner}, RetentionDays: 30},
		ControlTable:  controlTable, UsageRetentionDays: 400,
	}
	for _, name := range models {
		m := contract.Model{Name: name, Base: "anthropic.claude-sonnet-4-5-20250929-v1:0"}
		for _, region := range c.Regions {
			m.Targets = append(m.Targets, contract.Target{Region: region, ID: profileARN(region, name), Destinations: []string{region}})
		}
		c.Models = append(c.Models, m)
	}
	return c
}
