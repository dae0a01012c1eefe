package floor

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// Invoke answers one event of API Gateway, whole.
func (h *Handler) Invoke(ctx context.Context, ev events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
	var c chat
	if err := json.Unmarshal([]byte(ev.Body), &c); err != nil {
		return nil, err
	}
	body, err := h.Answer(ctx, c)
	if err != nil {
		return nil, err
	}
	return &events.APIGatewayProxyStreamingResponse{
		StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": "application/json"}, Body: bytes.NewReader(body),
	}, nil
}
