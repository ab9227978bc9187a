package localnet

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"targon"
)

// inputs is the source of private inputs of a network in one process: one value
// a block that no prover can guess. An input server gives the same over a wire.
type inputs struct{ secret targon.Secret }

// Input returns the private input of a block.
func (s inputs) Input(_ context.Context, b targon.Block) (targon.Digest, error) {
	msg := append([]byte("targon/localnet/input/v1"), s.secret[:]...)
	return sha256.Sum256(binary.LittleEndian.AppendUint64(msg, uint64(b))), nil
}
