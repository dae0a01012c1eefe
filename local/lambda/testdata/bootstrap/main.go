// Command bootstrap is a function that does what its event says, at the pace of
// a gate: a server that it asks before each step.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type order struct {
	Do     string   `json:"do"`
	Text   string   `json:"text"`
	Gate   string   `json:"gate"`
	Chunks []string `json:"chunks"`
	Size   int      `json:"size"`
}

func main() {
	switch os.Getenv("START") {
	case "exit":
		fmt.Print("not today")
		os.Exit(1)
	case "quit":
		os.Exit(0)
	case "error":
		post("/2018-06-01/runtime/init/error", `{"errorType":"Config.Missing","errorMessage":"no table"}`)
		os.Exit(1)
	case "hang":
		time.Sleep(time.Hour)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "manual":
		pass(os.Getenv("GATE"), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
		time.Sleep(time.Hour)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, o order) (any, error) {
	if o.Gate != "" && o.Do != "stream" {
		pass(o.Gate, o.Do)
	}
	switch o.Do {
	case "answer":
		fmt.Println("says " + o.Text)
		return o.Text, nil
	case "context":
		return about(ctx)
	case "environment":
		return os.Environ(), nil
	case "large":
		return strings.Repeat("x", o.Size), nil
	case "print":
		fmt.Println(strings.Repeat("x", o.Size) + o.Text)
		return nil, nil
	case "fail":
		return nil, errors.New(o.Text)
	case "exit":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	case "stream":
		return stream(o), nil
	}
	return nil, fmt.Errorf("do not know how to %q", o.Do)
}

func about(ctx context.Context) (map[string]any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	dir, err := os.Getwd()
	return map[string]any{
		"pid": os.Getpid(), "dir": dir, "request": lc.AwsRequestID, "arn": lc.InvokedFunctionArn,
		"deadline": deadline.UnixMilli(), "trace": ctx.Value("x-amzn-trace-id"),
	}, err
}

func stream(o order) *events.APIGatewayProxyStreamingResponse {
	r, w := io.Pipe()
	go func() {
		for _, c := range o.Chunks {
			pass(o.Gate, c)
			if c == "break" {
				w.CloseWithError(errors.New(o.Text))
				return
			}
			if c == "exit" {
				os.Exit(3)
			}
			io.WriteString(w, c)
		}
		io.WriteString(w, strings.Repeat("x", o.Size))
		pass(o.Gate, "end")
		w.Close()
	}()
	return &events.APIGatewayProxyStreamingResponse{
		StatusCode: 200, Headers: map[string]string{"Content-Type": "text/event-stream"}, Body: r,
	}
}

// pass returns once the gate lets this process pass.
func pass(gate, word string) {
	resp, err := http.Get(gate + "/?word=" + url.QueryEscape(word))
	if err != nil {
		fmt.Println("gate:", err)
		return
	}
	resp.Body.Close()
}

func post(path, body string) {
	resp, err := http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, "application/json", strings.NewReader(body))
	if err != nil {
		fmt.Println("post:", err)
		return
	}
	resp.Body.Close()
}
