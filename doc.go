// Package targon holds the nouns of the system: who takes part, what is asked,
// what was answered, what was concluded, and what the chain is told.
//
// Everything here is a value. The package does no I/O, reads no clock, draws no
// random numbers and starts no goroutines; it imports the standard library and
// blake2b (for the SS58 text of a [Hotkey]) and nothing else. Whatever acts on
// these values lives in a folder of its own, in the order in which data flows:
//
//	challenge → wire → prover → wire → ledger → proof → evidence → score → weights → chain
//
// # The story in nouns
//
// A verifier writes a [Request]: prompt ids, sampling, a seed and a salt, bound to
// one prover's [Hotkey]. The prover streams token ids, extends a hash [Chain] by
// each of them and signs the resulting [Receipt]. Request, ids and receipt
// together are a [Transcript]; with the times at which it arrived, an [Exchange].
// A check of a transcript ends in a [Verdict]; verdicts multiply into [Evidence],
// and add up to a [Score]; scores become [Weights], which are integers.
//
// # Encodings
//
// Each noun that is signed or stored has one canonical encoding: a domain label,
// then fields in a fixed order, integers little-endian, byte strings prefixed by
// their length as u32. docs/PROTOCOL.md lists every byte and testdata/ holds
// vectors. JSON forms are for people and are never signed.
package targon
