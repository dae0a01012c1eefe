package deploy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Provider is what resources get of the AWS provider that they name.
type Provider struct {
	// Region is where its resources go.
	Region string
	// Tags are of every resource that takes tags.
	Tags map[string]string
}

// providerInputs are what the embedded cloud understands of an AWS provider.
type providerInputs struct {
	Region            string   `json:"region"`
	AllowedAccountIDs []string `json:"allowedAccountIds,omitempty"`
	DefaultTags       struct {
		Tags map[string]string `json:"tags,omitempty"`
	} `json:"defaultTags,omitempty"`
	SkipValidation any `json:"skipCredentialsValidation,omitempty"`
	SkipRegion     any `json:"skipRegionValidation,omitempty"`
	SkipMetadata   any `json:"skipMetadataApiCheck,omitempty"`
	SkipAccount    any `json:"skipRequestingAccountId,omitempty"`
}

// ParseProvider reads the inputs of an AWS provider, and refuses those that the
// provider would refuse.
func ParseProvider(inputs resource.PropertyMap) (Provider, error) {
	values, err := Plain(inputs)
	if err != nil {
		return Provider{}, err
	}
	in, err := cloud.Decode[providerInputs](values)
	switch {
	case err != nil:
		return Provider{}, err
	case !cloud.KnownRegion(in.Region):
		return Provider{}, fmt.Errorf("invalid AWS Region: %s", in.Region)
	case len(in.AllowedAccountIDs) > 0 && !slices.Contains(in.AllowedAccountIDs, cloud.Account):
		return Provider{}, fmt.Errorf("AWS account ID not allowed: %s; the settings allow %s", cloud.Account, strings.Join(in.AllowedAccountIDs, ", "))
	}
	return Provider{Region: in.Region, Tags: in.DefaultTags.Tags}, nil
}

// Tagged lays a resource's own tags over those of the provider.
func (p Provider) Tagged(inputs map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range p.Tags {
		all[key] = value
	}
	if own, ok := inputs["tags"].(map[string]any); ok {
		maps.Copy(all, own)
	}
	tagged := maps.Clone(inputs)
	tagged["tags"] = all
	return tagged
}

// Plain turns Pulumi's property values into JSON's, secrets laid open as a
// provider sees them, and an archive as the path of its file.
func Plain(in resource.PropertyMap) (map[string]any, error) {
	var failed error
	var replace func(v resource.PropertyValue) (any, bool)
	replace = func(v resource.PropertyValue) (any, bool) {
		switch {
		case v.IsSecret():
			return v.SecretValue().Element.MapRepl(nil, replace), true
		case v.IsArchive() && v.ArchiveValue().IsPath():
			return v.ArchiveValue().Path, true
		case v.IsArchive(), v.IsAsset():
			failed = errors.New("the embedded cloud takes archives by path only")
			return nil, true
		case v.IsComputed(), v.IsOutput():
			failed = errors.New("a value is unknown when it is needed")
			return nil, true
		}
		return nil, false
	}
	return in.MapRepl(nil, replace), failed
}
