// Package servicequotas stands in for AWS Service Quotas: it tells how much an
// account may use of a service in a region. It says so and no more; no other
// service of the embedded cloud is bounded by it.
//
// It knows few quotas, and takes no request for an increase.
package servicequotas

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// Service is Service Quotas in every region.
type Service struct {
	mu      sync.Mutex
	applied map[place]float64 // where it is not the default
}

// place is a quota in one region.
type place struct{ region, service, code string }

// New returns a service in which every quota is AWS's default.
func New() *Service { return &Service{applied: map[place]float64{}} }

// Functions lists the Pulumi functions that the service stands in for.
func (s *Service) Functions() []cloud.Function {
	return []cloud.Function{cloud.DefineFunction("aws:servicequotas/getServiceQuota:getServiceQuota", s.getQuota)}
}

// Set gives the account another value of a quota in a region, as AWS does when
// it grants a request, or holds a new account short. It refuses a region or a
// quota that is not known.
func (s *Service) Set(region, serviceCode, quotaCode string, value float64) error {
	if !cloud.KnownRegion(region) {
		return fmt.Errorf("set quota %s in %q: the embedded cloud has no such region", quotaCode, region)
	}
	if _, err := find(quotaInputs{ServiceCode: serviceCode, QuotaCode: quotaCode}); err != nil {
		return fmt.Errorf("set quota %s of %s: %w", quotaCode, serviceCode, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied[place{region, serviceCode, quotaCode}] = value
	return nil
}

type quotaInputs struct {
	ServiceCode string `json:"serviceCode"`
	QuotaCode   string `json:"quotaCode,omitempty"`
	QuotaName   string `json:"quotaName,omitempty"`
}

// getQuota answers as the AWS provider does: the default, and over it what the
// account was given.
// Source: https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
func (s *Service) getQuota(_ context.Context, region string, in quotaInputs) (map[string]any, error) {
	if (in.QuotaCode == "") == (in.QuotaName == "") {
		return nil, errors.New("one of quotaCode and quotaName must be specified, and not both")
	}
	q, err := find(in)
	if err != nil {
		return nil, err
	}
	standard := q.standard(region)
	s.mu.Lock()
	value, given := s.applied[place{region, q.service, q.code}]
	s.mu.Unlock()
	if !given {
		value = standard
	}
	arn := cloud.ARN("servicequotas", region, q.service+"/"+q.code)
	return map[string]any{
		"id": arn, "arn": arn, "serviceCode": q.service, "serviceName": serviceNames[q.service], "quotaCode": q.code, "quotaName": q.name,
		"defaultValue": standard, "value": value, "adjustable": true, "globalQuota": false, "usageMetrics": []any{},
	}, nil
}

// find looks a quota up by its code or its exact name.
func find(in quotaInputs) (quota, error) {
	if serviceNames[in.ServiceCode] == "" {
		return quota{}, cloud.Refuse("NoSuchResourceException", "The request failed because the specified service does not exist.")
	}
	for _, q := range quotas {
		if q.service == in.ServiceCode && (q.code == in.QuotaCode || q.name == in.QuotaName) {
			return q, nil
		}
	}
	return quota{}, cloud.Refuse("NoSuchResourceException", "The request failed because the specified quota does not exist.")
}
