package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flags are control tables of three regions that hold nothing but flags.
type flags struct {
	drained []string
	silent  []string // regions that answer nothing
	asked   []string // who was asked for what, in order
}

func (f *flags) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Credential=ID/DATE/REGION/SERVICE/aws4_request
	region := strings.Split(r.Header.Get("Authorization"), "/")[2]
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.asked = append(f.asked, region+" "+operation)
	body, _ := io.ReadAll(r.Body)
	has := func(drained string) bool { return strings.Contains(string(body), contract.DrainPartition(drained)+`"`) }
	switch {
	case slices.Contains(f.silent, region):
		w.WriteHeader(http.StatusBadRequest) // which no client repeats
	case operation == "GetItem" && slices.ContainsFunc(f.drained, has):
		_, _ = io.WriteString(w, `{"Item":{"sk":{"S":"drain"}}}`)
	default:
		_, _ = io.WriteString(w, `{}`)
	}
}

// TestWhoTellsOfTheLastRegion: the first that answers, and one that does not is
// asked once.
func TestWhoTellsOfTheLastRegion(t *testing.T) {
	tests := []struct {
		name  string
		flags flags
		want  string // "" for no error
		wrote string // where
	}{
		{"all answer", flags{}, "", "b"},
		{"the first is silent", flags{silent: []string{"b"}}, "", "c"},
		{"the first is silent, and the next knows that it is the last", flags{silent: []string{"b"}, drained: []string{"b", "c"}}, "all other regions are drained", ""},
		{"only the one to drain answers", flags{silent: []string{"b", "c"}}, "", "a"},
		{"it knows that it is the last", flags{silent: []string{"b", "c"}, drained: []string{"b", "c"}}, "all other regions are drained", ""},
		{"one of two others is drained", flags{drained: []string{"b"}}, "", "b"},
		{"none answers", flags{silent: []string{"a", "b", "c"}}, "write the flag of a", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(&tt.flags)
			defer server.Close()
			var out strings.Builder
			err := drain(t.Context(), &call{args: []string{"a"}, Streams: Streams{Out: &out}, stack: newStack(
				outputs{RegionalEndpoints: map[string]string{"a": "", "b": "", "c": ""}, ControlTable: "c"},
				aws.Config{BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})})
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			assert.Contains(t, out.String(), "a is drained, written in "+tt.wrote)
			assert.Equal(t, tt.wrote+" PutItem", tt.flags.asked[len(tt.flags.asked)-1])
			for _, silent := range tt.flags.silent {
				assert.NotContains(t, tt.flags.asked, silent+" PutItem")
			}
		})
	}
}
