package cloudwatch

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/crossregion/crossregion/local/cloud"
)

// operations is where the calls of CloudWatch's protocol go.
// Source: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
const operations = "/service/GraniteServiceVersion20100801/operation/"

// maxCall bounds a request: a hundred names are a fraction of it.
const maxCall = 1 << 20

// SigningName implements cloud.Service.
func (s *Service) SigningName() string { return "monitoring" }

// ServeAWS answers DescribeAlarms, of alarms by their names, and SetAlarmState.
// It implements cloud.Service.
func (s *Service) ServeAWS(w http.ResponseWriter, r *http.Request, c cloud.Caller) {
	out, err := s.answer(w, r, c)
	status := http.StatusOK
	if err != nil {
		api := cloud.AsAPIError(err)
		status = api.HTTPStatus()
		out = cbor.Map{"__type": cbor.String(api.Code), "message": cbor.String(api.Message)}
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(status)
	// The client is gone if this fails; nobody is left to tell.
	_, _ = w.Write(cbor.Encode(out))
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request, c cloud.Caller) (cbor.Map, error) {
	name, ok := strings.CutPrefix(r.URL.Path, operations)
	do, known := map[string]func(string, cbor.Map) (cbor.Map, error){
		"DescribeAlarms": s.describeAlarms, "SetAlarmState": s.setAlarmState,
	}[name]
	if !ok || !known || r.Method != http.MethodPost {
		return nil, cloud.Refuse("UnknownOperationException",
			"%s %s is not known to this stand-in for CloudWatch, which answers DescribeAlarms and SetAlarmState", r.Method, r.URL.Path)
	}
	if err := s.iam.Authorize(c, "cloudwatch:"+name, cloud.ARN("cloudwatch", c.Region, "alarm:*"), nil); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCall))
	if err != nil {
		return nil, invalid("the request body could not be read: %v", err)
	}
	value, err := cbor.Decode(raw)
	if err != nil {
		return nil, invalid("the request body is no CBOR: %v", err)
	}
	in, ok := value.(cbor.Map)
	if !ok {
		return nil, invalid("the request body is no map")
	}
	return do(c.Region, in)
}

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
func (s *Service) describeAlarms(region string, in cbor.Map) (cbor.Map, error) {
	names, ok := in["AlarmNames"].(cbor.List)
	if !ok || len(names) == 0 || len(names) > 100 {
		return nil, invalid("the embedded cloud wants AlarmNames, 1 to 100")
	}
	want, filtered := in["StateValue"].(cbor.String)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := cbor.List{}
	for _, name := range names {
		text, _ := name.(cbor.String)
		arn := cloud.ARN("cloudwatch", region, "alarm:"+string(text))
		state := cbor.String(s.states[arn])
		if state == "" {
			state = insufficient
		}
		if s.alarms[arn] && (!filtered || state == want) {
			found = append(found, cbor.Map{"AlarmName": text, "AlarmArn": cbor.String(arn), "StateValue": state})
		}
	}
	return cbor.Map{"MetricAlarms": found}, nil
}

// States of an alarm; a new one has no data.
const insufficient = "INSUFFICIENT_DATA"

var states = []string{"OK", "ALARM", insufficient}

// setAlarmState sets what an alarm says until it is set again: nothing here
// evaluates it.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
func (s *Service) setAlarmState(region string, in cbor.Map) (cbor.Map, error) {
	name, _ := in["AlarmName"].(cbor.String)
	state, _ := in["StateValue"].(cbor.String)
	if !slices.Contains(states, string(state)) {
		return nil, invalid("StateValue %q must be one of %s", state, strings.Join(states, ", "))
	}
	arn := cloud.ARN("cloudwatch", region, "alarm:"+string(name))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alarms[arn] {
		return nil, &cloud.APIError{Code: "ResourceNotFound", Message: "no alarm " + string(name), Status: http.StatusNotFound}
	}
	s.states[arn] = string(state)
	return cbor.Map{}, nil
}
