package lambda

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/kms"
)

// maxGroupBytes is how much of a log group is kept. CloudWatch keeps all until
// the retention ends; this is for someone who looks on.
const maxGroupBytes = 4 << 20

// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
var groupPattern = regexp.MustCompile(`^[\.\-_/#A-Za-z0-9]{1,512}$`)

// retentions are the days that CloudWatch accepts; 0 keeps events for ever.
// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
	1096, 1827, 2192, 2557, 2922, 3288, 3653}

type logGroupInputs struct {
	Name            string            `json:"name,omitempty" change:"replace"`
	NamePrefix      string            `json:"namePrefix,omitempty" change:"replace"`
	RetentionInDays int               `json:"retentionInDays,omitempty"`
	KMSKeyID        string            `json:"kmsKeyId,omitempty"` // an ARN, as AWS wants it here
	Tags            map[string]string `json:"tags,omitempty"`
	SkipDestroy     bool              `json:"skipDestroy,omitempty"`
	LogGroupClass   string            `json:"logGroupClass,omitempty" change:"replace"`
}

// logGroup keeps the newest lines of a log group. Service.mu guards it.
type logGroup struct {
	lines []logLine
	bytes int
}

type logLine struct {
	sequence int // orders lines across groups
	text     string
}

func (s *Service) createLogGroup(_ context.Context, r cloud.Request[logGroupInputs]) (cloud.State, error) {
	in := r.In
	switch {
	case in.Name != "" && in.NamePrefix != "":
		return cloud.State{}, invalid("name and namePrefix exclude each other: give one of them")
	case in.NamePrefix != "":
		in.Name = in.NamePrefix + r.Digits(26)
	case in.Name == "":
		in.Name = r.PhysicalName(512)
	}
	if err := in.check(r.Region); err != nil {
		return cloud.State{}, err
	}
	if err := s.checkGroupKey(r.Region, in); err != nil {
		return cloud.State{}, err
	}
	if err := s.addGroup(r.Region, in.Name); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{ID: in.Name, Outputs: map[string]any{"arn": groupARN(r.Region, in.Name), "name": in.Name}}, nil
}

func (s *Service) updateLogGroup(_ context.Context, r cloud.Request[logGroupInputs]) (cloud.State, error) {
	r.In.Name = r.ID
	if err := r.In.check(r.Region); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{}, s.checkGroupKey(r.Region, r.In)
}

func (s *Service) deleteLogGroup(_ context.Context, r cloud.Request[logGroupInputs]) error {
	if r.In.SkipDestroy {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inRegion(r.Region).groups, r.ID)
	return nil
}

func (in logGroupInputs) check(region string) error {
	if err := checkGroupName(in.Name); err != nil {
		return err
	}
	if !slices.Contains(retentions, in.RetentionInDays) {
		return validation("retentionInDays", in.RetentionInDays, "Member must satisfy enum value set: the days that CloudWatch Logs lists")
	}
	if in.LogGroupClass != "" {
		if err := checkEnum("logGroupClass", in.LogGroupClass, "STANDARD", "INFREQUENT_ACCESS", "DELIVERY"); err != nil {
			return err
		}
	}
	return checkKey(region, in.KMSKeyID)
}

// checkGroupKey refuses a key whose policy does not let CloudWatch Logs of the
// region encrypt this group.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func (s *Service) checkGroupKey(region string, in logGroupInputs) error {
	if in.KMSKeyID == "" {
		return nil
	}
	arn := groupARN(region, in.Name)
	if err := s.cfg.Keys.UseBy(kms.Use{
		Key: in.KMSKeyID, Service: "logs." + region + ".amazonaws.com", Context: map[string]string{"aws:logs:arn": arn},
		Actions: []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey",
			"kms:GenerateDataKeyWithoutPlaintext"},
	}); err != nil {
		return refuse(http.StatusBadRequest, "AccessDeniedException",
			"The specified KMS key does not exist or is not allowed to be used with Arn '%s' (%v)", arn, err)
	}
	return nil
}

func checkGroupName(name string) error {
	if !groupPattern.MatchString(name) {
		return validation("logGroupName", name, `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+ and have length from 1 to 512`)
	}
	return nil
}

func (s *Service) addGroup(region, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := s.inRegion(region).groups
	if groups[name] != nil {
		return refuse(http.StatusBadRequest, "ResourceAlreadyExistsException", "The specified log group already exists: %s", name)
	}
	groups[name] = &logGroup{}
	return nil
}

// Logs returns the lines in the log groups of the given name in all regions, or
// in the one group whose ARN is given, newest last. Of each group it keeps the
// newest 4 MB. An unknown group has no lines.
func (s *Service) Logs(group string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []logLine
	for region, r := range s.regions {
		for name, g := range r.groups {
			if group == name || group == groupARN(region, name) {
				lines = append(lines, g.lines...)
			}
		}
	}
	slices.SortFunc(lines, func(a, b logLine) int { return cmp.Compare(a.sequence, b.sequence) })
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.text
	}
	return texts
}

func (g *logGroup) add(l logLine) {
	g.lines = append(g.lines, l)
	g.bytes += len(l.text)
	for g.bytes > maxGroupBytes {
		g.bytes -= len(g.lines[0].text)
		g.lines = g.lines[1:]
	}
}

// groupARN is the ARN as resources show it, without the ":*" that IAM wants.
func groupARN(region, name string) string {
	return cloud.ARN("logs", region, "log-group:"+name)
}
