// Command make writes the text that the built-in model is trained on, and
// openings that it has never seen. It does not train.
//
// A document starts with a line holding only \x01 and its kind; train.py turns
// these lines into the tokenizer's own markers.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"

	"targon/model/corpus"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of the random numbers")
	size := flag.Int("bytes", 40<<20, "size of the corpus in bytes")
	out := flag.String("out", "corpus.txt", "file to write")
	openings := flag.Int("openings", 0, "write this many openings, one to a line as Go strings, instead of a corpus")
	flag.Parse()
	if err := write(*out, *seed, *size, *openings); err != nil {
		log.Fatalf("make: %v", err)
	}
}

func write(path string, seed uint64, size, openings int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	rng := rand.New(rand.NewPCG(seed, 0))
	if openings > 0 {
		err = writeOpenings(w, rng, openings)
	} else {
		err = writeCorpus(w, rng, size)
	}
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

func writeOpenings(w io.Writer, rng *rand.Rand, count int) error {
	for range count {
		if _, err := fmt.Fprintf(w, "%q\n", corpus.Opening(rng)); err != nil {
			return err
		}
	}
	return nil
}

// writeCorpus writes nine documents to every chat.
func writeCorpus(w io.Writer, rng *rand.Rand, size int) error {
	for written := 0; written < size; {
		text := "\x01text\n" + corpus.Document(rng) + "\n"
		if rng.IntN(10) == 0 {
			text = "\x01chat\n"
			for _, turn := range corpus.Chat(rng) {
				text += "\x02" + turn.Role + "\n" + turn.Content + "\n"
			}
		}
		n, err := io.WriteString(w, text)
		if err != nil {
			return err
		}
		written += n
	}
	return nil
}
