package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/fault"
)

// maxCallBytes bounds a signed call: Bedrock's images make the largest.
const maxCallBytes = 64 << 20

// serveAWS answers a signed call: the signature tells who calls which service
// in which region, and the service decides with IAM.
func (a *Account) serveAWS(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallBytes))
	if err != nil {
		refuse(w, &cloud.APIError{Code: "RequestEntityTooLargeException", Message: "request body is too large", Status: http.StatusRequestEntityTooLarge})
		return
	}
	caller, name, err := a.IAM.Verify(r, body)
	if err != nil {
		refuse(w, err)
		return
	}
	service, ok := a.services[name]
	if !ok {
		refuse(w, &cloud.APIError{Code: "UnknownService", Message: "the embedded cloud has no service " + name, Status: http.StatusNotFound})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	call := fault.Call{Service: name, Region: caller.Region, Home: caller.Home}
	a.Faults.Serve(w, r, call, func(w http.ResponseWriter, r *http.Request) { service.ServeAWS(w, r, caller) })
}

// publicAPI is the service of a region's public address, where faults are told.
const publicAPI = "execute-api"

// edge is a region's public API, unless it is broken.
func (a *Account) edge(region string) http.Handler {
	api := a.APIGateway.Handler(region)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := fault.Call{Service: publicAPI, Region: region, Home: a.world.Network.Home(r)}
		a.Faults.Serve(w, r, call, api.ServeHTTP)
	})
}

// controlled returns an error while control planes are down.
func (a *Account) controlled() error {
	if !a.Faults.ControlsDown() {
		return nil
	}
	return &cloud.APIError{Code: "ServiceUnavailable", Message: "the control plane is down", Status: http.StatusServiceUnavailable}
}

// refuse answers in the shape of AWS's JSON protocols, all of which read the
// code from either place.
func refuse(w http.ResponseWriter, err error) {
	var api *cloud.APIError
	if !errors.As(err, &api) {
		api = cloud.AsAPIError(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", api.Code)
	w.WriteHeader(api.HTTPStatus())
	// The client is gone if this fails; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": api.Code, "message": api.Message})
}
