package up_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"
)

// prober asks one region of a stack, the one that clients are near to, for all
// that it does.
type prober struct {
	*up.Running
	cloud   *altered
	targets []string // of the region's invoker, in order
}

// probe is one thing that the region does.
type probe struct {
	name string
	run  func(context.Context) error
}

func newProber(t *testing.T, root string, r *up.Running, a *altered) *prober {
	t.Helper()
	stack, err := deploy.Load(root, r.Stack)
	require.NoError(t, err)
	p := &prober{Running: r, cloud: a}
	for _, region := range stack.Settings.Regions {
		if region.Name == r.From {
			p.targets = append([]string{r.From}, region.Failover...)
		}
	}
	require.Greater(t, len(p.targets), 1)
	return p
}

// all returns the first failure of any probe. It breaks Bedrock in region after
// region, so that each target has to answer, and drains the region at the end.
func (p *prober) all(ctx context.Context) error {
	if err := p.eventually(probe{"state", p.state}).run(ctx); err != nil {
		return err
	}
	for i, target := range p.targets {
		var probes []probe
		for _, model := range p.Models {
			probes = append(probes, p.chat(model, target, true), p.chat(model, target, false))
		}
		if i == 0 {
			probes = append(probes, p.eventually(p.wrongKey()), p.health("healthy", http.StatusOK, contract.HealthPath, `"status":"ok"`),
				p.health("not drained", http.StatusOK, contract.DrainedPath(p.From), contract.DrainedAnswer(p.From, false)))
		} else {
			p.Account.Bedrock.SetFault(p.targets[i-1], &bedrock.Fault{Code: "ServiceUnavailableException"})
		}
		if err := together(ctx, probes); err != nil {
			return err
		}
	}
	return errors.Join(p.drained(ctx), p.logs())
}

// together runs probes at once and returns the first failure, which ends the
// others.
func together(ctx context.Context, probes []probe) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	for _, p := range probes {
		wg.Go(func() {
			if err := p.run(ctx); err != nil {
				stop(fmt.Errorf("%s: %w", p.name, err))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// chat expects an answer from a target.
func (p *prober) chat(model, target string, streamed bool) probe {
	how := map[bool]string{true: "streamed", false: "whole"}[streamed]
	return probe{fmt.Sprintf("a %s answer of %s by %s", how, model, target), func(ctx context.Context) error {
		var raw *http.Response
		c, params := client(p.Running), ask("Please say 1 word.")
		params.Model = model
		var err error
		if streamed {
			stream := c.Chat.Completions.NewStreaming(ctx, params, option.WithResponseInto(&raw))
			for stream.Next() {
			}
			err = stream.Err()
		} else {
			_, err = c.Chat.Completions.New(ctx, params, option.WithResponseInto(&raw))
		}
		if err != nil {
			return err
		}
		if got := raw.Header.Get(contract.HeaderTarget); got != target {
			return fmt.Errorf("answered by %s", got)
		}
		return nil
	}}
}

// wrongKey expects that the authorizer knows a wrong key.
func (p *prober) wrongKey() probe {
	return probe{"the refusal of a wrong key", func(ctx context.Context) error {
		c := client(p.Running, option.WithAPIKey("cr_aaaaaaaaaaaaaaaa."+strings.Repeat("a", 43)))
		_, err := c.Models.List(ctx)
		var refusal *openai.Error
		if !errors.As(err, &refusal) || refusal.Code != "invalid_api_key" {
			return fmt.Errorf("got %w", err)
		}
		return nil
	}}
}

// health expects an answer of the region's own address.
func (p *prober) health(name string, status int, path, body string) probe {
	return probe{"that the region is " + name, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Regions[p.From]+path, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		if err == nil && (resp.StatusCode != status || !strings.Contains(string(got), body)) {
			err = fmt.Errorf("got %d %s, want %d %s", resp.StatusCode, got, status, body)
		}
		return err
	}}
}

// drained sets the region's drain flag and expects that the region says so, as
// an answer about itself and about a partner.
func (p *prober) drained(ctx context.Context) error {
	if err := p.setFlag(ctx); err != nil {
		return err
	}
	return together(ctx, []probe{
		p.eventually(p.health("drained", http.StatusServiceUnavailable, contract.HealthPath, `"status":"drained"`)),
		p.eventually(p.health("drained, as it tells others", http.StatusOK, contract.DrainedPath(p.From), contract.DrainedAnswer(p.From, true))),
	})
}

// eventually repeats a probe until it succeeds: a busy machine may miss the time
// that the tables have for an answer. It gives up once something is denied.
func (p *prober) eventually(x probe) probe {
	return probe{x.name, func(ctx context.Context) error {
		ctx, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		before := p.denials()
		for {
			err := x.run(ctx)
			if err == nil || p.denials() > before {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return err
			}
		}
	}}
}

// denials counts what was denied so far.
func (p *prober) denials() int { return len(denied.FindAllString(p.log(), -1)) }

func (p *prober) setFlag(ctx context.Context) error {
	operator := p.Account.IAM.Operator()
	db := dynamodb.New(dynamodb.Options{
		Region: p.From, BaseEndpoint: aws.String(p.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(operator.AccessKeyID, operator.SecretAccessKey, operator.SessionToken),
	})
	_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(p.ControlTable), Item: map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.DrainPartition(p.From)},
		contract.SortKey:      &types.AttributeValueMemberS{Value: contract.DrainSort},
	}})
	return err
}

// logs expects that each function of the region has written its log, and that
// the invoker was not denied what it does without when it has to.
func (p *prober) logs() error {
	var errs []error
	for _, function := range functions() {
		if len(p.functionLog(function)) == 0 {
			errs = append(errs, fmt.Errorf("the log of the %s: has no line", function))
		}
	}
	for _, line := range p.functionLog(contract.FunctionInvoker) {
		uncounted := strings.Contains(line, "use not counted") || strings.Contains(line, "limits not read")
		if uncounted && denied.MatchString(line) {
			errs = append(errs, errors.New(line))
		}
	}
	return errors.Join(errs...)
}

func functions() []string {
	return []string{contract.FunctionInvoker, contract.FunctionHealth, contract.FunctionAuthorizer}
}

func (p *prober) functionLog(function string) []string {
	p.cloud.mu.Lock()
	defer p.cloud.mu.Unlock()
	return p.Account.Lambda.Logs(p.cloud.groups[p.From+"-"+function+"-logs"])
}

// log is all that the embedded cloud and the region's functions have logged.
func (p *prober) log() string {
	all := []string{p.cloud.log.String()}
	for _, function := range functions() {
		all = append(all, p.functionLog(function)...)
	}
	return strings.Join(all, "\n")
}

// denied is how refusals of IAM and of keys look in logs; the invoker logs their
// class.
var denied = regexp.MustCompile(`AccessDenied|not authorized to perform|"outcome":"denied"|` +
	`KMS key does not exist or is not allowed to be used|will not allow you to update the key policy`)
