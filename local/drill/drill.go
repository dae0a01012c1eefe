// Package drill breaks a deployed stack on purpose, under a steady load of real
// clients in several places that hold conversations, and says whether what the
// gateway promises held. It knows the stack by what any client or operator can
// see of it.
package drill

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/fault"
	"github.com/crossregion/crossregion/local/up"
)

// Load of a drill: how many clients there are in each place, and how long each
// thinks between two requests, in real time.
const (
	clientsEach = 2
	think       = 150 * time.Millisecond
)

// The window W in which Route 53 finds out about a lost region and its clients
// ask again: probes, what the checkers take to agree, and the TTL of a record.
// That of an alias to API Gateway is assumed to be 60 seconds.
const (
	probeInterval = 10 * time.Second
	threshold     = 3
	aggregation   = 10 * time.Second
	recordTTL     = 60 * time.Second
	window        = threshold*probeInterval + aggregation + recordTTL
)

// drill is one scenario at work on one stack.
type drill struct {
	scenario
	running *up.Running
	faults  *fault.Board
	bedrock *bedrock.Service
	regions []string // of the stack; the first is the one that suffers
	places  []string // of clients, those of the regions first
	speed   float64
	start   time.Time

	mu      sync.Mutex
	samples []sample
	health  []reading
	done    []happened // steps, when they were taken
}

// happened is a step with its time.
type happened struct {
	step
	time time.Time
}

// reading is whether Route 53 sent clients of a region there at some time.
type reading struct {
	at      time.Time
	region  string
	healthy bool
}

// settings are those of a drilled stack: health checks at their quickest, and
// limits that fit the speed of its time.
func settings(speed float64) map[string]any {
	return map[string]any{
		"healthChecks": map[string]any{"intervalSeconds": int(probeInterval.Seconds()), "threshold": threshold},
		"failover":     map[string]any{"firstContentSeconds": 20 / speed, "holdSeconds": 20 / speed, "idleSeconds": 60 / speed, "breakerOpenSeconds": 10 / speed},
	}
}

// real turns the cloud's time into this machine's.
func (d *drill) real(t time.Duration) time.Duration { return time.Duration(float64(t) / d.speed) }

// cloud turns a moment into the cloud's time since the start.
func (d *drill) cloud(t time.Time) time.Duration {
	return time.Duration(float64(t.Sub(d.start)) * d.speed)
}

// run plays the scenario to its end.
func (d *drill) run(ctx context.Context, status func(string)) error {
	clients, err := d.clients()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, d.real(d.length()))
	defer cancel()
	d.start = time.Now()
	var working sync.WaitGroup
	for _, c := range clients {
		working.Go(func() { d.work(ctx, c) })
	}
	working.Go(func() { d.watch(ctx) })
	working.Go(func() { d.tell(ctx, status) })
	err = d.play(ctx)
	working.Wait()
	return err
}

// work keeps one client asking.
func (d *drill) work(ctx context.Context, c *client) {
	for ctx.Err() == nil {
		s := c.request(context.WithoutCancel(ctx))
		d.mu.Lock()
		d.samples = append(d.samples, s)
		d.mu.Unlock()
		sleep(ctx, think)
	}
}

// play takes each step at its time.
func (d *drill) play(ctx context.Context) error {
	for _, s := range d.steps {
		sleep(ctx, d.real(s.at)-time.Since(d.start))
		d.mu.Lock()
		d.done = append(d.done, happened{s, time.Now()})
		d.mu.Unlock()
		if err := s.do(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

// watch reads from DNS where it sends the clients of each region.
func (d *drill) watch(ctx context.Context) {
	for ctx.Err() == nil {
		for _, region := range d.regions {
			own, err := d.running.Account.Resolve(ctx, region+"."+d.running.Domain)
			if err != nil {
				continue // the end of the drill
			}
			leads, err := d.running.Account.Resolve(ctx, "failover-"+region+"."+d.running.Domain)
			if err != nil {
				continue
			}
			d.mu.Lock()
			d.health = append(d.health, reading{time.Now(), region, leads[0] == own[0]})
			d.mu.Unlock()
		}
		sleep(ctx, d.real(2*time.Second))
	}
}

// tell keeps one line about how it goes.
func (d *drill) tell(ctx context.Context, status func(string)) {
	for ctx.Err() == nil {
		d.mu.Lock()
		failed := 0
		for _, s := range d.samples {
			if s.failed() {
				failed++
			}
		}
		line := fmt.Sprintf("%s: %3.0f s of %.0f s, %d requests, %d failed", d.name,
			d.cloud(time.Now()).Seconds(), d.length().Seconds(), len(d.samples), failed)
		if n := len(d.done); n > 0 {
			line += ", " + d.done[n-1].what
		}
		d.mu.Unlock()
		status(line)
		sleep(ctx, 200*time.Millisecond)
	}
}

// clients are the applications in all places, each with its own connections and
// resolver.
func (d *drill) clients() ([]*client, error) {
	var all []*client
	for _, place := range d.places {
		server, err := d.running.Account.ServeDNS(place)
		if err != nil {
			return nil, err
		}
		for n := range clientsEach {
			r := &resolver{server: server, speed: d.speed, known: map[string]answer{}}
			r.forever = d.stale && n == 0 && place == d.regions[0]
			all = append(all, &client{
				place: place, number: n, model: d.running.Models[0], now: time.Now, counts: true,
				sdk: openai.NewClient(
					option.WithBaseURL("http://"+d.running.Domain+"/v1"), option.WithAPIKey(d.running.APIKey), option.WithMaxRetries(0),
					option.WithHTTPClient(&http.Client{Transport: r.transport(place, d.speed, d.running.Account.DialContext)}),
				),
			})
		}
	}
	return all, nil
}

// drain writes the flag of the first region into the table of the second, as an
// operator does.
func (d *drill) drain(ctx context.Context) error {
	_, err := d.operator(d.regions[1]).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(d.running.ControlTable), Item: flagOf(d.regions[0])})
	return err
}

func (d *drill) undrain(ctx context.Context) error {
	_, err := d.operator(d.regions[1]).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(d.running.ControlTable), Key: flagOf(d.regions[0])})
	return err
}

func flagOf(region string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: contract.DrainPartition(region)},
		contract.SortKey:      &types.AttributeValueMemberS{Value: contract.DrainSort},
	}
}

func (d *drill) operator(region string) *dynamodb.Client {
	o := d.running.Account.IAM.Operator()
	return dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: aws.String(d.running.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken),
	})
}
