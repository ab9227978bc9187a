package subtensor

import (
	"errors"

	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/scale"
)

// form reports whether an error means that a runtime has no such function or speaks
// another form of it, so that another way to ask may do.
func form(err error) bool {
	if _, refused := errors.AsType[*rpc.Error](err); refused {
		return true
	}
	return errors.Is(err, errForm) || errors.Is(err, scale.ErrFormat) || errors.Is(err, substrate.ErrValue) || errors.Is(err, substrate.ErrUnknown)
}
