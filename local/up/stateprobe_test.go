package up_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	state "github.com/crossregion/crossregion/lambda/conversation"
	stand "github.com/crossregion/crossregion/local/dynamodb"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

// state is what the region does with its tables and, where only the tables of
// another region answer, with those.
func (p *prober) state(ctx context.Context) error {
	if err := p.pairs(ctx); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	for _, region := range p.RegionNames {
		if err := p.stateIn(ctx, region); err != nil {
			return fmt.Errorf("state while only the tables of %s answer: %w", region, err)
		}
	}
	for _, region := range p.targets {
		if err := p.callerFrom(ctx, region); err != nil {
			return fmt.Errorf("a caller while only the tables of %s answer: %w", region, err)
		}
	}
	return nil
}

// pairs expects a turn in two regions.
func (p *prober) pairs(ctx context.Context) error {
	var raw *http.Response
	if _, err := p.respond(ctx, "", option.WithResponseInto(&raw)); err != nil {
		return err
	}
	if got := raw.Header.Get(contract.HeaderReplicas); got != "2" {
		return fmt.Errorf("a turn stands in %q regions", got)
	}
	return nil
}

func (p *prober) respond(ctx context.Context, previous string, opts ...option.RequestOption) (*responses.Response, error) {
	params := responses.ResponseNewParams{
		Model: p.Models[0], Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Please say 1 word.")},
	}
	if previous != "" {
		params.PreviousResponseID = openai.String(previous)
	}
	c := client(p.Running)
	return c.Responses.New(ctx, params, opts...)
}

// stateIn keeps and continues a thread in another region, whose writes do not
// arrive here, deletes what it alone can delete, and reads a conversation from
// there.
func (p *prober) stateIn(ctx context.Context, region string) error {
	tables := p.Account.DynamoDB
	for _, other := range p.RegionNames {
		if other != region {
			tables.Cut(region, other)
			defer tables.Heal(region, other)
		}
	}
	mend := p.only(region)
	defer mend()
	first, err := p.respond(ctx, "")
	if err != nil {
		return err
	}
	if _, err := p.respond(ctx, first.ID); err != nil {
		return err
	}
	c := client(p.Running)
	conversation, err := c.Conversations.New(ctx, conversations.ConversationNewParams{})
	if err != nil {
		return err
	}
	mend()
	defer p.only(region, "DeleteItem")()
	if err := c.Responses.Delete(ctx, first.ID); err != nil {
		return err
	}
	if err := p.gone(ctx, region, first.ID); err != nil || region == p.From {
		return err
	}
	_, err = c.Conversations.Get(ctx, conversation.ID)
	return err
}

// gone expects that a region has nothing of a deleted response but that it was.
func (p *prober) gone(ctx context.Context, region, id string) error {
	turn, err := state.ParseTurnID(strings.TrimPrefix(id, "resp_"))
	if err != nil {
		return err
	}
	got, err := p.tables(region).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(fmt.Sprint(p.Outputs["conversationTable"])), Key: map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: "local#" + turn.Thread},
		contract.SortKey:      &types.AttributeValueMemberS{Value: "turn#" + turn.Turn},
	}})
	if err == nil && len(got.Item) > 0 {
		err = fmt.Errorf("%s keeps what was deleted", region)
	}
	return err
}

// tables are a region's, as the operator sees them.
func (p *prober) tables(region string) *dynamodb.Client {
	operator := p.Account.IAM.Operator()
	return dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: aws.String(p.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(operator.AccessKeyID, operator.SecretAccessKey, operator.SessionToken),
	})
}

// callerFrom expects a key that API Gateway has not seen to be found in another
// region.
func (p *prober) callerFrom(ctx context.Context, region string) error {
	key, err := auth.Mint(ctx, auth.NewTable(p.tables(region), p.ControlTable), rand.Reader, auth.Grant{Tenant: "probe"})
	if err != nil {
		return err
	}
	mend := p.only(region)
	defer mend()
	c := client(p.Running, option.WithAPIKey(key))
	_, err = c.Models.List(ctx)
	return err
}

// only makes the tables of all other regions fail, all operations or the given
// ones, until mend is called.
func (p *prober) only(region string, operations ...string) (mend func()) {
	others := slices.DeleteFunc(slices.Clone(p.RegionNames), func(other string) bool { return other == region })
	for _, other := range others {
		p.Account.DynamoDB.SetFault(other, &stand.Fault{Code: "ResourceNotFoundException", Operations: operations}) // which nobody waits out
	}
	return func() {
		for _, other := range others {
			p.Account.DynamoDB.SetFault(other, nil)
		}
	}
}
