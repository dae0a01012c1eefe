package route53

import (
	"fmt"
	"regexp"
	"slices"
)

// location is a place in Route 53's terms: ISO codes, and two-letter
// continents. A record for everybody else has country "*".
type location struct{ continent, country, subdivision string }

func (l location) String() string { return l.continent + l.country + l.subdivision }

var code = regexp.MustCompile(`^([A-Z]{2}|\*)$`)

// parseLocation checks a geolocation policy.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_GeoLocation.html
func parseLocation(in geographicInputs) (location, error) {
	switch {
	case (in.Continent == "") == (in.Country == ""):
		return location{}, fmt.Errorf("geolocation names a continent %q and a country %q, want one of them", in.Continent, in.Country)
	case in.Continent != "" && !slices.Contains([]string{"AF", "AN", "AS", "EU", "NA", "OC", "SA"}, in.Continent):
		return location{}, fmt.Errorf("continent %q is not known", in.Continent)
	case in.Country != "" && !code.MatchString(in.Country):
		return location{}, fmt.Errorf("country %q is neither two capital letters nor *", in.Country)
	case in.Subdivision != "" && !slices.Contains([]string{"US", "CA", "UA"}, in.Country):
		return location{}, fmt.Errorf("subdivision %q: only US, CA and UA have any", in.Subdivision)
	default:
		return location{in.Continent, in.Country, in.Subdivision}, nil
	}
}

// contains reports whether a viewer's full location lies in that of a record.
func (l location) contains(viewer location) bool {
	return l.country == "*" ||
		((l.continent == "" || l.continent == viewer.continent) && (l.country == "" || l.country == viewer.country) &&
			(l.subdivision == "" || l.subdivision == viewer.subdivision))
}

func (l location) precision() int {
	switch {
	case l.subdivision != "":
		return 3
	case l.country != "" && l.country != "*":
		return 2
	case l.continent != "":
		return 1
	default:
		return 0
	}
}

// locate tells where viewers near a region are. An unknown region is nowhere,
// as the addresses that Route 53 cannot map.
func locate(region string) location { return places[region] }

var places = map[string]location{
	"us-east-1": {"NA", "US", "VA"}, "us-east-2": {"NA", "US", "OH"}, "us-west-1": {"NA", "US", "CA"}, "us-west-2": {"NA", "US", "OR"},
	"ca-central-1": {"NA", "CA", "QC"}, "ca-west-1": {"NA", "CA", "AB"}, "mx-central-1": {"NA", "MX", ""}, "sa-east-1": {"SA", "BR", ""},
	"eu-central-1": {"EU", "DE", ""}, "eu-central-2": {"EU", "CH", ""}, "eu-north-1": {"EU", "SE", ""}, "eu-south-1": {"EU", "IT", ""},
	"eu-south-2": {"EU", "ES", ""}, "eu-west-1": {"EU", "IE", ""}, "eu-west-2": {"EU", "GB", ""}, "eu-west-3": {"EU", "FR", ""},
	"il-central-1": {"AS", "IL", ""}, "me-central-1": {"AS", "AE", ""}, "me-south-1": {"AS", "BH", ""}, "af-south-1": {"AF", "ZA", ""},
	"ap-east-1": {"AS", "HK", ""}, "ap-east-2": {"AS", "TW", ""}, "ap-northeast-1": {"AS", "JP", ""}, "ap-northeast-2": {"AS", "KR", ""},
	"ap-northeast-3": {"AS", "JP", ""}, "ap-south-1": {"AS", "IN", ""}, "ap-south-2": {"AS", "IN", ""}, "ap-southeast-1": {"AS", "SG", ""},
	"ap-southeast-2": {"OC", "AU", ""}, "ap-southeast-3": {"AS", "ID", ""}, "ap-southeast-4": {"OC", "AU", ""},
	"ap-southeast-5": {"AS", "MY", ""}, "ap-southeast-6": {"OC", "NZ", ""}, "ap-southeast-7": {"AS", "TH", ""},
}
