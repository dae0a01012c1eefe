package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// MaxBodyBytes is the largest request taken: an item of 400 KB in its longest
// JSON form fits well.
const MaxBodyBytes = 4 << 20

const (
	targetPrefix = "DynamoDB_20120810."
	errorPrefix  = "com.amazonaws.dynamodb.v20120810#"
)

// ServeAWS answers one call of the JSON 1.0 protocol.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
func (s *Service) ServeAWS(w http.ResponseWriter, r *http.Request, c cloud.Caller) {
	out, err := s.dispatch(w, r, c)
	if _, wrote := out.(writeOutput); wrote && err == nil {
		err = s.loseReply(c.Region)
	}
	status := http.StatusOK
	if err != nil {
		out, status = s.wireError(err)
	}
	body, err := json.Marshal(out)
	if err != nil {
		s.world.Log.Error("dynamodb: response not encoded", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"__type":"`+errorPrefix+`InternalServerError"}`)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-RequestId", s.requestID())
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.world.Log.Debug("dynamodb: response not delivered", "error", err)
	}
}

func (s *Service) dispatch(w http.ResponseWriter, r *http.Request, c cloud.Caller) (any, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if !ok || r.Method != http.MethodPost || r.URL.Path != "/" {
		return nil, cloud.Refuse("UnknownOperationException", "%s %s with target %q is not a call of DynamoDB",
			r.Method, r.URL.Path, r.Header.Get("X-Amz-Target"))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	if err != nil {
		return nil, invalid("the request body could not be read: %v", err)
	}
	if err := s.suffer(r.Context(), c.Region, name); err != nil {
		return nil, err
	}
	call := call{service: s, caller: c, operation: name}
	switch name {
	case "GetItem":
		return answer(call, body, getItem)
	case "PutItem":
		return answer(call, body, putItem)
	case "DeleteItem":
		return answer(call, body, deleteItem)
	case "UpdateItem":
		return answer(call, body, updateItem)
	case "Query":
		return answer(call, body, query)
	case "Scan":
		return answer(call, body, scan)
	default:
		return nil, cloud.Refuse("UnknownOperationException",
			"%s is not known to this stand-in for DynamoDB, which answers GetItem, PutItem, UpdateItem, DeleteItem, Query and Scan", name)
	}
}

// answer decodes a call's parameters and lets the operation answer.
func answer[In, Out any](c call, body []byte, operation func(call, In) (Out, error)) (any, error) {
	var in In
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return nil, decodeError(c.operation, err)
	}
	if dec.More() {
		return nil, cloud.Refuse("SerializationException", "more than one JSON value in the request")
	}
	return operation(c, in)
}

// decodeError is err as DynamoDB words it: a value that breaks its rules has
// said so itself, and the decoder has no type for a parameter it does not know.
func decodeError(operation string, err error) error {
	var api *cloud.APIError
	if errors.As(err, &api) {
		return api
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid("parameter %s of %s is not known to this stand-in for DynamoDB", field, operation)
	}
	return cloud.Refuse("SerializationException", "%v", err)
}

func (s *Service) wireError(err error) (any, int) {
	api := *cloud.AsAPIError(err)
	if api.Code == "InternalFailure" {
		s.world.Log.Error("dynamodb: internal failure", "error", err)
		api.Code = "InternalServerError"
	}
	status := api.HTTPStatus()
	if status < http.StatusInternalServerError {
		status = http.StatusBadRequest // all refusals, denied access included
	}
	body := map[string]any{"__type": errorPrefix + api.Code, "message": api.Message}
	var failed *conditionFailed
	if errors.As(err, &failed) && failed.item != nil {
		body["Item"] = failed.item
	}
	return body, status
}

// requestID returns an id that no other request of the service has.
func (s *Service) requestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return strings.ToUpper(cloud.ID(52, "dynamodb", fmt.Sprint(s.requests)))
}
