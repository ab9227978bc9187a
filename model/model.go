// Package model holds the built-in language model: the bytes of a GGUF file, what it
// is called, and its checksum.
//
// It runs nothing and knows no engine. The file is made by train.py from text that
// package corpus writes; README.md says how, and how good it is: good for showing that
// proofs work on real inference, and for nothing else.
//
// Invariant: the bytes are those that SHA256 names. Weights are committed once; another
// version needs a decision record, since every receipt names the model by its digest.
package model

import _ "embed"

// Name is what the file calls itself.
const Name = "targon-tiny-1"

// SHA256 is the checksum of the file, in hex.
const SHA256 = "26d495b9b7f01bf7de80f9d281c81d1ebdfd631eca3dcbda6c79b14111803754"

//go:embed tiny.gguf
var file []byte

//go:embed tiny.pack.json
var pack []byte

// Pack returns the model's calibration pack, as package evidence reads it: honest answers
// on foreign hardware as the built-in engine sees them. Callers must not change it.
func Pack() []byte { return pack }

// GGUF returns the file. The bytes are shared: callers must not change them.
func GGUF() []byte { return file }
