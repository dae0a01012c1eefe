package openai

import (
	"errors"
	"net/http"

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

// fit makes q a question to the model m, whose prefixes are kept, and refuses by
// the names of p what m cannot do.
func fit(q converse.Request, m contract.Model, p parameters) (converse.Request, error) {
	q.Model = m.Base
	var unfit *converse.Unfit
	if errors.As(converse.Check(q), &unfit) {
		name := p[unfit.Feature]
		return q, &apiError{status: http.StatusBadRequest, kind: kindInvalid, code: "unsupported_value", param: name,
			message: "Unsupported value: '" + name + "'. " + unfit.Reason}
	}
	return converse.KeepPrefixes(q), nil
}
