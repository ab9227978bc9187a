package wallet_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"targon/wallet"
)

// bittensorReads is run by a Python that has bittensor-wallet: it opens what we
// wrote, and verifies what we signed.
const bittensorReads = `
import json, sys
from bittensor_wallet import Wallet, Keypair
w = Wallet(name="ours", hotkey="h", path=sys.argv[1])
cold = w.coldkey_file.get_keypair(password=sys.argv[2])
hot = w.get_hotkey()
print(json.dumps({
    "cold": cold.ss58_address, "coldpub": w.coldkeypub.ss58_address, "hot": hot.ss58_address,
    "verified": [hot.verify(m.encode(), bytes.fromhex(s)) for m, s in json.load(open(sys.argv[3]))],
}))
`

// TestBittensorReadsOurs is the other direction of the golden files. It runs where
// TARGON_BITTENSOR_PYTHON names a Python with the package bittensor-wallet.
func TestBittensorReadsOurs(t *testing.T) {
	python := os.Getenv("TARGON_BITTENSOR_PYTHON")
	if python == "" {
		t.Skip("set TARGON_BITTENSOR_PYTHON to a Python in which `pip install bittensor-wallet` was run")
	}
	root := t.TempDir()
	w, err := wallet.At(root, "ours", "h")
	if err != nil {
		t.Fatal(err)
	}
	cold, err := wallet.Generate(24)
	if err != nil {
		t.Fatal(err)
	}
	hot, err := wallet.FromURI("//Alice/soft//5")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.SaveColdkey(cold, wallet.Password(goldenPassword)), w.SaveHotkey(hot, nil)); err != nil {
		t.Fatal(err)
	}
	signed := [][2]string{}
	for _, m := range []string{"hello", strings.Repeat("x", 32)} {
		text := []byte(m)
		if wallet.NeedsWrapping(text) {
			text = wallet.Wrapped(text)
		}
		sig, err := hot.Signer().Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, [2]string{m, hexOf(sig[:])})
	}
	claims, err := json.Marshal(signed)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "signed.json"), claims)
	out, err := exec.CommandContext(t.Context(), python, "-c", bittensorReads, root, goldenPassword, filepath.Join(root, "signed.json")).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n") // it talks before the answer
	var got struct {
		Cold, Coldpub, Hot string
		Verified           []bool
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Cold != cold.Address().String() || got.Coldpub != got.Cold || got.Hot != hot.Address().String() {
		t.Errorf("it read %+v", got)
	}
	if len(got.Verified) != 2 || !got.Verified[0] || !got.Verified[1] {
		t.Errorf("verified: %v", got.Verified)
	}
}
