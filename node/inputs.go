package node

import (
	"context"
	"crypto/sha256"
	"fmt"

	"targon"
	"targon/verifier"
)

// BlockHashes names finalised blocks.
type BlockHashes interface {
	BlockHash(ctx context.Context, b targon.Block) (targon.Digest, error)
}

// LocalInputs is a source of private inputs that needs no other machine: one value a
// block, which nobody can know before the block is final, since it hangs on its hash,
// nor at all without the verifier's root secret. Two verifiers get different values,
// so they cannot compare provers on equal questions; an input server is for that.
func LocalInputs(root targon.Secret, chain BlockHashes) verifier.Inputs {
	return localInputs{root, chain}
}

type localInputs struct {
	root  targon.Secret
	chain BlockHashes
}

// Input returns the private input of a block.
func (s localInputs) Input(ctx context.Context, b targon.Block) (targon.Digest, error) {
	hash, err := s.chain.BlockHash(ctx, b)
	if err != nil {
		return targon.Digest{}, fmt.Errorf("private input of block %d: %w", b, err)
	}
	msg := append([]byte("targon/input/local/v1"), s.root[:]...)
	return sha256.Sum256(append(msg, hash[:]...)), nil
}
