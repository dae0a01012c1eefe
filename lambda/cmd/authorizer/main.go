// Command authorizer is the Lambda function that tells API Gateway who a caller
// is.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/crossregion/crossregion/lambda/authorizer"
	"github.com/crossregion/crossregion/lambda/heap"
)

func main() {
	heap.Configure(os.Getenv)
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	a, err := authorizer.New(os.Getenv, log)
	if err != nil {
		log.Error("start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(a.Handle)
}
