package up

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/auth"
)

// tenant is who the first key speaks for.
const tenant = "local"

// replicationPoll is how often a replica is asked for the new key.
const replicationPoll = 20 * time.Millisecond

// MintKey does what an operator does after the first deployment: it writes an API
// key of a tenant into the control table, and waits until every region knows it.
func (r *Running) MintKey(ctx context.Context, tenant string) (string, error) {
	key, err := auth.Mint(ctx, r.controlTable(r.RegionNames[0]), rand.Reader, auth.Grant{Tenant: tenant})
	if err != nil {
		return "", err
	}
	for _, region := range r.RegionNames {
		if err := awaitKey(ctx, r.controlTable(region), key); err != nil {
			return "", fmt.Errorf("wait for the API key in %s: %w", region, err)
		}
	}
	return key, nil
}

// controlTable is the operator's view of one replica.
func (r *Running) controlTable(region string) *auth.Table {
	operator := r.Account.IAM.Operator()
	return auth.NewTable(dynamodb.New(dynamodb.Options{
		Region:       region,
		BaseEndpoint: aws.String(r.Account.Endpoint()),
		Credentials:  credentials.NewStaticCredentialsProvider(operator.AccessKeyID, operator.SecretAccessKey, operator.SessionToken),
	}), r.ControlTable)
}

func awaitKey(ctx context.Context, replica *auth.Table, key string) error {
	tick := time.NewTicker(replicationPoll)
	defer tick.Stop()
	for {
		_, _, err := auth.Verify(ctx, replica, key, time.Now())
		if err == nil {
			return nil
		}
		if !errors.Is(err, auth.ErrRefused) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
