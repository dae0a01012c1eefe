package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/crossregion/crossregion/contract"
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

// troubles are what is wrong with a region now: the roles of alarms that ring,
// and what its health endpoint answers. Of the [sharedName] only the latter: it
// leads somewhere, be that drained or not.
func (w watcher) troubles(ctx context.Context, region string, d deployed) ([]trouble, error) {
	found, err := w.ringing(ctx, region, d)
	if err != nil {
		return nil, err
	}
	if endpoint := d.endpoints[region]; endpoint != "" && !slices.Contains(w.ignore, healthRole) {
		isDrained, err := w.probe(ctx, endpoint+contract.HealthPath)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			found = append(found, trouble{healthRole, err.Error()})
		case isDrained && region != sharedName:
			found = append(found, trouble{drained, "it is drained"})
		}
	}
	slices.SortFunc(found, func(a, b trouble) int { return cmp.Compare(a.text, b.text) })
	return found, nil
}

func (w watcher) ringing(ctx context.Context, region string, d deployed) ([]trouble, error) {
	roles := map[string]string{}   // by the alarm's own name
	asked := map[string][]string{} // names by the region that has them
	for _, a := range d.alarms {
		if of, role := a.role(d); of == region && !slices.Contains(w.ignore, role) {
			roles[a.id] = role
			asked[a.at()] = append(asked[a.at()], a.id)
		}
	}
	var found []trouble
	for at, ids := range asked {
		ringing, err := w.alarms.Ringing(ctx, at, ids)
		if err != nil {
			return nil, fmt.Errorf("read the alarms of %s in %s: %w", region, at, err)
		}
		for _, id := range ringing {
			found = append(found, trouble{alarmPrefix + roles[id], alarmPrefix + roles[id] + " rings"})
		}
	}
	return found, nil
}

// attempts is how often a health endpoint may fail to answer: a lost packet is
// no bad version.
const attempts = 3

// probe asks a health endpoint. A region that is drained answers like one that
// fails, and says so.
func (w watcher) probe(ctx context.Context, url string) (isDrained bool, err error) {
	for range attempts {
		if isDrained, err = w.get(ctx, url); err == nil {
			return isDrained, nil
		}
		if err := w.clock.Sleep(ctx, time.Second); err != nil {
			return false, err
		}
	}
	return false, err
}

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 16

func (w watcher) get(ctx context.Context, url string) (isDrained bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	response, err := w.client.Do(request)
	if err != nil {
		return false, fmt.Errorf("health: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return false, fmt.Errorf("health: %w", err)
	}
	var answer struct{ Status string }
	switch {
	case response.StatusCode == http.StatusOK:
		return false, nil
	case response.StatusCode == http.StatusServiceUnavailable && json.Unmarshal(body, &answer) == nil && answer.Status == contract.HealthDrained:
		return true, nil
	}
	return false, fmt.Errorf("%s answers %d", url, response.StatusCode)
}
