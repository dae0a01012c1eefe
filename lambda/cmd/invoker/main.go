// Command invoker is the Lambda function that serves the API and, with another
// environment, the one behind /healthz.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/heap"
	"github.com/crossregion/crossregion/lambda/invoker"
)

func main() {
	heap.Configure(os.Getenv)
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, err := invoker.New(os.Getenv, log)
	if err != nil {
		log.Error("start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(apigw.Handler(h, log))
}
