package lambda

import "math"

// routingInputs give some of an alias's invocations to a second version.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
type routingInputs struct {
	Weights map[string]float64 `json:"additionalVersionWeights,omitempty"`
}

// share is what a second version gets of an alias's invocations.
type share struct {
	version string
	weight  int // thousandths of an invocation
	owed    int // below one invocation
}

// invocationUnits are one invocation.
const invocationUnits = 1000

// checkWeights refuses what Lambda refuses of a.RoutingConfig. The caller holds
// s.mu.
func (f *function) checkWeights(in aliasInputs) error {
	if in.RoutingConfig == nil {
		return nil
	}
	if len(in.RoutingConfig.Weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1.")
	}
	for number, weight := range in.RoutingConfig.Weights {
		switch {
		case weight < 0 || weight > 1:
			return invalid("Weight %g of version %s is not from 0.0 to 1.0.", weight, number)
		case number == latest || in.FunctionVersion == latest:
			return invalid("$LATEST is not supported for an alias pointing to more than 1 version.")
		case number == in.FunctionVersion:
			return invalid("Invalid function version %s. Function version %s is already included in the alias.", number, number)
		case f.versions[number] == nil:
			return notFound("Function not found: %s:%s", f.arn, number)
		}
	}
	return nil
}

// weigh sets the shares of an alias. The caller holds s.mu.
func (f *function) weigh(alias string, routing *routingInputs) {
	delete(f.shares, alias)
	if routing == nil {
		return
	}
	for number, weight := range routing.Weights {
		f.shares[alias] = &share{version: number, weight: int(math.Round(weight * invocationUnits))}
	}
}

// route is the version that an alias leads to this time. Lambda draws lots;
// here every share comes when it is due. The caller holds s.mu.
func (f *function) route(alias string) string {
	s := f.shares[alias]
	if s == nil {
		return f.aliases[alias]
	}
	if s.owed += s.weight; s.owed < invocationUnits {
		return f.aliases[alias]
	}
	s.owed -= invocationUnits
	return s.version
}
