package ledger

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"targon"
)

// The format, all integers little-endian:
//
//	header  = "TGLEDGER" ‖ version u32 ‖ CRC32C of the 12 bytes before
//	frame   = length u32 ‖ CRC32C u32 ‖ sequence u64 ‖ payload
//	payload = (length u32 ‖ canonical encoding of one entry)…, at least one
//
// A frame's length counts its payload; its CRC covers length, sequence and
// payload; sequences count frames from 1. CRC32C detects every single-bit error.
const (
	magic      = "TGLEDGER"
	version    = 1
	headerLen  = 16
	frameHead  = 16
	minPayload = 4
	maxPayload = 16 << 20
)

// errFrame marks bytes that are no intact frame of the expected sequence.
var errFrame = errors.New("no intact frame")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func header() []byte {
	b := binary.LittleEndian.AppendUint32([]byte(magic), version)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

// checkHeader accepts the header of this version only.
func checkHeader(b []byte) error {
	switch v := binary.LittleEndian.Uint32(b[8:]); {
	case string(b[:8]) != magic:
		return errors.New("does not begin like a ledger")
	case crc32.Checksum(b[:12], castagnoli()) != binary.LittleEndian.Uint32(b[12:]):
		return errors.New("has a damaged header")
	case v != version:
		return fmt.Errorf("is of version %d, this program reads version %d", v, version)
	}
	return nil
}

// seal fills in the head of a frame whose payload already lies behind it.
func seal(frame []byte, sequence uint64) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHead))
	binary.LittleEndian.PutUint64(frame[8:], sequence)
	binary.LittleEndian.PutUint32(frame[4:], frameSum(frame[:frameHead], frame[frameHead:]))
}

func frameSum(head, payload []byte) uint32 {
	sum := crc32.Checksum(head[:4], castagnoli())
	sum = crc32.Update(sum, castagnoli(), head[8:frameHead])
	return crc32.Update(sum, castagnoli(), payload)
}

// appendEntry adds one entry to a payload. What could not be read back is refused
// here, before it is in the way of everything after it.
func appendEntry(payload []byte, e targon.Entry) ([]byte, error) {
	if e == nil {
		return nil, errors.New("entry is nil")
	}
	b, err := e.MarshalBinary()
	if err != nil {
		return nil, err
	}
	if _, err := targon.DecodeEntry(b); err != nil {
		return nil, fmt.Errorf("entry could not be read back: %w", err)
	}
	payload = binary.LittleEndian.AppendUint32(payload, uint32(len(b)))
	return append(payload, b...), nil
}

// nextEntry splits the first encoded entry off a payload.
func nextEntry(payload []byte) (entry, rest []byte, err error) {
	if len(payload) < minPayload {
		return nil, nil, errFrame
	}
	n := uint64(binary.LittleEndian.Uint32(payload))
	if n > uint64(len(payload)-4) {
		return nil, nil, errFrame
	}
	return payload[4 : 4+n], payload[4+n:], nil
}

// A scanner reads frames in order from the end of the header.
type scanner struct {
	r        *bufio.Reader
	offset   int64 // of the frame that next will read
	end      int64
	sequence uint64 // that the next frame must bear
	buf      []byte
}

func newScanner(r io.ReaderAt, end int64) *scanner {
	section := io.NewSectionReader(r, headerLen, max(0, end-headerLen))
	return &scanner{r: bufio.NewReaderSize(section, 1<<16), offset: headerLen, end: end, sequence: 1}
}

// next returns the payload of the next frame, valid until the next call; io.EOF
// exactly at the end; errFrame when what lies there is not an intact frame; other
// errors are the disk's.
func (s *scanner) next() ([]byte, error) {
	if s.offset == s.end {
		return nil, io.EOF
	}
	var head [frameHead]byte
	if s.end-s.offset < frameHead {
		return nil, errFrame
	}
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if n < minPayload || n > maxPayload || n > s.end-s.offset-frameHead {
		return nil, errFrame
	}
	if int64(cap(s.buf)) < n {
		s.buf = make([]byte, n)
	}
	payload := s.buf[:n]
	if _, err := io.ReadFull(s.r, payload); err != nil {
		return nil, err
	}
	if !intact(head[:], payload) || binary.LittleEndian.Uint64(head[8:]) != s.sequence {
		return nil, errFrame
	}
	s.offset += frameHead + n
	s.sequence++
	return payload, nil
}

// intact checks a frame's checksum and that its payload splits into entries.
func intact(head, payload []byte) bool {
	if binary.LittleEndian.Uint32(head[4:]) != frameSum(head, payload) {
		return false
	}
	for len(payload) > 0 {
		var err error
		if _, payload, err = nextEntry(payload); err != nil {
			return false
		}
	}
	return true
}

// findIntact looks in [from, end) for an intact frame: one of any sequence at from
// itself, or a later one of the sequences that may follow. -1 means none.
func findIntact(r io.ReaderAt, from, end int64, sequence uint64) (int64, error) {
	const window = 1 << 20
	last := sequence + uint64(end-from)/frameHead // more frames cannot fit
	buf := make([]byte, min(window+frameHead, end-from))
	for base := from; base < end; base += window {
		b := buf[:min(int64(len(buf)), end-base)]
		if _, err := r.ReadAt(b, base); err != nil {
			return 0, err
		}
		for i := 0; i+frameHead <= len(b) && i < window; i++ {
			at := base + int64(i)
			n, got := int64(binary.LittleEndian.Uint32(b[i:])), binary.LittleEndian.Uint64(b[i+8:])
			if n < minPayload || n > maxPayload || n > end-at-frameHead || (at != from && (got < sequence || got > last)) {
				continue // cheaply, for almost every offset
			}
			frame := make([]byte, frameHead+n)
			if _, err := r.ReadAt(frame, at); err != nil {
				return 0, err
			}
			if intact(frame, frame[frameHead:]) {
				return at, nil
			}
		}
	}
	return -1, nil
}
