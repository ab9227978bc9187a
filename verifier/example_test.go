package verifier_test

import (
	"crypto/sha256"
	"fmt"
	"time"

	"targon"
	"targon/challenge"
	"targon/score"
	"targon/sign"
	"targon/verifier"
)

// A ledger is enough to repeat what its verifier decided.
func ExampleRecheck() {
	key, _ := sign.FromSeed(targon.Secret{1})
	secret := challenge.EpochSecret(targon.Secret{2}, 0)
	request := targon.Request{ID: targon.RequestID{3}, Prover: key.Hotkey()}
	receipt := targon.ReceiptFor(request, []targon.TokenID{7, 8, 9}, targon.FinishStop)
	arrived := targon.Arrived{
		UID: 5, Prover: key.Hotkey(), Origin: targon.OriginChallenge, Status: targon.StatusComplete,
		Block: 100, Request: request.Digest(), Receipt: receipt, Timing: targon.Timing{Total: time.Second},
	}
	verdict := targon.Verdict{
		Request: arrived.Request, Receipt: receipt.Digest(), Prover: key.Hotkey(),
		Outcome: targon.Passed, Reason: targon.ReasonEqual, Tokens: 3,
	}
	hashes := func(b targon.Block) (targon.Digest, bool) { return sha256.Sum256([]byte{byte(b)}), true }
	ledger := []targon.Entry{
		targon.EpochOpened{Block: 100, SecretHash: challenge.Commitment(secret), AuditPPM: 1_000_000},
		arrived,
		targon.Judged{UID: 5, Verdict: verdict},
		targon.EpochOpened{Epoch: 1, Block: 105, AuditPPM: 1_000_000},
		targon.EpochClosed{Block: 105, Secret: targon.Digest(secret)},
	}
	audit, err := verifier.Recheck(each(ledger), score.Throughput{}, hashes)
	fmt.Println(audit.Epochs, "epoch,", audit.Drawn, "drawn,", audit.Spared, "spared,", err)

	verdict.Outcome, verdict.Reason = targon.Undecided, targon.ReasonNotDrawn
	ledger[2] = targon.Judged{UID: 5, Verdict: verdict}
	_, err = verifier.Recheck(each(ledger), score.Throughput{}, hashes)
	fmt.Println("spared although drawn:", err != nil)
	// Output:
	// 1 epoch, 1 drawn, 0 spared, <nil>
	// spared although drawn: true
}
