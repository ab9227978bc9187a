package node_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon/node"
)

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		network, endpoint string
		want              []string
		err               string
	}{
		{"", "", []string{"wss://entrypoint-finney.opentensor.ai:443"}, ""},
		{"finney", "", []string{"wss://entrypoint-finney.opentensor.ai:443"}, ""},
		{"test", "", []string{"wss://test.finney.opentensor.ai:443"}, ""},
		{"local", "", []string{"ws://127.0.0.1:9944"}, ""},
		{"ws://10.0.0.1:9944", "", []string{"ws://10.0.0.1:9944"}, ""},
		{"finney", "127.0.0.1:9", []string{"ws://127.0.0.1:9"}, ""},
		{"", "ws://a:1, b:2", []string{"ws://a:1", "ws://b:2"}, ""},
		{"mainnet", "", nil, `network "mainnet" is not known`},
		{"", "ftp://a", nil, `endpoint "ftp://a"`},
		{"", "a:1,", nil, `endpoint ""`},
	} {
		got, err := node.ChainConfig{Network: c.network, Endpoint: c.endpoint}.Endpoints()
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q, %q: %v, want %q", c.network, c.endpoint, err, c.err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q, %q (-want +got):\n%s", c.network, c.endpoint, diff)
		}
	}
}
