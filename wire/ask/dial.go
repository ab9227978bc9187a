package ask

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrAddress is returned for an address that is not dialled: axons are written to
// the chain by provers, and must not lead into the asker's own network.
var ErrAddress = errors.New("address is not public unicast")

// reserved are the ranges that netip does not name, from the IANA registries of
// special-purpose addresses. The last three can carry an IPv4 address inside.
var reserved = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2002::/16"),
}

// CheckAddress returns nil if a stranger's address may be dialled: public unicast,
// and no well-known port but those of the web.
func CheckAddress(a netip.AddrPort) error {
	ip := a.Addr().Unmap()
	port := a.Port()
	switch {
	case !ip.IsValid() || ip.Zone() != "" || !ip.IsGlobalUnicast() || ip.IsPrivate():
		return fmt.Errorf("%w: %s", ErrAddress, a)
	case port < 1024 && port != 80 && port != 443:
		return fmt.Errorf("%w: port %d", ErrAddress, port)
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return fmt.Errorf("%w: %s", ErrAddress, a)
		}
	}
	return nil
}

// NewTransport returns the transport that a Client uses when it is given none: no
// proxy, no compression, HTTP/1.1, and the address checked once more at the
// socket, when there is no name left that could resolve to something else.
func NewTransport(allowPrivate bool) *http.Transport {
	d := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			a, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %q", ErrAddress, address)
			}
			return CheckAddress(a)
		}
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:         d.DialContext,
		Protocols:           protocols,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 64,
		// Shorter than a prover's, so that it is we who let go of idle connections.
		IdleConnTimeout:        50 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
		TLSHandshakeTimeout:    5 * time.Second,
	}
}
