package cloud

import (
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"time"
)

// place is where on earth a region stands, roughly.
type place struct{ latitude, longitude float64 }

// regions are those of the commercial partition that the embedded cloud knows.
var regions = map[string]place{
	"us-east-1": {38.9, -77.5}, "us-east-2": {40.0, -83.0}, "us-west-1": {37.4, -121.9}, "us-west-2": {45.8, -119.7},
	"ca-central-1": {45.5, -73.6}, "ca-west-1": {51.0, -114.1}, "mx-central-1": {20.6, -100.4}, "sa-east-1": {-23.5, -46.6},
	"eu-central-1": {50.1, 8.7}, "eu-central-2": {47.4, 8.5}, "eu-north-1": {59.3, 18.1}, "eu-south-1": {45.5, 9.2},
	"eu-south-2": {41.6, -0.9}, "eu-west-1": {53.3, -6.3}, "eu-west-2": {51.5, -0.1}, "eu-west-3": {48.9, 2.4},
	"il-central-1": {32.1, 34.8}, "me-central-1": {24.5, 54.4}, "me-south-1": {26.1, 50.5}, "af-south-1": {-33.9, 18.4},
	"ap-east-1": {22.3, 114.2}, "ap-east-2": {25.0, 121.5}, "ap-northeast-1": {35.7, 139.7}, "ap-northeast-2": {37.6, 127.0},
	"ap-northeast-3": {34.7, 135.5}, "ap-south-1": {19.1, 72.9}, "ap-south-2": {17.4, 78.5}, "ap-southeast-1": {1.4, 103.8},
	"ap-southeast-2": {-33.9, 151.2}, "ap-southeast-3": {-6.2, 106.8}, "ap-southeast-4": {-37.8, 145.0},
	"ap-southeast-5": {3.1, 101.7}, "ap-southeast-6": {-36.8, 174.8}, "ap-southeast-7": {13.8, 100.5},
}

// Regions returns the names of all regions, sorted.
func Regions() []string { return slices.Sorted(maps.Keys(regions)) }

// KnownRegion reports whether the embedded cloud has the region.
func KnownRegion(name string) bool {
	_, ok := regions[name]
	return ok
}

// RegionAddresses are the public addresses of all regions.
var RegionAddresses = net.IPNet{IP: net.IPv4(127, 77, 0, 0).To4(), Mask: net.CIDRMask(16, 32)}

// RegionIP is the public address of a region's API Gateway edge.
func RegionIP(name string) (string, error) {
	i, ok := slices.BinarySearch(Regions(), name)
	if !ok {
		return "", fmt.Errorf("region %q is not known to the embedded cloud", name)
	}
	return fmt.Sprintf("127.77.%d.1", i+1), nil
}

// Latency is the round-trip time between two regions, from the distance that
// light travels in fibre at about 100 km of round trip a millisecond, and a
// millisecond for the machines at both ends. Unknown regions are far from all.
func Latency(a, b string) time.Duration {
	from, okFrom := regions[a]
	to, okTo := regions[b]
	if !okFrom || !okTo {
		return 400 * time.Millisecond
	}
	return time.Millisecond + time.Duration(distance(from, to)/100*float64(time.Millisecond))
}

// distance is the great-circle distance in kilometres.
func distance(a, b place) float64 {
	const radius, degree = 6371, math.Pi / 180
	sinLat := math.Sin((b.latitude - a.latitude) * degree / 2)
	sinLon := math.Sin((b.longitude - a.longitude) * degree / 2)
	h := sinLat*sinLat + math.Cos(a.latitude*degree)*math.Cos(b.latitude*degree)*sinLon*sinLon
	return 2 * radius * math.Asin(math.Sqrt(h))
}
