package dynamodb_test

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const arn = "arn:aws:dynamodb:us-east-1:123456789012:table/conversations"

func TestEveryCallIsAuthorized(t *testing.T) {
	b := global(t)
	b.put(t, home, keyed("p", "s"))
	b.get(t, home, keyed("p", "s"))
	_, err := b.client(home).Query(t.Context(), queryOf("pk = :p"))
	require.NoError(t, err)
	_, err = b.client(home).UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String(tbl), Key: keyed("p", "s")})
	require.NoError(t, err)
	_, err = b.client(home).Scan(t.Context(), &sdk.ScanInput{TableName: aws.String(tbl)})
	require.NoError(t, err)
	b.delete(t, home, keyed("p", "s"))
	assert.Equal(t, []string{
		"dynamodb:PutItem on " + arn + " for p", "dynamodb:GetItem on " + arn + " for p",
		"dynamodb:Query on " + arn + " for p", "dynamodb:UpdateItem on " + arn + " for p", "dynamodb:Scan on " + arn + " for ",
		"dynamodb:DeleteItem on " + arn + " for p",
	}, b.iam.asked)

	b.iam.deny = true
	for _, name := range []string{tbl, "no-such-table"} {
		_, err = b.client(home).PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(name), Item: keyed("p", "s")})
		refused(t, err, "AccessDeniedException", "dynamodb:PutItem")
	}
	b.iam.deny = false
	assert.Nil(t, b.get(t, home, keyed("p", "s")), "a denied write is not done")
}

func TestATableMayBeNamedByItsARN(t *testing.T) {
	b := global(t)
	_, err := b.client(home).GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(arn), Key: keyed("p", "s")})
	require.NoError(t, err)
	_, err = b.client(far).GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(arn), Key: keyed("p", "s")})
	refused(t, err, "ValidationException", "a table in us-west-2")
}

func TestOtherOperationsAreUnknown(t *testing.T) {
	b := global(t)
	_, err := b.client(home).DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String(tbl)})
	refused(t, err, "UnknownOperationException", "DescribeTable is not known to this stand-in")
	resp, body := b.post(t, "GetItem", "{}")
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Contains(t, body, "UnknownOperationException")
}

func TestBodiesThatTheSDKWouldNotSend(t *testing.T) {
	value := func(v string) string { return `{"TableName":"conversations","Item":{"pk":` + v + `}}` }
	tests := []struct{ name, body, code, want string }{
		{"no JSON", `hello`, "SerializationException", "invalid character"},
		{"two requests", `{}{}`, "SerializationException", "more than one JSON value"},
		{"an unknown parameter", `{"Expected":{}}`, "ValidationException", `parameter \"Expected\" of PutItem is not known`},
		{"a value without type", value(`{}`), "ValidationException", "0 datatypes"},
		{"a value of two types", value(`{"S":"a","N":"1"}`), "ValidationException", "2 datatypes"},
		{"a value of an unknown type", value(`{"X":"a"}`), "ValidationException", "unknown datatype X"},
		{"a text that is a number", value(`{"S":1}`), "SerializationException", "cannot unmarshal number"},
		{"a binary that is not base64", value(`{"B":"%"}`), "SerializationException", "not base64"},
		{"a table without name", `{}`, "ValidationException", "tableName"},
		{"a body over the limit", strings.Repeat(" ", dynamodb.MaxBodyBytes+1), "ValidationException", "could not be read"},
	}
	b := global(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := b.post(t, "DynamoDB_20120810.PutItem", tt.body)
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			assert.Contains(t, body, `"__type":"com.amazonaws.dynamodb.v20120810#`+tt.code+`"`)
			assert.Contains(t, body, tt.want)
		})
	}
}

func TestResponsesCarryChecksumAndID(t *testing.T) {
	b := global(t)
	first, body := b.post(t, "DynamoDB_20120810.PutItem", "{}")
	second, _ := b.post(t, "DynamoDB_20120810.PutItem", "{}")
	assert.Equal(t, fmt.Sprint(crc32.ChecksumIEEE([]byte(body))), first.Header.Get("X-Amz-Crc32"))
	assert.Equal(t, "application/x-amz-json-1.0", first.Header.Get("Content-Type"))
	assert.Len(t, first.Header.Get("X-Amzn-RequestId"), 52)
	assert.NotEqual(t, first.Header.Get("X-Amzn-RequestId"), second.Header.Get("X-Amzn-RequestId"))
}

func TestCloseDropsAllTables(t *testing.T) {
	b := global(t)
	require.NoError(t, b.Close())
	_, err := b.client(home).GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(tbl), Key: keyed("p", "s")})
	refused(t, err, "ResourceNotFoundException", "no replica")
}

func TestAValueIsTheSameHoweverItIsWritten(t *testing.T) {
	tests := []struct{ name, json, want string }{
		{"without white space", `{"S":"a"}`, "a"},
		{"with white space", "{ \"S\" :\n\"a\" }", "a"},
		{"with what could stand as it is escaped", `{"\u0053":"\u0061"}`, "a"},
		{"with a quote", `{"S":"a\"b"}`, `a"b`},
		{"that looks like the end of one", `{"S":"\"}"}`, `"}`},
		{"with a backslash at the end", `{"S":"a\\"}`, `a\`},
		{"that is no UTF-8", "{\"S\":\"a\xff\"}", "a\ufffd"},
	}
	b := global(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := b.post(t, "DynamoDB_20120810.PutItem", `{"TableName":"conversations","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"t":`+tt.json+`}}`)
			require.Equal(t, http.StatusOK, resp.StatusCode, body)
			assert.Equal(t, str(tt.want), b.get(t, home, keyed("p", "s"))["t"])
		})
	}
}
