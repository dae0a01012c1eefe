package tables_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/tables"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refusing answers so many calls with an error, at once.
type refusing struct {
	times int
	hosts []string
}

// Do implements [aws.HTTPClient].
func (r *refusing) Do(req *http.Request) (*http.Response, error) {
	r.hosts = append(r.hosts, req.URL.Host)
	status, body := http.StatusOK, `{}`
	if len(r.hosts) <= r.times {
		status, body = http.StatusInternalServerError, `{"__type":"InternalServerError"}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestACallIsRepeatedOnceAndSoon(t *testing.T) {
	const host = "dynamodb.eu-central-1.amazonaws.com"
	for refused, want := range map[int]struct {
		hosts []string
		fails bool
	}{
		0: {[]string{host}, false}, 1: {[]string{host, host}, false}, 2: {[]string{host, host}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &refusing{times: refused}
			c := tables.Client(aws.Config{Region: "eu-west-1", HTTPClient: r, Credentials: aws.AnonymousCredentials{}}, "eu-central-1")
			started := time.Now()
			_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName: aws.String("content"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "x"}},
			})
			require.Equal(t, want.fails, err != nil, err)
			assert.Equal(t, want.hosts, r.hosts)
			assert.Less(t, time.Since(started), conversation.DefaultCallTimeout/10, "a refusal is no silence")
		})
	}
}
