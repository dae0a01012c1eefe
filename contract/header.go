package contract

// Response headers.
const (
	// HeaderRegion names the region whose API answered.
	HeaderRegion = "X-Crossregion-Region"
	// HeaderTarget names the source region whose inference profile answered.
	HeaderTarget = "X-Crossregion-Target"
	// HeaderAttempts is the number of inference calls made, 1 when the first
	// target answered.
	HeaderAttempts = "X-Crossregion-Attempts"
	// HeaderFailed lists the calls that failed, in order, each as a region and
	// the class of its failure: "us-east-1;throttled, us-west-2;unavailable". It
	// is missing if none did.
	HeaderFailed = "X-Crossregion-Failed"
	// HeaderSpared lists the regions that the function spares since they failed
	// too often. It is missing if there are none.
	HeaderSpared = "X-Crossregion-Spared"
	// HeaderReplicas is the number of regions in which what the request stored
	// stands already; replication brings it to the rest. In streams, whose headers
	// are sent before the end is known, it is a comment before the last event.
	HeaderReplicas = "X-Crossregion-Replicas"
	// HeaderShouldRetry is "false" on a failure that OpenAI's SDKs would repeat
	// by its status, and that would only repeat itself.
	HeaderShouldRetry = "X-Should-Retry"
	// HeaderRequestID identifies the request in logs; OpenAI SDKs report it.
	HeaderRequestID = "X-Request-Id"
)

// MaxEventBytes is the largest event that Lambda takes: 6 MB.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxEventBytes = 6_291_456

// eventEnvelopeBytes bounds all of an event but its body. API Gateway takes
// 20,480 bytes of headers, and an event repeats them: as "headers" and as
// "multiValueHeaders", where escaping doubles each byte of a value, and where
// the punctuation around a name and a value takes 14 bytes. Of one byte per
// header, which is more than fit, that makes at most 20,480 * (2*2 + 14) =
// 368,640 bytes; the rest of 524,288 is for the user agent, which stands there
// a third time, the path, the query and the request's context.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const eventEnvelopeBytes = 512 << 10

// MaxBodyBytes is the largest request body that the API accepts. The body is a
// JSON string inside the event, so one of quotes and backslashes doubles:
// (6,291,456 - 524,288) / 2 = 2,883,584 bytes, or 2.75 MiB.
const MaxBodyBytes = (MaxEventBytes - eventEnvelopeBytes) / 2
