package desk

import (
	"crypto/sha256"

	"targon"
	"targon/wire/epistula"
)

const labelReply = "targon/desk/reply/v1"

// replyMessage is what the verifier signs of an answer: which call it answers, by the
// call's own nonce, and how.
func replyMessage(target string, nonce epistula.Nonce, status int, body []byte) []byte {
	sum := targon.Digest(sha256.Sum256(body))
	w := newWriter(labelReply)
	w.bytes([]byte(target))
	w.fixed(nonce[:])
	w.u16(uint16(status))
	w.fixed(sum[:])
	return w.b
}
