package policy

// stackTag is on every resource that takes tags, by the providers' default.
const stackTag = "crossregion:stack"

// condition is that of the given name; nil for none.
func (g generator) condition(name string) map[string]map[string][]string {
	equals := func(key string, values ...string) map[string]map[string][]string {
		return map[string]map[string][]string{"StringEquals": {key: values}}
	}
	switch name {
	case created:
		return equals("aws:RequestTag/"+stackTag, g.Stack)
	case tagged:
		return equals("aws:ResourceTag/"+stackTag, g.Stack)
	case bounded, bound:
		if g.settings.PermissionsBoundary == "" {
			return nil
		}
		return equals("iam:PermissionsBoundary", g.settings.PermissionsBoundary)
	case passed:
		services := []string{"lambda.amazonaws.com"}
		if g.settings.Logs.OwnsAccountRole {
			services = append(services, "apigateway.amazonaws.com")
		}
		return equals("iam:PassedToService", services...)
	case linked:
		return equals("iam:AWSServiceName", "ops.apigateway.amazonaws.com", "replication.dynamodb.amazonaws.com")
	case stored:
		return equals("kms:ViaService", g.databases()...)
	case granted:
		c := equals("kms:ViaService", g.databases()...)
		c["Bool"] = map[string][]string{"kms:GrantIsForAWSResource": {"true"}}
		return c
	case named:
		return map[string]map[string][]string{"ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": g.names()}}
	}
	return nil
}

// databases are DynamoDB in the stack's regions, as KMS names them.
func (g generator) databases() []string {
	var all []string
	for _, r := range g.settings.Regions {
		all = append(all, "dynamodb."+r.Name+".amazonaws.com")
	}
	return all
}

// names are those of the stack's records.
func (g generator) names() []string {
	var all []string
	if d := g.settings.Domain; d != nil {
		all = append(all, d.Name, "*."+d.Name)
	}
	if d := g.settings.FrontDoor; d != nil {
		all = append(all, d.Name, "*."+d.Name)
	}
	return all
}
