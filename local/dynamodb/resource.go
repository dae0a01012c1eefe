package dynamodb

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// nameShape is that of a table's name.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
var nameShape = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

type tableInputs struct {
	Name               string            `json:"name,omitempty" change:"replace"`
	Attributes         []attributeInput  `json:"attributes"`
	HashKey            string            `json:"hashKey" change:"replace"`
	RangeKey           string            `json:"rangeKey,omitempty" change:"replace"`
	BillingMode        string            `json:"billingMode,omitempty"`
	StreamEnabled      bool              `json:"streamEnabled,omitempty"`
	StreamViewType     string            `json:"streamViewType,omitempty"`
	TTL                ttlInput          `json:"ttl,omitempty"`
	Recovery           recoveryInput     `json:"pointInTimeRecovery,omitempty"`
	Encryption         encryptionInput   `json:"serverSideEncryption,omitempty"`
	DeletionProtection bool              `json:"deletionProtectionEnabled,omitempty"`
	TableClass         string            `json:"tableClass,omitempty"`
	Tags               map[string]string `json:"tags,omitempty"`
	Replicas           []any             `json:"replicas,omitempty"`
}

type attributeInput struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type ttlInput struct {
	AttributeName string `json:"attributeName,omitempty"`
	Enabled       bool   `json:"enabled,omitempty"`
}

type recoveryInput struct {
	Enabled bool `json:"enabled"`
	Days    int  `json:"recoveryPeriodInDays,omitempty"`
}

type encryptionInput struct {
	Enabled   bool   `json:"enabled"`
	KmsKeyARN string `json:"kmsKeyArn,omitempty"`
}

func (s *Service) createTable(_ context.Context, r cloud.Request[tableInputs]) (cloud.State, error) {
	if r.In.Name == "" {
		r.In.Name = r.PhysicalName(255)
	}
	if err := r.In.validate(r.Region); err != nil {
		return cloud.State{}, err
	}
	t := &table{
		name: r.In.Name, home: r.Region, hash: r.In.attribute(r.In.HashKey),
		streams:  r.In.StreamViewType == "NEW_AND_OLD_IMAGES",
		replicas: map[string]*replica{r.Region: newReplica(r.Region, r.In.Encryption.KmsKeyARN)},
	}
	t.replicas[r.Region].tags, t.replicas[r.Region].protected = r.In.Tags, r.In.DeletionProtection
	if r.In.RangeKey != "" {
		a := r.In.attribute(r.In.RangeKey)
		t.sort = &a
	}
	if err := s.protect(t.name, r.In.Encryption.KmsKeyARN, r.Region); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := place{r.Region, t.name}
	if s.tables[at] != nil {
		return cloud.State{}, cloud.Refuse("ResourceInUseException", "Table already exists: %s", t.name)
	}
	s.tables[at] = t
	arn := tableARN(r.Region, t.name)
	outputs := map[string]any{"arn": arn, "name": t.name}
	if r.In.StreamEnabled {
		label := s.world.Clock.Now().UTC().Format("2006-01-02T15:04:05.000")
		outputs["streamArn"], outputs["streamLabel"] = arn+"/stream/"+label, label
	}
	return cloud.State{ID: t.name, Outputs: outputs}, nil
}

func (in tableInputs) attribute(name string) attribute {
	for _, a := range in.Attributes {
		if a.Name == name {
			return attribute{a.Name, a.Type}
		}
	}
	return attribute{}
}

// validate returns the first rule of CreateTable and its companions that in
// breaks.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
func (in tableInputs) validate(region string) error {
	sse := in.Encryption
	switch {
	case !nameShape.MatchString(in.Name):
		return invalid("name %q: want 3 to 255 letters, digits, underscores, hyphens and dots", in.Name)
	case len(in.Replicas) > 0:
		return invalid("replicas: this program makes each replica by a TableReplica with the provider of its region; " +
			"the two ways exclude each other")
	case in.BillingMode != "PAY_PER_REQUEST":
		return invalid("billingMode %q: No provisioned throughput specified for the table; want PAY_PER_REQUEST", in.BillingMode)
	case in.StreamEnabled && !slices.Contains([]string{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}, in.StreamViewType):
		return invalid("streamViewType %q: not known", in.StreamViewType)
	case !in.StreamEnabled && in.StreamViewType != "":
		return invalid("streamViewType %q: streams are not enabled", in.StreamViewType)
	case in.TTL.Enabled && (in.TTL.AttributeName == "" || len(in.TTL.AttributeName) > 255):
		return invalid("ttl.attributeName %q: want 1 to 255 characters", in.TTL.AttributeName)
	case in.Recovery.Days != 0 && (!in.Recovery.Enabled || in.Recovery.Days < 1 || in.Recovery.Days > 35):
		return invalid("pointInTimeRecovery.recoveryPeriodInDays %d: want 1 to 35, and recovery enabled", in.Recovery.Days)
	case sse.KmsKeyARN != "" && !sse.Enabled:
		return invalid("serverSideEncryption.kmsKeyArn: encryption is not enabled")
	}
	if err := in.validateAttributes(); err != nil {
		return err
	}
	return validateCommon(region, sse.KmsKeyARN, in.TableClass)
}

func (in tableInputs) validateAttributes() error {
	defined := map[string]bool{}
	for _, a := range in.Attributes {
		if defined[a.Name] || (a.Type != "S" && a.Type != "N" && a.Type != "B") {
			return invalid("attribute %q: defined twice, or its type %q is not S, N or B", a.Name, a.Type)
		}
		if a.Name != in.HashKey && a.Name != in.RangeKey {
			return invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match "+
				"number of attributes defined in AttributeDefinitions: no key uses %q", a.Name)
		}
		defined[a.Name] = true
	}
	if in.HashKey == in.RangeKey {
		return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name: %q", in.HashKey)
	}
	for _, name := range []string{in.HashKey, in.RangeKey} {
		if (name == in.HashKey || name != "") && (!defined[name] || len(name) < 1 || len(name) > 255) {
			return invalid("One or more parameter values were invalid: Some index key attributes are not defined in "+
				"AttributeDefinitions: %q", name)
		}
	}
	return nil
}

// validateCommon are the rules that tables and replicas share.
func validateCommon(region, kmsKeyARN, tableClass string) error {
	if kmsKeyARN != "" && !strings.HasPrefix(kmsKeyARN, cloud.ARN("kms", region, "key/")) {
		return invalid("kmsKeyArn %q: want the ARN of a key in %s", kmsKeyARN, region)
	}
	if !slices.Contains([]string{"", "STANDARD", "STANDARD_INFREQUENT_ACCESS"}, tableClass) {
		return invalid("table class %q: want STANDARD or STANDARD_INFREQUENT_ACCESS", tableClass)
	}
	return nil
}
