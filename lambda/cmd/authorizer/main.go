// Command authorizer is the Lambda function that tells API Gateway who a caller
// is.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/crossregion/crossregion/lambda/awsenv"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	a, err := authorizer(log)
	if err != nil {
		log.Error("start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(a.Handle)
}

func authorizer(log *slog.Logger) (*auth.Authorizer, error) {
	cfg, err := contract.Decode[contract.Authorizer](os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	sdk, err := awsenv.Config(os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	log.Info("start", "function", contract.FunctionAuthorizer, "stack", cfg.Stack, "region", cfg.Region)
	return &auth.Authorizer{Store: auth.NewTable(dynamodb.NewFromConfig(sdk), cfg.Table), Now: time.Now, Log: log}, nil
}
