// Package cloudwatch stands in for CloudWatch's alarms and dashboards: it keeps
// them, and refuses those that CloudWatch would refuse or that would stay silent
// for ever. It evaluates none: they say what SetAlarmState has set. Log groups are local/lambda's.
//
// It refuses anomaly detection, alarms across accounts, and actions other than
// telling a topic.
package cloudwatch

import (
	"context"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// Topics are what alarms can tell; local/sns implements it.
type Topics interface {
	// CanPublish returns nil if the topic exists and its key lets the service
	// publish to it, or the reason why not.
	CanPublish(topicARN, service string) error
}

// Service is CloudWatch in every region.
type Service struct {
	topics Topics
	iam    cloud.Authorizer

	mu         sync.Mutex
	alarms     map[string]bool   // by ARN
	states     map[string]string // of alarms, by ARN
	dashboards map[string]bool   // by name
}

// New returns a service without alarms and dashboards.
func New(topics Topics, iam cloud.Authorizer) *Service {
	return &Service{topics: topics, iam: iam, alarms: map[string]bool{}, states: map[string]string{}, dashboards: map[string]bool{}}
}

// Resources lists the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:cloudwatch/metricAlarm:MetricAlarm", s.createAlarm, s.updateAlarm, s.deleteAlarm),
		cloud.DefineResource("aws:cloudwatch/dashboard:Dashboard", s.createDashboard, s.updateDashboard, s.deleteDashboard),
	}
}

func (s *Service) createAlarm(_ context.Context, r cloud.Request[alarmInputs]) (cloud.State, error) {
	in := r.In
	if in.Name == "" {
		in.Name = r.PhysicalName(255)
	}
	if err := in.check(r.Region); err != nil {
		return cloud.State{}, err
	}
	if err := s.checkActions(r.Region, in); err != nil {
		return cloud.State{}, err
	}
	arn := alarmARN(r.Region, in.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alarms[arn] {
		return cloud.State{}, invalid("two resources would own the alarm %s", in.Name)
	}
	s.alarms[arn] = true
	return cloud.State{ID: in.Name, Outputs: map[string]any{"arn": arn, "name": in.Name}}, nil
}

func alarmARN(region, name string) string { return cloud.ARN("cloudwatch", region, "alarm:"+name) }

func (s *Service) updateAlarm(_ context.Context, r cloud.Request[alarmInputs]) (cloud.State, error) {
	r.In.Name = r.ID
	if err := r.In.check(r.Region); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{}, s.checkActions(r.Region, r.In)
}

func (s *Service) deleteAlarm(_ context.Context, r cloud.Request[alarmInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.alarms, alarmARN(r.Region, r.ID))
	return nil
}

type dashboardInputs struct {
	Name string `json:"dashboardName" change:"replace"`
	Body string `json:"dashboardBody"`
}

func (s *Service) createDashboard(_ context.Context, r cloud.Request[dashboardInputs]) (cloud.State, error) {
	if err := r.In.check(); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dashboards[r.In.Name] { // in any region: an account has its dashboards once
		return cloud.State{}, refuseDashboard("two resources would own the dashboard %s", r.In.Name)
	}
	s.dashboards[r.In.Name] = true
	return cloud.State{ID: r.In.Name, Outputs: map[string]any{
		"dashboardArn": cloud.ARN("cloudwatch", "", "dashboard/"+r.In.Name), "dashboardName": r.In.Name,
	}}, nil
}

func (s *Service) updateDashboard(_ context.Context, r cloud.Request[dashboardInputs]) (cloud.State, error) {
	return cloud.State{}, r.In.check()
}

func (s *Service) deleteDashboard(_ context.Context, r cloud.Request[dashboardInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.dashboards, r.ID)
	return nil
}

func invalid(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("ValidationError", format, args...)
}
