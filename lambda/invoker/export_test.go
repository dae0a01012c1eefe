package invoker

import (
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/failover"
)

// Limits opens limits to tests.
func Limits(cfg contract.Invoker) failover.Config { return limits(cfg, nil) }
