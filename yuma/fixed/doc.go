// Package fixed is the fixed-point arithmetic of Subtensor's runtime: I32F32 for
// proportions, I64F64 for stake, U96F32 for amounts and their parts, and the one
// product of I96F32 that an epoch needs.
//
// What each operation does with the digits that do not fit is the whole point, and
// follows the crate substrate-fixed 0.5.9 (src/arith.rs, src/transcendental.rs):
//
//   - a product is floored (an arithmetic shift), a quotient is cut towards zero;
//   - Add, Sub, Mul and DivSat stop at the ends of the range ("saturating_…");
//   - DivOrZero and MulOrZero are 0 where there is no result ("checked_…" with a
//     default, as the crate safe-math of opentensor/subtensor defines safe_div);
//   - Plus wraps, as a sum over an iterator does in the runtime's release build;
//   - a conversion to fewer fractional bits floors and saturates.
//
// It does not format, parse or offer what the epoch does not use.
//
// Invariant: no operation panics, and each equals the exact rational result rounded
// and limited as above.
package fixed
