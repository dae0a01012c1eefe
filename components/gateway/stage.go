package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Throttle of each method, where the arguments name none.
const (
	defaultRate  = 100.0 // requests a second
	defaultBurst = 200   // requests
)

// snapshot is what goes into service together.
type snapshot struct {
	api         *apigateway.RestApi
	body        pulumi.StringOutput
	permissions []pulumi.Resource // without them the API answers nothing but errors
}

// deploy puts the document into service. A deployment is a snapshot that does
// not notice a changed document by itself, and its successor must exist before
// it goes: a stage cannot be without one. Whether its own endpoint is off may
// also take effect with a deployment only.
func (a *RegionalAPI) deploy(ctx *pulumi.Context, name string, args *RegionalAPIArgs, s snapshot) (*apigateway.Stage, error) {
	digest := s.body.ApplyT(func(body string) string {
		sum := sha256.Sum256([]byte(body))
		return hex.EncodeToString(sum[:])
	}).(pulumi.StringOutput)
	deployment, err := apigateway.NewDeployment(ctx, name+"-deployment", &apigateway.DeploymentArgs{
		RestApi:  s.api.ID(),
		Triggers: pulumi.StringMap{"document": digest, "ownEndpoint": pulumi.String(strconv.FormatBool(args.Domain == nil))},
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("deployment of %s: %w", name, err)
	}
	stageArgs := &apigateway.StageArgs{RestApi: s.api.ID(), Deployment: deployment.ID(), StageName: pulumi.String(StageName)}
	before := s.permissions
	if args.AccessLogs != nil {
		account, err := a.log(ctx, name, args.AccessLogs, stageArgs)
		if err != nil {
			return nil, err
		}
		before = append(before, account...)
	}
	stage, err := apigateway.NewStage(ctx, name+"-stage", stageArgs, pulumi.Parent(a), pulumi.DependsOn(before))
	if err != nil {
		return nil, fmt.Errorf("stage of %s: %w", name, err)
	}
	a.parts = append(a.parts, stage)
	return stage, a.limit(ctx, name, args, stage)
}

// Health checks come unevenly, some each second, and whoever used up what
// clients may ask for would take the region out of DNS: their path has a limit
// of its own, for all that Route 53 sends and more.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
const (
	healthRate  = 200.0 // requests a second
	healthBurst = 400   // requests
)

// limit throttles every method, each by itself, and switches its metrics on.
// Execution logs stay off: they hold what clients sent.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
func (a *RegionalAPI) limit(ctx *pulumi.Context, name string, args *RegionalAPIArgs, stage *apigateway.Stage) error {
	for _, l := range []struct {
		role, path string
		rate       float64
		burst      int
	}{
		{"settings", "*/*", cmp.Or(args.RateLimit, defaultRate), cmp.Or(args.BurstLimit, defaultBurst)},
		{"health-settings", strings.TrimPrefix(contract.HealthPath, "/") + "/GET", healthRate, healthBurst},
	} {
		settings, err := apigateway.NewMethodSettings(ctx, name+"-"+l.role, &apigateway.MethodSettingsArgs{
			RestApi: stage.RestApi, StageName: stage.StageName, MethodPath: pulumi.String(l.path),
			Settings: apigateway.MethodSettingsSettingsArgs{
				ThrottlingRateLimit:  pulumi.Float64(l.rate),
				ThrottlingBurstLimit: pulumi.Int(l.burst),
				MetricsEnabled:       pulumi.Bool(true),
				LoggingLevel:         pulumi.String("OFF"),
				DataTraceEnabled:     pulumi.Bool(false),
			},
		}, pulumi.Parent(a))
		if err != nil {
			return fmt.Errorf("limit of %s on %s: %w", name, l.path, err)
		}
		a.parts = append(a.parts, settings)
	}
	return nil
}
