// Package wallet reads and writes keys as Bittensor's wallets do: the same
// folders, JSON fields, encryption, phrases and derivation paths, so that a wallet
// made by either program is a wallet of the other.
//
// It never prints, prompts, or overwrites: whoever needs a password passes a
// [Passwords], and a key that exists is refused with [ErrExists]. Private files
// that others may read are refused with [ErrOpenFile].
//
// Hotkeys are for machines that serve, coldkeys for people: only
// [Wallet.UnlockColdkey] opens a coldkey, and no role of the network calls it.
//
// Limits: file contents, passwords, seeds and derived keys are zeroed after use,
// but the garbage collector may have moved them, JSON and phrases pass through
// strings, and the key pair inside sign.Key and Argon2's memory stay until they
// are collected. A machine that others can read the memory of is no place for a
// coldkey.
package wallet
