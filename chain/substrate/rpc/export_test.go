package rpc

import (
	"encoding/json"
	"errors"

	"targon"
)

// TakeForTest gives a connection without a socket one message while a call and a
// subscription wait.
func TakeForTest(raw []byte) {
	heads := make(chan json.RawMessage, 1)
	n := &conn{
		gone:    make(chan struct{}),
		pending: map[uint64]func(reply){1: func(r reply) { useReply(r) }},
		subs:    map[string]chan json.RawMessage{`"s"`: heads},
	}
	_ = n.take(raw)
	select {
	case head := <-heads:
		_, _ = parseHead(head)
	default:
	}
}

// useReply reads a result in each way that the client does.
func useReply(r reply) {
	if r.err != nil {
		_ = r.err.Error()
		return
	}
	var text string
	var bytes Hex
	var pages []Hex
	_ = decode(r.result, &text)
	_ = decode(r.result, &bytes)
	_ = decode(r.result, &pages)
	_, _ = parseDigest(text)
	_, _ = parseHead(r.result)
}

// HeaderForTest reads a header as notifications and chain_getHeader bring it.
func HeaderForTest(raw []byte) (n targon.Block, parent targon.Digest, err error) {
	var h header
	if err := decode(raw, &h); err != nil {
		return 0, targon.Digest{}, err
	}
	n, nerr := h.number()
	parent, perr := parseDigest(h.Parent)
	again, herr := parseHead(raw)
	if (herr == nil) != (nerr == nil) || herr == nil && again != n {
		return 0, targon.Digest{}, errors.New("a notification is read otherwise than an answer")
	}
	return n, parent, errors.Join(nerr, perr)
}
