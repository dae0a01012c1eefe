package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarms tell which of some alarms of a region ring.
type alarms interface {
	Ringing(ctx context.Context, region string, ids []string) ([]string, error)
}

// cloudWatch asks CloudWatch.
type cloudWatch struct{ cfg aws.Config }

// maxNames is how many alarms one call may name.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
const maxNames = 100

// Ringing implements alarms.
func (c cloudWatch) Ringing(ctx context.Context, region string, ids []string) ([]string, error) {
	client := cloudwatch.NewFromConfig(c.cfg, func(o *cloudwatch.Options) { o.Region = region })
	var ringing []string
	for chunk := range slices.Chunk(ids, maxNames) {
		out, err := client.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
			AlarmNames: chunk, StateValue: types.StateValueAlarm, MaxRecords: aws.Int32(maxNames),
		})
		if err != nil {
			return nil, err
		}
		for _, a := range out.MetricAlarms {
			ringing = append(ringing, aws.ToString(a.AlarmName))
		}
	}
	return ringing, nil
}

// watcher looks whether a region is well.
type watcher struct {
	alarms alarms
	client *http.Client
	clock  clock
	every  time.Duration // between two looks
	ignore []string      // roles of alarms
}

// role is the part that an alarm plays, and the region that it tells of.
func (a alarm) role(d deployed) (region, role string) {
	at, role, _ := strings.Cut(a.name, separator)
	if of, isHealth := strings.CutPrefix(role, "health-"); isHealth && d.endpoints[of] != "" {
		return of, "health"
	}
	return at, role
}

// at is the region that has an alarm: that it tells of, or where the state of
// health checks is known.
func (a alarm) at() string {
	at, _, _ := strings.Cut(a.name, separator)
	return at
}

// separator stands between an alarm's region and its role.
const separator = "-alarms-"

// troubles are what is wrong with a region now: the roles of alarms that ring,
// and what its health endpoint answers.
func (w watcher) troubles(ctx context.Context, region string, d deployed) ([]string, error) {
	roles := map[string]string{}   // by the alarm's own name
	asked := map[string][]string{} // names by the region that has them
	for _, a := range d.alarms {
		if of, role := a.role(d); of == region && !slices.Contains(w.ignore, role) {
			roles[a.id] = role
			asked[a.at()] = append(asked[a.at()], a.id)
		}
	}
	var found []string
	for at, ids := range asked {
		ringing, err := w.alarms.Ringing(ctx, at, ids)
		if err != nil {
			return nil, fmt.Errorf("read the alarms of %s in %s: %w", region, at, err)
		}
		for _, id := range ringing {
			found = append(found, "alarm "+roles[id]+" rings")
		}
	}
	switch err := w.probe(ctx, d.endpoints[region]); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		found = append(found, err.Error())
	}
	slices.Sort(found)
	return found, nil
}

// attempts is how often a health endpoint may fail to answer: a lost packet is
// no bad version.
const attempts = 3

func (w watcher) probe(ctx context.Context, endpoint string) error {
	if endpoint == "" {
		return nil
	}
	var err error
	for range attempts {
		if err = w.get(ctx, endpoint+"/healthz"); err == nil {
			return nil
		}
		if err := w.clock.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return err
}

func (w watcher) get(ctx context.Context, url string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := w.client.Do(request)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("health: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", url, response.StatusCode)
	}
	return nil
}

// errUnwell is in the chain of an error about a region that did not stay well.
var errUnwell = errors.New("not well")

// settle returns once a region has been quiet for the given time. What troubled
// it before may take as long to go; anything new ends the wait at once.
func (w watcher) settle(ctx context.Context, region string, quiet time.Duration, before []string, look func() (deployed, error)) error {
	d, err := look()
	if err != nil {
		return err
	}
	start := w.clock.Now()
	var since time.Time // of the first look that found nothing
	for {
		now, err := w.troubles(ctx, region, d)
		if err != nil {
			return err
		}
		added := slices.DeleteFunc(slices.Clone(now), func(t string) bool { return slices.Contains(before, t) })
		switch elapsed := w.clock.Now().Sub(start); {
		case len(added) > 0:
			return fmt.Errorf("%s is %w: %s", region, errUnwell, strings.Join(added, "; "))
		case len(now) > 0 && elapsed >= quiet:
			return fmt.Errorf("%s is %w, as it was before: %s", region, errUnwell, strings.Join(now, "; "))
		case len(now) > 0:
			since = time.Time{}
		default:
			if since.IsZero() {
				since = w.clock.Now()
			}
			if w.clock.Now().Sub(since) >= quiet {
				return nil
			}
		}
		if err := w.clock.Sleep(ctx, w.every); err != nil {
			return err
		}
	}
}
