// Package model holds the tiny language model that the program brings along, so
// that a network can be tried without a download. It holds bytes only: it does
// not load, run or check them, and it imports nothing of the project.
//
// The file is GGUF version 3: a Llama of 3.67 million parameters in F16 with a
// vocabulary of 2,048 pieces, trained on text of our own making; see README.md.
// It writes fluent nonsense about a made-up world and is good for nothing but
// demonstrations and tests.
package model

import _ "embed"

// Name is the model's name, as in the file's general.name.
const Name = "targon-tiny-1"

// SHA256 is the hash of the file in lower-case hexadecimal.
const SHA256 = "26d495b9b7f01bf7de80f9d281c81d1ebdfd631eca3dcbda6c79b14111803754"

//go:embed tiny.gguf
var gguf []byte

// GGUF returns the model file. The bytes are those embedded in the program, not
// a copy: callers must not modify them.
func GGUF() []byte { return gguf }
