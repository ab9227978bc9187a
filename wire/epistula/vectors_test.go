package epistula_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"targon"
	"targon/sign"
	"targon/wire/epistula"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

// TestWriteVectors writes the vectors that TestVectors reads. Only the signatures
// differ from one writing to the next.
func TestWriteVectors(t *testing.T) {
	if !*update {
		t.Skip("without -update")
	}
	var all []vector
	for _, c := range []struct {
		note, method, target, body string
		netuid                     targon.NetUID
	}{
		{"a post with a body", "POST", "/targon/v1/ask", `{"a":1}`, 4},
		{"a query, an escaped path, a body that is no text", "POST", "/a%20b?c=%2F&d", "\x00\xff\n", 65535},
		{"no body", "GET", "/targon/v1/capacity", "", 0},
	} {
		k, err := sign.FromSeed(targon.Secret{byte(len(all) + 1)})
		if err != nil {
			t.Fatal(err)
		}
		receiver, genesis := newKey(t, 42).Hotkey(), targon.Digest{0xab, 31: 0xcd}
		r, err := http.NewRequest(c.method, "http://h"+c.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := epistula.Signer{
			Key: k, Genesis: genesis, NetUID: c.netuid, Now: func() time.Time { return start },
			Rand: bytes.NewReader([]byte(strings.Repeat("nonce", 10))[len(all):]),
		}
		if err := s.Sign(r, []byte(c.body), receiver, start.Add(90*time.Second)); err != nil {
			t.Fatal(err)
		}
		h := r.Header
		all = append(all, vector{
			Note: c.note, Genesis: genesis.String(), NetUID: uint16(c.netuid), Method: c.method, Target: c.target,
			Receiver: receiver.String(), Nonce: h.Get(epistula.HeaderNonce), Deadline: uint64(start.UnixMilli()) + 90_000,
			Timestamp: start.UnixMilli(), BodyHex: hex.EncodeToString([]byte(c.body)), UUID: h.Get(epistula.HeaderUUID),
			Message: string(epistula.Message(sha256.Sum256([]byte(c.body)), h.Get(epistula.HeaderUUID), h.Get(epistula.HeaderTimestamp), receiver.String())),
			Seed:    hex.EncodeToString([]byte{byte(len(all) + 1)}) + strings.Repeat("00", 31),
			Signer:  k.Hotkey().String(), Signature: h.Get(epistula.HeaderSignature),
		})
	}
	raw, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/vectors.json", append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
