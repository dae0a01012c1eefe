package signing_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/crossregion/crossregion/docs/signing"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// The official OpenAI SDK calls a stack under the name that its regions share,
// with whatever credentials the AWS SDK finds.
func ExampleTransport() {
	ctx := context.Background()
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client := openai.NewClient(
		option.WithBaseURL("https://eu.llm.example.com/v1"),
		option.WithHTTPClient(&http.Client{Transport: &signing.Transport{
			Credentials: aws.Credentials,
			Regions:     []string{"eu-central-1", "eu-west-1", "eu-north-1"},
		}}),
	)
	answer, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model: "claude-sonnet", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hello")},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Choices[0].Message.Content)
}
