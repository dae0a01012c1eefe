package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/local/bench/upstream"
)

// idleTarget is what two regions may cost a month while nobody asks.
const idleTarget = 25

// Of a month, and of what cannot be measured here.
const (
	monthSeconds = 730 * 3600
	// probesPerSecond reach an endpoint from all eight regions of checkers at an
	// interval of 30 s: "about every two seconds", however many these are.
	// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
	probesPerSecond = 0.5
	allPlaces       = 8.0 // regions of checkers, which count as equally many
	fewestPlaces    = 3.0 // that Route 53 takes
	// healthSeconds is what a probe's invocation is billed: one read of DynamoDB.
	healthSeconds = 0.005
	healthGB      = 0.25
	invokerGB     = 0.5
	// answerSeconds and answerWords are those of an answer that people wait for:
	// the function is held for as long as the model speaks.
	answerSeconds = 5.0
	answerWords   = 250.0
	// platformLogBytes are Lambda's own lines about an invocation, as JSON.
	platformLogBytes = 600
	gigabyte         = 1e9
	million          = 1e6
)

// traffic is what a request leaves behind, as measured.
type traffic struct {
	logBytes  float64 // in the invoker's log
	wordBytes float64 // to the client for each word
}

// money makes a bill of what was measured and of what AWS asks for.
func money(ctx context.Context, b *bench) ([]Figure, error) {
	p, err := readPrices()
	if err != nil {
		return nil, err
	}
	t, err := b.measureTraffic(ctx)
	if err != nil {
		return nil, err
	}
	figures := []Figure{
		figure("log of a streamed request", "B", t.logBytes),
		figure("sent to the client for a word", "B", t.wordBytes),
	}
	var two float64
	for _, regions := range []int{2, 3} {
		stack, err := b.preview(ctx, regions)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure(fmt.Sprintf("metrics of alarms, %d regions", regions), "", float64(alarmMetrics(stack.made))))
		idle, total, err := idleFigures(p, stack)
		if err != nil {
			return nil, err
		}
		if regions == 2 {
			two = total
		}
		serving, err := servingFigures(ctx, p, t, regions)
		if err != nil {
			return nil, err
		}
		figures = append(append(figures, idle...), serving...)
	}
	for _, a := range p.Alternatives {
		figures = append(figures, figure("idle a month, as published: "+a.Name, "$", a.USD).over(two))
	}
	b.note("%s", p.note())
	return figures, nil
}

// servingFigures are what a million streamed answers cost, and what state adds.
func servingFigures(ctx context.Context, p prices, t traffic, regions int) ([]Figure, error) {
	b := newBill(p)
	b.add("API Gateway", "apiGatewayRequest", million)
	b.add("Lambda", "lambdaRequest", million)
	b.add("Lambda", "lambdaSecond", million*answerSeconds*invokerGB)
	b.add("records of usage", "dynamodbWrite", million*float64(regions))
	b.add("logs", "logGigabyte", million*(t.logBytes+platformLogBytes)/gigabyte)
	b.add("transfer to clients", "transferOut", million*answerWords*t.wordBytes/gigabyte)
	of := fmt.Sprintf("a million streamed answers, %d regions", regions)
	figures, err := b.figures(of)
	if err != nil {
		return nil, err
	}
	kept := newBill(p)
	turn, err := turnUnits(ctx, regions)
	if err != nil {
		return nil, err
	}
	kept.add("DynamoDB", "dynamodbWrite", million*turn.writes)
	kept.add("DynamoDB", "dynamodbRead", million*turn.reads)
	kept.add("DynamoDB", "dynamodbStorage", million*turn.bytes/gigabyte*float64(regions))
	// A turn goes to the partner, and from both to all other regions.
	kept.add("transfer", "transferRegion", million*turn.bytes/gigabyte*float64(1+2*(regions-1)))
	figures = append(figures, figure(starred(of+": what keeping the tenth turn for a month adds", true), "$", kept.total()).over(b.total()))
	metrics := newBill(p)
	metrics.add("CloudWatch", "customMetric", float64(regions*emitted*(1+len(models))))
	return append(figures, figure(starred(fmt.Sprintf("a month with any request, %d regions: the gateway's own metrics", regions), true), "$", metrics.total())),
		errors.Join(kept.err, metrics.err)
}

// emitted is how many of the gateway's metrics an ordinary request has.
const emitted = 8

// turnCosts are what DynamoDB bills for the tenth turn of a thread.
type turnCosts struct {
	units
	bytes float64 // of the turn
}

func turnUnits(ctx context.Context, regions int) (turnCosts, error) {
	l := newLedger(regions)
	store, err := newStore(map[string]conversation.DynamoDB{home: l, partner: l}, partner)
	if err != nil {
		return turnCosts{}, err
	}
	t := newThread(store)
	const turns = 9
	for range turns {
		if err := t.say(ctx, turnBytes); err != nil {
			return turnCosts{}, err
		}
	}
	before := l.billed
	if err := t.load(ctx, turns); err != nil {
		return turnCosts{}, err
	}
	if err := t.say(ctx, turnBytes); err != nil {
		return turnCosts{}, err
	}
	return turnCosts{l.since(before), l.meanBytes()}, nil
}

// meanBytes is the size of an item.
func (l *ledger) meanBytes() float64 {
	var sizes []float64
	for _, p := range l.partitions {
		for _, it := range p.items {
			sizes = append(sizes, float64(itemBytes(it)))
		}
	}
	return mean(sizes)
}

// measureTraffic has the gateway answer, and looks at what that leaves behind.
func (b *bench) measureTraffic(ctx context.Context) (_ traffic, err error) {
	s, err := b.openStand(ctx)
	if err != nil {
		return traffic{}, err
	}
	defer func() { err = closing(err, s.close()) }()
	log, err := os.Create(filepath.Join(b.dir, "gateway.log"))
	if err != nil {
		return traffic{}, err
	}
	defer func() { err = closing(err, log.Close()) }()
	url, err := s.logged(ctx, b, log)
	if err != nil {
		return traffic{}, err
	}
	begun, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return traffic{}, err
	}
	const requests = 3
	sent := 0
	for range requests {
		n, err := answerBytes(ctx, url+"/v1/chat/completions", ask(upstream.Paced, true, message{"user", question}))
		if err != nil {
			return traffic{}, err
		}
		sent += n
	}
	s.lanes["logged"].proc.stop()
	ended, err := log.Seek(0, io.SeekEnd)
	return traffic{float64(ended-begun) / requests, float64(sent) / requests / upstream.PacedWords}, err
}

// logged starts the gateway with a log that is kept, and returns its URL once it
// has answered.
func (s *stand) logged(ctx context.Context, b *bench, log *os.File) (string, error) {
	path, err := b.binary(ctx, "gateway")
	if err != nil {
		return "", err
	}
	env, err := s.data.environment(s.url)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, "-tenant", tenant)
	cmd.Stdout = log
	p, url, err := serveCommand(cmd, env)
	if err != nil {
		return "", err
	}
	s.lanes["logged"] = &lane{name: "logged", proc: p}
	_, err = answerBytes(ctx, url+"/v1/chat/completions", ask(upstream.Instant, false, message{"user", question}))
	return url, err
}

// answerBytes returns the length of the body of an answer.
func answerBytes(ctx context.Context, url, body string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, err
	}
	req.Header = jsonHeader
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := closing(err, resp.Body.Close()); err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d: %.300s", resp.StatusCode, answer)
	}
	return len(answer), nil
}
