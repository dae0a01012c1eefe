// Package drill breaks a deployed stack on purpose, under a steady load of real
// clients in several places that hold conversations, and says whether what the
// gateway promises held. It knows the stack by what any client or operator can
// see of it. The same clients can watch a stack that others break.
package drill

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/crossregion/crossregion/local/place"
	"github.com/crossregion/crossregion/local/up"
)

// clientsEach is how many clients there are in each place: one goes on from
// response to response, the other holds a conversation and reads it back.
const clientsEach = 2

// The window W in which Route 53 finds out about a lost region and its clients
// ask again: probes with what each waits for an answer, what the checkers take to
// agree, and the TTL of a record. That of an alias to API Gateway is assumed to be
// 60 seconds. It is what the preview of such a stack prints.
const (
	probeInterval = 10 * time.Second
	probeTimeout  = 6 * time.Second
	threshold     = 3
	aggregation   = 10 * time.Second
	recordTTL     = 60 * time.Second
	window        = threshold*(probeInterval+probeTimeout) + aggregation + recordTTL
)

// drill is one scenario at work on one stack, whose first region is the one that
// suffers.
type drill struct {
	scenario
	*record
	running *up.Running
	faults  *fault.Board
	bedrock *bedrock.Service
	home    map[string]string // the region that DNS leads a place's clients to, by place
	// wellInside says whether a region that nobody else reached was well within.
	wellInside bool
	// heldUp are the calls and items that did not get through until the last
	// mending.
	heldUp int
}

// settings are those of a drilled stack: health checks at their quickest, limits
// that fit the speed of its time, and API keys, which its clients can be given
// whoever else is let in.
func settings(speed float64) map[string]any {
	return map[string]any{
		"auth":         map[string]any{"mode": "apiKey"},
		"healthChecks": map[string]any{"intervalSeconds": int(probeInterval.Seconds()), "threshold": threshold},
		"failover":     map[string]any{"firstContentSeconds": 20 / speed, "holdSeconds": 20 / speed, "idleSeconds": 60 / speed, "breakerOpenSeconds": 10 / speed},
	}
}

// waits are the waits of a drill's clients. The deployed functions keep the
// machine's time, so that none may be too short in it.
func waits(speed float64) patience {
	scaled := func(t time.Duration) time.Duration { return time.Duration(float64(t) / speed) }
	return patience{
		answer: max(8*time.Second, scaled(40*time.Second)),
		retry:  100 * time.Millisecond,
		think:  max(150*time.Millisecond, scaled(1500*time.Millisecond)),
	}
}

// run plays the scenario to its end.
func (d *drill) run(ctx context.Context, status func(string)) error {
	clients, err := d.clients(ctx)
	if err != nil {
		return err
	}
	d.setPace()
	if err := d.warmUp(ctx, clients); err != nil {
		return err
	}
	interruption := ctx
	ctx, cancel := context.WithTimeout(ctx, d.real(d.length))
	defer cancel()
	d.start = time.Now()
	var working sync.WaitGroup
	for _, c := range clients {
		working.Go(func() { c.work(ctx, interruption, d.add) })
	}
	working.Go(func() { d.readDNS(ctx) })
	working.Go(func() { d.tell(ctx, status) })
	err = d.play(ctx)
	working.Wait()
	return err
}

// warmUp has every client ask once, so that functions run and conversations have
// begun before time counts.
func (d *drill) warmUp(ctx context.Context, clients []*client) error {
	failures := make([]error, len(clients))
	var working sync.WaitGroup
	for n, c := range clients {
		working.Go(func() {
			waits := c.answer
			c.answer = time.Minute
			if s := c.next(ctx); s.failed() || s.wrong != "" {
				failures[n] = fmt.Errorf("before anything is broken, a client in %s is not answered: %v %s", c.place, s.failures, s.wrong)
			}
			c.answer = waits
		})
	}
	working.Wait()
	if ctx.Err() != nil {
		return nil // interrupted
	}
	return errors.Join(failures...)
}

// setPace makes the models of all regions as slow as the scenario wants them, and
// mends them.
func (d *drill) setPace() {
	for _, region := range d.regions {
		d.bedrock.SetFault(region, nil)
		if d.perDelta > 0 {
			d.bedrock.SetFault(region, &bedrock.Fault{PerDelta: d.perDelta})
		}
	}
}

// play takes each step at its time.
func (d *drill) play(ctx context.Context) error {
	for _, s := range d.steps {
		sleep(ctx, d.real(s.at)-time.Since(d.start))
		if ctx.Err() != nil {
			return nil // interrupted: nothing more is broken
		}
		d.mu.Lock()
		d.done = append(d.done, happened{s, time.Now()})
		d.mu.Unlock()
		if err := s.do(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

// readDNS reads from DNS where it sends the clients of each region.
func (d *drill) readDNS(ctx context.Context) {
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
func (r *record) tell(ctx context.Context, status func(string)) {
	for ctx.Err() == nil {
		requests, failed, last := r.progress()
		status(fmt.Sprintf("%s: %3.0f s of %.0f s, %d requests, %d failed%s", r.title,
			r.since(time.Now()).Seconds(), r.length.Seconds(), requests, failed, last))
		sleep(ctx, 200*time.Millisecond)
	}
}

// clients are the applications in all places, each with its own connections and
// resolver.
func (d *drill) clients(ctx context.Context) ([]*client, error) {
	var all []*client
	for _, at := range d.places {
		server, err := d.running.Account.ServeDNS(at)
		if err != nil {
			return nil, err
		}
		for n := range clientsEach {
			resolver := place.New(place.Config{
				Place: at, DNS: server, Speed: d.speed, Dial: d.running.Account.DialContext,
				Pinned: d.pinned && n == 0 && at == d.regions[0],
			})
			if d.home[at], err = resolver.Region(ctx, d.running.Domain); err != nil {
				return nil, err
			}
			all = append(all, &client{
				place: at, number: n, thread: n%2 == 1, model: d.running.Models[0], words: 40, patience: waits(d.speed),
				sdk: openai.NewClient(
					option.WithBaseURL("http://"+d.running.Domain+"/v1"), option.WithAPIKey(d.running.APIKey), option.WithMaxRetries(0),
					option.WithHTTPClient(resolver.Client()),
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

// marker is an item of the control table that nobody else reads.
func marker() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		contract.PartitionKey: &types.AttributeValueMemberS{Value: "drill"},
		contract.SortKey:      &types.AttributeValueMemberS{Value: "marker"},
	}
}

func (d *drill) leaveMarker(ctx context.Context, region string) error {
	_, err := d.operator(region).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(d.running.ControlTable), Item: marker()})
	return err
}

// hasMarker tells whether the marker has come to a region.
func (d *drill) hasMarker(ctx context.Context, region string) (bool, error) {
	got, err := d.operator(region).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(d.running.ControlTable), Key: marker(), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return false, err
	}
	return got.Item != nil, nil
}

func (d *drill) operator(region string) *dynamodb.Client {
	o := d.running.Account.IAM.Operator()
	return dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: aws.String(d.running.Account.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken),
	})
}
