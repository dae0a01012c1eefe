package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func runOps(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	var out, asked bytes.Buffer
	err := Run(t.Context(), args, Streams{In: strings.NewReader(in), Out: &out, Err: &asked})
	return out.String(), err
}

// outputsFile are outputs of a stack that nobody reaches.
func outputsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outputs.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const deployed = `{"controlTable":"c","conversationTable":"t","recoveryPeriodInDays":35,
	"regionalEndpoints":{"eu-west-1":"https://a","eu-north-1":"https://b"},"dashboard":"https://d"}`

func TestMisuseIsToldBeforeAnythingIsDone(t *testing.T) {
	file := outputsFile(t, deployed)
	tests := []struct {
		name string
		args []string
		in   string
		want string
		code int
	}{
		{"no command", nil, "", "no command given", 2},
		{"an unknown command", []string{"keys", "delete", "x"}, "", `no command is called "keys"; did you mean keys revoke?`, 2},
		{"no stack", []string{"drains"}, "", "give one of --stack, --outputs and --local", 2},
		{"two stacks", []string{"drains", "--local", "--outputs", file}, "", "give one of", 2},
		{"a stack by its name and its outputs", []string{"drains", "--stack", "eu", "--outputs", file}, "", "give one of", 2},
		{"a misspelt command", []string{"key", "mint", "x"}, "", "did you mean keys mint?", 2},
		{"a misspelt command of one word", []string{"drian", "eu-west-1"}, "", "did you mean drain?", 2},
		{"an unknown flag", []string{"drains", "--force"}, "", "not defined: -force", 2},
		{"too few arguments", []string{"drain", "--outputs", file}, "", "drain needs REGION", 2},
		{"too many", []string{"drains", "--outputs", file, "x"}, "", `drains takes no argument "x"`, 2},
		{"another stack's region", []string{"drain", "us-east-1", "--outputs", file}, "", `no region "us-east-1": it has eu-north-1, eu-west-1`, 2},
		{"a key with its secret", []string{"keys", "revoke", "cr_abc.secret", "--outputs", file}, "", "without its secret", 2},
		{"a key of nobody", []string{"keys", "mint", "a b", "--outputs", file}, "", "the tenant must be", 2},
		{"days in the past", []string{"keys", "mint", "acme", "--days", "-1", "--outputs", file}, "", "give 1 to 3650", 2},
		{"no days", []string{"keys", "mint", "acme", "--days", "0", "--outputs", file}, "", "give 1 to 3650, or leave it out", 2},
		{"days beyond all calendars", []string{"keys", "mint", "acme", "--days", "99999999", "--outputs", file}, "", "give 1 to 3650", 2},
		{"a share twice", []string{"tenants", "set", "acme", "--shares", "eu-west-1=50,eu-west-1=20", "--outputs", file}, "", "the share of eu-west-1 is given twice", 2},
		{"a wait for the past", []string{"erase", "acme", "--yes", "--wait", "-1s", "--outputs", file}, "", "--wait is -1s", 2},
		{"a share of nothing", []string{"tenants", "set", "acme", "--shares", "eu-west-1", "--outputs", file}, "", "is not REGION=PERCENT", 2},
		{"a share of another region", []string{"tenants", "set", "acme", "--shares", "us-east-1=5", "--outputs", file}, "", `no region "us-east-1"`, 2},
		{"a tenant that is none", []string{"erase", "a b", "--yes", "--outputs", file}, "", "the tenant must be", 2},
		{"another name as the answer", []string{"erase", "acme", "--outputs", file}, "acm\n", "nothing was erased", 1},
		{"no answer", []string{"erase", "acme", "--outputs", file}, "", "nothing was erased", 1},
		{"no file", []string{"drains", "--outputs", file + "x"}, "", "no such file", 1},
		{"outputs of something else", []string{"drains", "--outputs", outputsFile(t, `{}`)}, "", "controlTable, conversationTable or regionalEndpoints is missing", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := runOps(t, tt.in, tt.args...)
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.code, exitCode(err))
			assert.Empty(t, out)
		})
	}
}

// TestAMistakeIsToldOnce, and not for each region that would say the same.
func TestAMistakeIsToldOnce(t *testing.T) {
	file := outputsFile(t, deployed)
	for want, args := range map[string][]string{
		"-5 tokens per minute": {"tenants", "set", "acme", "--tokens-per-minute", "-5"},
		"models[0] is":         {"keys", "mint", "acme", "--models", "A"},
		`"nope" is no id`:      {"keys", "revoke", "nope"},
	} {
		_, err := runOps(t, "", append(args, "--outputs", file)...)
		require.ErrorContains(t, err, want)
		assert.Equal(t, 1, strings.Count(err.Error(), want), err)
	}
}

func TestPulumiIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := runOps(t, "", "drains", "--stack", "prod")
	assert.ErrorContains(t, err, "pulumi is not in PATH: install it, or give --outputs FILE")
}

func TestNoLocalStackRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := runOps(t, "", "drains", "--local")
	assert.ErrorContains(t, err, "start go run ./local up")
}

func TestHelp(t *testing.T) {
	for _, word := range []string{"help", "-h", "--help"} {
		out, err := runOps(t, "", word)
		require.NoError(t, err)
		for _, c := range tasks() {
			assert.Contains(t, out, "  "+c.name)
		}
	}
}

func TestEveryTaskHasHelpOfItsOwn(t *testing.T) {
	for _, c := range tasks() {
		out, err := runOps(t, "", append(strings.Fields(c.name), "-h")...)
		require.NoError(t, err)
		assert.Contains(t, out, "usage: go run ./ops "+c.name)
		assert.Contains(t, out, "examples:\n  go run ./ops "+c.name)
	}
}

// TestAReceiptIsHonest about a region that was not swept: nothing is forgotten.
func TestAReceiptIsHonest(t *testing.T) {
	var out bytes.Buffer
	c := &call{stack: &stack{}, Streams: Streams{Out: &out}, json: true}
	r := receipt{Tenant: "acme", Complete: true, NotCovered: erasure{}.notCovered()}
	r.add(found{[]conversation.Erased{{Region: "a", Items: 3}, {Region: "b", Items: 1}}, []conversation.Erased{{Items: 4}, {Err: context.DeadlineExceeded}}},
		found{[]conversation.Erased{{Region: "a", Items: 2}, {Region: "b"}}, []conversation.Erased{{Items: 1}, {}}})
	assert.ErrorContains(t, c.close(r), "run it again")
	var got receipt
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.False(t, got.Complete)
	assert.Nil(t, got.Forgotten)
	assert.Equal(t, swept{Region: "a", First: 3, Second: 2, Usage: 5}, got.Regions[0])
	assert.Equal(t, "context deadline exceeded", got.Regions[1].Error)
	assert.Contains(t, r.text(), "NOT COMPLETE")
	assert.Contains(t, r.text(), "5 records of usage removed")
}
