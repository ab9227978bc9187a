package local

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"targon"
	"targon/filelock"
)

// ErrJournal is the root of every failure to go on from a file.
var ErrJournal = errors.New("not a journal of this chain")

// errRecorded says that a call inside the process would be missing from the file.
var errRecorded = errors.New("a chain with a journal takes extrinsics only")

// A journal is a file of lines in JSON: the first names the genesis, each of the rest a
// block and its extrinsics. Blocks between lines were empty. Replaying it makes the
// chain again, because equal calls in equal blocks give equal hashes.
type journal struct{ file *os.File }

type journalLine struct {
	Block      targon.Block  `json:"block"`
	Hash       targon.Digest `json:"hash"`
	Extrinsics [][]byte      `json:"extrinsics,omitempty"`
}

// Open makes the chain of config or goes on with the one in a file, which must have
// been made with an equal config. The file records every extrinsic from then on; Close
// ends it. After a crash the empty blocks since the last line are made anew.
func Open(config Config, path string) (*Chain, error) {
	c, err := New(config)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	whole := int64(0)
	if err = filelock.Take(file); err == nil { // two chains would mix their blocks
		whole, err = c.replay(file)
	}
	if err == nil {
		err = file.Truncate(whole) // a line that a crash cut short
	}
	if err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	c.journal = &journal{file}
	if err == nil && whole == 0 {
		err = c.journal.write(journalLine{Hash: c.genesis})
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	return c, nil
}

// Close writes the last block down and closes the file, if there is one. Nothing may
// make blocks any more.
func (c *Chain) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal == nil {
		return nil
	}
	n := c.state.block
	err := errors.Join(c.lost, c.journal.write(journalLine{Block: n, Hash: c.hashes[n]}), c.journal.file.Close())
	c.journal = nil
	return err
}

func (j *journal) write(l journalLine) error {
	raw, err := l.text()
	if err != nil {
		return err
	}
	_, err = j.file.Write(raw)
	return err
}

func (l journalLine) text() ([]byte, error) {
	raw, err := json.Marshal(l)
	return append(raw, '\n'), err
}

// begins checks that the only, torn line of a file is the beginning of a journal's first:
// somebody else's file would be emptied.
func (c *Chain) begins(torn []byte) error {
	first, err := journalLine{Hash: c.genesis}.text()
	if err == nil && !bytes.HasPrefix(first, torn) {
		err = fmt.Errorf("%w: it does not begin like one", ErrJournal)
	}
	return err
}

// note writes a block down, if it is worth a line.
func (c *Chain) note(h targon.Header, extrinsics [][]byte) {
	if c.journal == nil || c.lost != nil || len(extrinsics) == 0 && !c.state.rhythm().Pays(h.Number) {
		return
	}
	if err := c.journal.write(journalLine{h.Number, h.Hash, extrinsics}); err != nil {
		c.lost = fmt.Errorf("write journal: %w", err)
	}
}

// replay makes the blocks of a file and returns how many bytes of it are whole lines.
func (c *Chain) replay(r io.Reader) (int64, error) {
	m := Metadata()
	in := bufio.NewReader(r)
	whole := int64(0)
	for {
		raw, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && whole == 0 {
			return 0, c.begins(raw)
		}
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		var l journalLine
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			return whole, fmt.Errorf("%w: after %d bytes: %w", ErrJournal, whole, err)
		}
		for c.state.block+1 < l.Block {
			c.Step()
		}
		if err := c.acceptAll(m, l.Extrinsics); err != nil {
			return whole, fmt.Errorf("%w: extrinsics of block %d: %w", ErrJournal, l.Block, err)
		}
		if c.state.block < l.Block {
			c.Step()
		}
		if c.state.block != l.Block || c.hashes[l.Block] != l.Hash {
			return whole, fmt.Errorf("%w: block %d is another; it was made with other settings or by another version", ErrJournal, l.Block)
		}
		whole += int64(len(raw))
	}
}
