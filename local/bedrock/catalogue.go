package bedrock

import "strings"

// Sets of destination regions, as the model cards print them.
const (
	us3   = "us-east-1 us-east-2 us-west-2"
	eu4   = "eu-central-1 eu-north-1 eu-west-1 eu-west-3"
	eu6   = "eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3"
	jp2   = "ap-northeast-1 ap-northeast-3"
	au2   = "ap-southeast-2 ap-southeast-4"
	apac7 = "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2"
	apac8 = apac7 + " ap-southeast-4"

	// worldwide is where global profiles of Nova 2 Lite can be called;
	// Anthropic's can be called in the others, too.
	worldwide = "us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ca-west-1 " + eu6 +
		" eu-west-2 il-central-1 me-central-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-south-1" +
		" ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7"
	worldwideAnthropic = worldwide + " sa-east-1 mx-central-1 eu-central-2 me-south-1 af-south-1 ap-northeast-3 ap-south-2"
)

// cohereRegions serve Cohere's older embedding models.
const cohereRegions = "us-east-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3" +
	" ap-northeast-1 ap-south-1 ap-southeast-1 ap-southeast-2"

// model is one foundation model and where it can be reached.
type model struct {
	id       string
	name     string
	routes   []route
	onDemand string // regions that serve it without a profile
	embeds   bool   // makes embeddings: no profile and no conversation
	able     string // what it can do in a conversation besides text; see [model.can]
	cacheMin int    // tokens from which on a prefix is cached
	most     int    // tokens of one answer, 0 if the model card does not say
}

// Abilities of families.
const (
	ofClaude   = "tools stream-tools force own-choice images documents stop cache cache-tools thinking"
	ofClaude45 = ofClaude + " prefill schemas either"
	ofClaude46 = ofClaude + " schemas either adaptive"
	ofNova     = "tools stream-tools flat-schemas force images documents stop cache"
)

// can reports whether the model is able to do something.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
func (m model) can(what string) bool { return contains(m.able, what) }

// route is a system-defined profile seen from some source regions. From each of
// them it reaches the destinations and the source itself. A global profile has
// no destinations: it reaches wherever it can be called, and AWS adds to that.
type route struct {
	prefix       string
	sources      string
	destinations string
}

// anthropic4x are the routes that Sonnet 4.5 and Haiku 4.5 share.
var anthropic4x = []route{
	{"us", us3 + " us-west-1 ca-central-1", us3},
	{"eu", eu6 + " eu-central-2 eu-west-2", eu6},
	{"au", au2 + " ap-southeast-6", au2},
	{"jp", jp2, jp2},
	{"global", worldwideAnthropic, ""},
}

// catalogue is what AWS's model cards say.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
var catalogue = []model{
	{id: "anthropic.claude-sonnet-4-5-20250929-v1:0", name: "Anthropic Claude Sonnet 4.5", routes: anthropic4x,
		able: ofClaude45, cacheMin: 1024, most: 64_000},
	{id: "anthropic.claude-haiku-4-5-20251001-v1:0", name: "Anthropic Claude Haiku 4.5", routes: anthropic4x,
		able: ofClaude45, cacheMin: 4096, most: 64_000},
	{id: "anthropic.claude-sonnet-4-6", name: "Anthropic Claude Sonnet 4.6", able: ofClaude46, cacheMin: 1024, most: 128_000, routes: []route{
		{"us", us3 + " us-west-1 ca-central-1 ca-west-1", us3},
		{"eu", eu6 + " eu-central-2 eu-west-2", eu6},
		{"au", au2 + " ap-southeast-6", au2},
		{"jp", jp2, jp2},
		{"global", worldwideAnthropic, ""},
	}},
	{id: "anthropic.claude-sonnet-4-20250514-v1:0", name: "Anthropic Claude Sonnet 4", able: ofClaude + " prefill", cacheMin: 1024, most: 64_000, routes: []route{
		{"us", us3 + " us-west-1", us3},
		{"eu", eu6 + " il-central-1", eu6},
		{"apac", apac7, apac8},
		{"global", us3 + " eu-west-1 ap-northeast-1", ""},
	}},
	{id: "amazon.nova-pro-v1:0", name: "Amazon Nova Pro", able: ofNova, cacheMin: 1000, most: 10_000, routes: []route{
		{"us", us3 + " us-west-1", us3},
		{"eu", eu4 + " eu-south-1 eu-south-2", eu4},
		{"eu", "il-central-1", eu4 + " eu-south-1"},
	}, onDemand: "us-east-1 eu-west-2 ap-southeast-2 ap-southeast-3 me-central-1"},
	{id: "amazon.nova-2-lite-v1:0", name: "Amazon Nova 2 Lite", able: ofNova + " reasoning", cacheMin: 1000, most: 65_535, routes: []route{
		{"us", us3 + " us-west-1 ca-central-1 ca-west-1", us3},
		{"eu", eu6, eu6},
		{"jp", "ap-northeast-1", jp2},
		{"global", worldwide, ""},
	}},
	{id: "meta.llama3-3-70b-instruct-v1:0", name: "Meta Llama 3.3 70B Instruct", able: "tools documents", most: 8192,
		routes: []route{{"us", us3, us3}}, onDemand: "us-east-2"},
	{id: "amazon.titan-embed-text-v2:0", name: "Amazon Titan Text Embeddings V2", embeds: true,
		onDemand: us3 + " ca-central-1 sa-east-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2" +
			" eu-west-1 eu-west-2 eu-west-3 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-2"},
	{id: "amazon.titan-embed-text-v1", name: "Amazon Titan Embeddings G1 - Text", embeds: true,
		onDemand: "us-east-1 us-west-2 eu-central-1 ap-northeast-1"},
	{id: "amazon.titan-embed-image-v1", name: "Amazon Titan Multimodal Embeddings G1", embeds: true,
		onDemand: "us-east-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 ap-south-1 ap-southeast-2"},
	{id: "cohere.embed-english-v3", name: "Cohere Embed English", embeds: true, onDemand: cohereRegions},
	{id: "cohere.embed-multilingual-v3", name: "Cohere Embed Multilingual", embeds: true, onDemand: cohereRegions},
	{id: "cohere.embed-v4:0", name: "Cohere Embed v4", embeds: true, onDemand: "us-east-1 eu-west-1 ap-northeast-1"},
}

func findModel(id string) (model, bool) {
	for _, m := range catalogue {
		if m.id == id {
			return m, true
		}
	}
	return model{}, false
}

func (m model) findRoute(prefix, source string) (route, bool) {
	for _, r := range m.routes {
		if r.prefix == prefix && contains(r.sources, source) {
			return r, true
		}
	}
	return route{}, false
}

// contains reports whether a list of words has one.
func contains(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if w == word {
			return true
		}
	}
	return false
}
