package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

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
	return stage, a.limit(ctx, name, args, stage)
}

// limit throttles every method, each by itself, and switches its metrics on.
// Execution logs stay off: they hold what clients sent.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
func (a *RegionalAPI) limit(ctx *pulumi.Context, name string, args *RegionalAPIArgs, stage *apigateway.Stage) error {
	_, err := apigateway.NewMethodSettings(ctx, name+"-settings", &apigateway.MethodSettingsArgs{
		RestApi: stage.RestApi, StageName: stage.StageName, MethodPath: pulumi.String("*/*"),
		Settings: apigateway.MethodSettingsSettingsArgs{
			ThrottlingRateLimit:  pulumi.Float64(cmp.Or(args.RateLimit, defaultRate)),
			ThrottlingBurstLimit: pulumi.Int(cmp.Or(args.BurstLimit, defaultBurst)),
			MetricsEnabled:       pulumi.Bool(true),
			LoggingLevel:         pulumi.String("OFF"),
			DataTraceEnabled:     pulumi.Bool(false),
		},
	}, pulumi.Parent(a))
	if err != nil {
		return fmt.Errorf("settings of the methods of %s: %w", name, err)
	}
	return nil
}
