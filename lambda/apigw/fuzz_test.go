package apigw_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzHandler gives a function events of any content. Each is answered, with a
// status that HTTP has, and none but those of a caller whom the authorizer named
// reach the handler as that caller's.
func FuzzHandler(f *testing.F) {
	for _, seed := range []string{
		`{"httpMethod":"POST","path":"/v1/chat/completions","body":"{}","requestContext":{"authorizer":{"tenant":"acme"}}}`,
		`{"httpMethod":"GET","path":"/v1/models/a%2Fb","multiValueQueryStringParameters":{"q":["1","2"]}}`,
		`{"httpMethod":"NO SUCH METHOD","path":"%zz"}`,
		`{"httpMethod":"POST","path":"//","body":"%%%","isBase64Encoded":true}`,
		`{"httpMethod":"POST","path":"","requestContext":{"authorizer":{"tenant":7,"expires":"soon","tokensPerDay":"-9"}}}`,
		`{"path":"/v1/\u0000","multiValueHeaders":{"a\nb":["c\r\nd"],"":[""]}}`,
		`{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var ev events.APIGatewayProxyRequest
		if json.Unmarshal(data, &ev) != nil {
			t.Skip("no event")
		}
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			named, _ := ev.RequestContext.Authorizer["tenant"].(string)
			assert.Equal(t, named, apigw.Identity(r.Context()).Tenant)
			_, err := io.Copy(w, r.Body)
			assert.NoError(t, err)
		})
		resp, err := apigw.Handler(h, slog.New(slog.DiscardHandler))(t.Context(), ev)
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Close())
		assert.Contains(t, []int{200, 400, 401, 403, 500, 503}, resp.StatusCode)
	})
}
