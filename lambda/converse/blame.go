package converse

import "strings"

// blames are words by which Bedrock and the models behind it name a part of a
// request, in lower case. The more special ones come first.
var blames = []struct {
	words   string
	feature Feature
}{
	{"maximum tokens", FeatureMaxTokens},
	{"max_tokens", FeatureMaxTokens},
	{"maxtokens", FeatureMaxTokens},
	{"toolchoice", FeatureToolChoice},
	{"tool_choice", FeatureToolChoice},
	{"toolconfig", FeatureTools},
	{"toolspec", FeatureTools},
	{"tools.", FeatureTools},
	{"tools:", FeatureTools},
	{"tool use", FeatureTools},
	{"output_config.format", FeatureFormat},
	{"textformat", FeatureFormat},
	{"stopsequences", FeatureStop},
	{"stop_sequences", FeatureStop},
	{"topp", FeatureTopP},
	{"top_p", FeatureTopP},
	{"temperature", FeatureTemperature},
	{"thinking", FeatureEffort},
	{"reasoningconfig", FeatureEffort},
	{"outputconfig.effort", FeatureEffort},
	{"messages.", FeatureMessages},
	{"contentblock", FeatureMessages},
	{"content block", FeatureMessages},
	{"document", FeatureMessages},
	{"pdf", FeatureMessages},
	{"image", FeatureMessages},
	{"conversation", FeatureMessages},
}

// blamed returns what part of a request AWS refused by its words, "" if they do
// not tell.
func blamed(e *Error) Feature {
	if e.Class == TooLong {
		return FeatureMessages
	}
	message := strings.ToLower(e.Message)
	for _, b := range blames {
		if strings.Contains(message, b.words) {
			return b.feature
		}
	}
	return ""
}
