package drill

import (
	"context"
	"net"
	"net/http"
	"slices"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/crossregion/crossregion/local/route53"
)

// isolate leaves a region to itself: only who stands in it reaches what is there.
func isolate(_ context.Context, d *drill) error {
	d.faults.Isolate(d.regions[0])
	d.running.Account.DynamoDB.SetFault(d.regions[0], &dynamodb.Fault{Isolated: true})
	return nil
}

// rejoin undoes isolate, after a look at whether the region was well within.
func rejoin(ctx context.Context, d *drill) error {
	d.wellInside = d.probeInside(ctx)
	d.faults.Rejoin(d.regions[0])
	return mend(ctx, d)
}

// probeInside tells whether the region's own name answers as healthy to who stands
// in the region.
func (d *drill) probeInside(ctx context.Context) bool {
	host := d.regions[0] + "." + d.running.Domain
	at, err := d.running.Account.Resolve(ctx, host)
	if err != nil {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+contract.HealthPath, nil)
	if err != nil {
		return false
	}
	inside := http.Client{Timeout: probeTimeout, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.running.Account.DialFrom(ctx, d.regions[0], net.JoinHostPort(at[0], "443"))
	}}}
	res, err := inside.Do(req)
	return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// wasWellInside wants that the region was not simply lost.
func wasWellInside(d *drill) []string {
	if d.wellInside {
		return nil
	}
	return []string{"the region was not well within either: the drill has shown nothing"}
}

// probedFirst puts the regions first that have checkers of Route 53.
func probedFirst(regions []string) []string {
	probed := func(region string) bool { return slices.Contains(route53.CheckerRegions(), region) }
	unprobed := slices.DeleteFunc(slices.Clone(regions), probed)
	return append(slices.DeleteFunc(slices.Clone(regions), func(region string) bool { return !probed(region) }), unprobed...)
}
