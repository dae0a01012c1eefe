// Package account assembles the embedded services into one AWS account and
// opens its edges: the endpoint that signed calls go to, a public address for
// each region in use, and a DNS server. It adds no behaviour of its own.
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/acm"
	"github.com/crossregion/crossregion/local/apigateway"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/cloudwatch"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/crossregion/crossregion/local/fault"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/kms"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/crossregion/crossregion/local/route53"
	"github.com/crossregion/crossregion/local/servicequotas"
	"github.com/crossregion/crossregion/local/sns"
	"github.com/crossregion/crossregion/local/wafv2"
)

// Config configures [Open]. All fields but Readings and Speed are required.
type Config struct {
	// Port is the port on which every region's public address listens.
	Port string
	// Viewer names the region that the clients of the DNS server are near to.
	Viewer string
	// Log receives what an operator of the embedded cloud may want to see.
	Log *slog.Logger
	// Speed is how fast the cloud's own time runs: probes, replication, token
	// pace. 0 means 1, as fast as the machine's.
	Speed float64
	// Readings choose how Bedrock reads what AWS leaves open. The zero value is
	// the strictest.
	Readings bedrock.Readings
}

// Account is the embedded AWS account, open for business.
type Account struct {
	IAM        *iam.Service
	KMS        *kms.Service
	Lambda     *lambda.Service
	DynamoDB   *dynamodb.Service
	Bedrock    *bedrock.Service
	APIGateway *apigateway.Service
	Route53    *route53.Service
	ACM        *acm.Service
	WAFV2      *wafv2.Service
	SNS        *sns.Service
	CloudWatch *cloudwatch.Service
	Quotas     *servicequotas.Service

	// Faults breaks what stands at the account's edges.
	Faults *fault.Board

	world     cloud.World
	clock     *cloud.RunningClock      // world's
	services  map[string]cloud.Service // by signing name
	resources map[string]cloud.Resource
	kept      *kept
	functions map[string]cloud.Function

	dir      string // of unpacked code
	endpoint string
	dns      net.Addr
	serving  sync.WaitGroup

	mu      sync.Mutex
	edges   map[string]bool // regions whose public address is open
	servers []*http.Server
}

// Open starts an empty account.
func Open(cfg Config) (*Account, error) {
	clock := cloud.RealClock(cfg.Speed)
	a := &Account{
		clock:  clock,
		world:  cloud.World{Clock: clock, Network: cloud.NewNetwork(cfg.Port), Log: cfg.Log},
		Faults: fault.NewBoard(), edges: map[string]bool{}, kept: newKept(),
	}
	var err error
	if a.dir, err = os.MkdirTemp("", "crossregion-"); err != nil {
		return nil, fmt.Errorf("make a folder for unpacked code: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open AWS endpoint: %w", err), os.RemoveAll(a.dir))
	}
	a.endpoint = "http://" + listener.Addr().String()
	a.assemble(cfg)
	a.serve(listener, http.HandlerFunc(a.serveAWS))
	a.dns, err = a.Route53.Serve("127.0.0.1:0", func(net.Addr) string { return cfg.Viewer })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open DNS server: %w", err), a.Close())
	}
	return a, nil
}

// assemble gives each service the others that it needs.
func (a *Account) assemble(cfg Config) {
	// Clients sign with the time that they see, however fast the cloud runs.
	a.IAM = iam.New(cloud.RealClock(1))
	a.KMS = kms.New(a.IAM)
	a.DynamoDB = dynamodb.New(a.world, a.IAM, a.KMS)
	a.Bedrock = bedrock.New(bedrock.Config{World: a.world, IAM: a.IAM, Readings: cfg.Readings})
	a.Lambda = lambda.New(lambda.Config{World: a.world, IAM: a.IAM, Keys: a.KMS, Endpoint: a.endpoint, Dir: a.dir, Arch: runtime.GOARCH})
	a.Route53 = route53.New(route53.Config{World: a.world})
	a.ACM = acm.New(a.Route53)
	a.WAFV2 = wafv2.New(a.world.Clock)
	a.APIGateway = apigateway.New(apigateway.Config{
		World: a.world, Lambda: a.Lambda, Certificates: a.ACM, Roles: a.IAM, Signers: a.IAM, Logs: a.Lambda, Firewall: a.WAFV2,
	})
	a.WAFV2.UseStages(a.APIGateway)
	a.ACM.UseUsers(a.APIGateway)
	a.Route53.UseTargets(a.APIGateway)
	a.SNS = sns.New(a.KMS)
	a.CloudWatch = cloudwatch.New(a.SNS, a.IAM)
	a.Quotas = servicequotas.New()

	a.services = map[string]cloud.Service{}
	for _, s := range []cloud.Service{a.DynamoDB, a.Bedrock, a.CloudWatch} {
		a.services[s.SigningName()] = s
	}
	a.resources = map[string]cloud.Resource{}
	for _, r := range slices.Concat(a.IAM.Resources(), a.KMS.Resources(), a.DynamoDB.Resources(), a.Bedrock.Resources(), a.Lambda.Resources(),
		a.Route53.Resources(), a.ACM.Resources(), a.APIGateway.Resources(), a.WAFV2.Resources(),
		a.SNS.Resources(), a.CloudWatch.Resources()) {
		a.resources[r.Token] = r
	}
	a.functions = map[string]cloud.Function{}
	for _, f := range slices.Concat(a.DynamoDB.Functions(), a.IAM.Functions(), a.Bedrock.Functions(), a.Route53.Functions(), a.Quotas.Functions()) {
		a.functions[f.Token] = f
	}
}

// Skip sets the cloud's clock forward, as if d had passed without anything
// happening.
func (a *Account) Skip(d time.Duration) { a.clock.Skip(d) }

// Endpoint is the URL that signed AWS calls go to, for every service and
// region.
func (a *Account) Endpoint() string { return a.endpoint }

// ServeDNS opens a further DNS server, for clients that are near to a region, and
// returns its address.
func (a *Account) ServeDNS(viewer string) (string, error) {
	addr, err := a.Route53.Serve("127.0.0.1:0", func(net.Addr) string { return viewer })
	if err != nil {
		return "", fmt.Errorf("open DNS server for %s: %w", viewer, err)
	}
	return addr.String(), nil
}

// DNS is the address of the DNS server, over UDP and TCP.
func (a *Account) DNS() string { return a.dns.String() }

// Call answers a provider function in a region.
func (a *Account) Call(ctx context.Context, token, region string, args map[string]any) (map[string]any, error) {
	if err := a.controlled(); err != nil {
		return nil, fmt.Errorf("%s: %w", token, err)
	}
	f, ok := a.functions[token]
	if !ok {
		return nil, fmt.Errorf("the embedded cloud does not know function %s", token)
	}
	return f.Call(ctx, region, args)
}

// OpenRegion opens a region's public address. Opening it twice does nothing.
func (a *Account) OpenRegion(region string) error {
	ip, err := cloud.RegionIP(region)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.edges[region] {
		return nil
	}
	listener, err := a.world.Network.Listen(ip)
	if err != nil {
		return fmt.Errorf("open region %s: %w", region, err)
	}
	a.edges[region] = true
	a.start(listener, a.edge(region))
	return nil
}

// Resolve returns the public addresses that a name has for a client of the DNS
// server. It asks that server over the network, except for AWS's own names,
// which the public DNS would answer.
func (a *Account) Resolve(ctx context.Context, host string) ([]string, error) {
	if ip, ok := a.APIGateway.Lookup(host); ok {
		return []string{ip}, nil
	}
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, a.DNS())
	}}
	return resolver.LookupHost(ctx, host+".")
}

// DialContext connects to a public address of the cloud.
func (a *Account) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return a.world.Network.DialContext(ctx, network, address)
}

// DialFrom connects to a public address of the cloud from within a region.
func (a *Account) DialFrom(ctx context.Context, region, address string) (net.Conn, error) {
	return a.world.Network.DialFrom(ctx, region, address)
}

func (a *Account) serve(l net.Listener, h http.Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.start(l, h)
}

// start serves until Close. The caller holds a.mu.
func (a *Account) start(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(a.world.Log.Handler(), slog.LevelDebug)}
	a.servers = append(a.servers, server)
	a.serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.world.Log.Error("embedded cloud stopped listening", "address", l.Addr().String(), "err", err)
		}
	})
}

// Close ends every process, goroutine and listener of the account, and removes
// what it wrote.
func (a *Account) Close() error {
	a.mu.Lock()
	servers := slices.Clone(a.servers)
	a.mu.Unlock()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Close())
	}
	a.serving.Wait()
	return errors.Join(append(errs, a.Route53.Close(), a.Lambda.Close(), a.DynamoDB.Close(), os.RemoveAll(a.dir))...)
}
