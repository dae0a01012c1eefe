package invoker

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/tables"
)

// newBudget returns the counter of tokens, which asks the local replica once: a
// request is served uncounted sooner than it waits. A partner's replica is no
// help: what is used is counted here, and the limits say nothing without it.
func newBudget(cfg contract.Invoker, sdk aws.Config, log *slog.Logger) (*budget.Counter, error) {
	client := tables.Client(sdk, cfg.Region)
	tenants := auth.NewTable(client, cfg.ControlTable)
	return budget.New(budget.Config{
		Client: client,
		Limits: func(ctx context.Context, tenant string) (contract.Budget, error) {
			return auth.ReadShare(ctx, tenants, tenant, cfg.Region, cfg.Regions)
		},
		Table: cfg.ControlTable, Region: cfg.Region, Retention: time.Duration(cfg.UsageRetentionDays) * 24 * time.Hour, Log: log,
	})
}

// newStore returns the store of conversations, with a client for each replica.
func newStore(cfg contract.Invoker, sdk aws.Config) (*conversation.Store, error) {
	clients := map[string]conversation.DynamoDB{}
	for _, region := range append([]string{cfg.Region}, cfg.Conversations.Partners...) {
		clients[region] = tables.Client(sdk, region)
	}
	return conversation.New(conversation.Config{
		Table: cfg.Conversations.Table, Region: cfg.Region, Partners: cfg.Conversations.Partners, Clients: clients,
		Retention: time.Duration(cfg.Conversations.RetentionDays) * 24 * time.Hour, Unpaired: cfg.Conversations.Unpaired,
		TieBreaker: cfg.Conversations.TieBreaker,
	})
}
