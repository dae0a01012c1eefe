package openai

import (
	"errors"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// parameters are the names of one API for what a model may be unable to do.
type parameters map[converse.Feature]string

// chatParameters are the names in chat completions.
var chatParameters = parameters{
	converse.FeatureTools: "tools", converse.FeatureToolChoice: "tool_choice", converse.FeatureSingle: "parallel_tool_calls",
	converse.FeatureFormat: "response_format", converse.FeatureEffort: "reasoning_effort",
	converse.FeatureMaxTokens: "max_completion_tokens", converse.FeatureTemperature: "temperature",
	converse.FeatureTopP: "top_p", converse.FeatureStop: "stop", converse.FeatureMessages: "messages",
}

// blame turns what an inference failed with into an answer that names the
// parameter to blame, if anybody knows it.
func (p parameters) blame(err error) error {
	if err == nil {
		return nil
	}
	e := *asAPIError(err)
	if e.blames != "" {
		e.param = p[e.blames]
	}
	return &e
}

// fit makes q a question to the model m, whose prefixes are kept, and refuses by
// the names of p what m cannot do.
func fit(q converse.Request, m contract.Model, p parameters) (converse.Request, error) {
	q.Model = m.Base
	q = converse.Loosen(q)
	var unfit *converse.Unfit
	if errors.As(converse.Check(q), &unfit) {
		e := unsupportedValue(p[unfit.Feature], unfit.Reason)
		e.unfit = unfit
		return q, e
	}
	return converse.KeepPrefixes(q), nil
}
