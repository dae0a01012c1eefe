package converse_test

import (
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusalsBlameAPartOfTheRequest(t *testing.T) {
	for message, want := range map[string]converse.Feature{
		"The maximum tokens you requested exceeds the model limit of 64000. Try again with a maximum tokens value that is lower than 64000.": converse.FeatureMaxTokens,
		"The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.":                               converse.FeatureTools,
		"The model returned the following errors: tools.0.custom.input_schema: JSON schema is invalid":                                       converse.FeatureTools,
		"This model doesn't support the toolConfig.toolChoice.any field.":                                                                    converse.FeatureToolChoice,
		"The model returned the following errors: output_config.format.schema: For 'number' type, property 'minimum' is not supported":       converse.FeatureFormat,
		"The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model.":                        converse.FeatureTopP,
		"The model returned the following errors: temperature: range: 0..1":                                                                  converse.FeatureTemperature,
		"The model returned the following errors: stop_sequences: each stop sequence must contain non-whitespace":                            converse.FeatureStop,
		"The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`.":                               converse.FeatureMaxTokens,
		"The model returned the following errors: The PDF specified was not valid.":                                                          converse.FeatureMessages,
		"The model returned the following errors: messages.0.content.1.image.source.base64.data: Could not process image":                    converse.FeatureMessages,
		"A conversation must start with a user message.":                                                                                     converse.FeatureMessages,
		"Input is too long for requested model.":                                                                                             converse.FeatureMessages,
		"Operation not allowed":                                                                                                              "",
	} {
		_, _, err := read(t, bedrock(t, func(r reply) { r.refuse(400, "ValidationException", message) }))
		var failed *converse.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, want, failed.Feature, message)
	}
	_, _, err := read(t, bedrock(t, func(r reply) { r.refuse(429, "ThrottlingException", "too many messages.") }))
	var failed *converse.Error
	require.ErrorAs(t, err, &failed)
	assert.Empty(t, failed.Feature, "nobody is to blame")
}
