package node

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"targon/chain/substrate/rpc"
)

// ChainConfig says which chain is meant, in Bittensor's words.
type ChainConfig struct {
	Network  string        // finney, archive, test or local; an endpoint is taken too
	Endpoint string        // takes precedence; several with commas between them, the first preferred
	Call     time.Duration // longest call, repeats included; 0: the client's default
	Log      *slog.Logger
}

// network returns where the networks that have a name are. Source:
// bittensor/core/settings.py of opentensor/bittensor, SDK 10.2.0.
func network(name string) (string, bool) {
	switch name {
	case "finney", "":
		return "wss://entrypoint-finney.opentensor.ai:443", true
	case "archive":
		return "wss://archive.chain.opentensor.ai:443", true
	case "test":
		return "wss://test.finney.opentensor.ai:443", true
	case "local":
		return "ws://127.0.0.1:9944", true
	}
	return "", false
}

// Endpoints returns the addresses of the chain's nodes.
func (c ChainConfig) Endpoints() ([]string, error) {
	text := c.Endpoint
	if text == "" {
		known, ok := network(c.Network)
		if !ok && !strings.ContainsAny(c.Network, ":/") {
			return nil, fmt.Errorf("network %q is not known: want finney, archive, test, local or an endpoint (--subtensor.network)", c.Network)
		}
		text = c.Network
		if ok {
			text = known
		}
	}
	var out []string
	for one := range strings.SplitSeq(text, ",") {
		url, err := rpc.Endpoint(strings.TrimSpace(one))
		if err != nil {
			return nil, fmt.Errorf("endpoint %q: %w (--subtensor.chain_endpoint)", one, err)
		}
		out = append(out, url)
	}
	return out, nil
}

// Connect begins to connect to the chain and returns at once. The caller closes it.
func (c ChainConfig) Connect() (*rpc.Client, error) {
	endpoints, err := c.Endpoints()
	if err != nil {
		return nil, err
	}
	return rpc.Start(rpc.Config{Endpoints: endpoints, Call: c.Call, Log: c.Log})
}
