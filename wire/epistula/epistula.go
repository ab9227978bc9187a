// Package epistula signs HTTP requests between the parties and checks them: the
// Epistula v2 headers, whose signature we make cover everything that matters by
// deriving the uuid from it.
//
// Plain v2 signs body, uuid, time and receiver, but neither method nor path nor
// network, and its verifiers keep no set of what they have seen. Here the uuid is
// a hash over all of that and a nonce (see [Binding]), so that v2's own signature
// binds it, and a plain peer sees nothing but a uuid.
//
// The package does not decide who may ask ([Access] does), what a request means,
// or what a refusal looks like on the wire beyond its status. Its invariant: a
// handler behind [Guard] runs at most once for each envelope, with exactly the
// bytes that the named caller signed for this receiver.
package epistula

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"targon"
)

// Header names, in canonical form.
const (
	HeaderVersion   = "Epistula-Version"
	HeaderTimestamp = "Epistula-Timestamp" // Unix milliseconds
	HeaderUUID      = "Epistula-Uuid"
	HeaderSignedBy  = "Epistula-Signed-By"  // SS58
	HeaderSignedFor = "Epistula-Signed-For" // SS58, never empty here
	HeaderSignature = "Epistula-Request-Signature"
	HeaderNonce     = "Targon-Nonce"    // 32 hex digits
	HeaderDeadline  = "Targon-Deadline" // Unix milliseconds
)

// Version is the value of [HeaderVersion].
const Version = "2"

// The window around the receiver's clock. A published verifier tests only the
// past and only 8 s (facts: epistula.py of April 2025); the future is bounded too.
const (
	Past   = 8 * time.Second
	Future = 2 * time.Second
	// Keep is how long a nonce is remembered: two windows, so that a clock which
	// is set back by up to one window opens nothing.
	Keep = 2 * (Past + Future)
	// MaxAhead bounds how far away a deadline may lie.
	MaxAhead = 10 * time.Minute
)

// Why an envelope is refused. Each error that [Guard] returns wraps one of these;
// [Status] maps them.
var (
	ErrMalformed = errors.New("malformed envelope")
	ErrReceiver  = errors.New("addressed to somebody else")
	ErrStale     = errors.New("timestamp outside the window")
	ErrDeadline  = errors.New("deadline past or too far ahead")
	ErrTooEarly  = errors.New("dated before this start")
	ErrDenied    = errors.New("caller not admitted")
	ErrReplay    = errors.New("nonce seen before")
	ErrFull      = errors.New("too many requests remembered")
	ErrLength    = errors.New("length required")
	ErrTooLarge  = errors.New("body too large")
	ErrBody      = errors.New("body could not be read")
	ErrUnbound   = errors.New("plain form not accepted")
	ErrSignature = errors.New("signature does not cover this request")
)

// statuses is in the order of the checks; the first match holds.
var statuses = [...]struct {
	err  error
	code int
}{
	{ErrMalformed, http.StatusBadRequest},
	{ErrReceiver, http.StatusMisdirectedRequest},
	{ErrStale, http.StatusUnauthorized},
	{ErrDeadline, http.StatusBadRequest},
	{ErrTooEarly, http.StatusTooEarly},
	{ErrDenied, http.StatusForbidden},
	{ErrReplay, http.StatusConflict},
	{ErrFull, http.StatusTooManyRequests},
	{ErrLength, http.StatusLengthRequired},
	{ErrTooLarge, http.StatusRequestEntityTooLarge},
	{ErrBody, http.StatusBadRequest},
	{ErrUnbound, http.StatusUnauthorized},
	{ErrSignature, http.StatusUnauthorized},
}

// Status returns the HTTP status of a refusal and its constant short message; ok
// is false for an error that is none of this package's.
func Status(err error) (code int, message string, ok bool) {
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.code, s.err.Error(), true
		}
	}
	return 0, "", false
}

// Nonce makes an envelope unique.
type Nonce [16]byte

// String returns 32 hex digits.
func (n Nonce) String() string { return hex.EncodeToString(n[:]) }

// UUID is the 16 bytes behind the canonical text.
type UUID [16]byte

// String returns the lower-case canonical text.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseUUID reads the lower-case canonical text and nothing else.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' ||
		!lowerHex(u[:], s[0:8]+s[9:13]+s[14:18]+s[19:23]+s[24:36]) {
		return UUID{}, malformed("uuid")
	}
	return u, nil
}

// version returns the version nibble, or 0 when the variant is not RFC 9562's.
func (u UUID) version() int {
	if u[8]>>6 != 0b10 {
		return 0
	}
	return int(u[6] >> 4)
}

// Binding is what an envelope's uuid commits to, besides the body's hash, the
// time and the receiver's address that v2 signs by itself.
type Binding struct {
	Genesis  targon.Digest // of the chain, so that networks cannot be mixed up
	NetUID   targon.NetUID
	Method   string
	Target   string // path with raw query, as on the request line
	Receiver targon.Hotkey
	Nonce    Nonce
	Length   uint64 // of the body
	Deadline uint64 // Unix milliseconds
}

const bindingDomain = "targon/req/v1"

// UUID returns the first 16 bytes of SHA-256 over the nine fields, each prefixed
// by its length as u32 little-endian (the integers of fixed size as well), with
// the version nibble set to 8 and the variant to 10, as RFC 9562 reserves for
// such use.
func (b Binding) UUID() UUID {
	buf := make([]byte, 0, 256)
	field := func(v []byte) {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(len(v)))
		buf = append(buf, v...)
	}
	field([]byte(bindingDomain))
	field(b.Genesis[:])
	field(binary.LittleEndian.AppendUint16(nil, uint16(b.NetUID)))
	field([]byte(b.Method))
	field([]byte(b.Target))
	field(b.Receiver[:])
	field(b.Nonce[:])
	field(binary.LittleEndian.AppendUint64(nil, b.Length))
	field(binary.LittleEndian.AppendUint64(nil, b.Deadline))
	sum := sha256.Sum256(buf)
	u := UUID(sum[:16])
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return u
}

// Message returns the bytes that v2 signs:
// "{sha256hex(body)}.{uuid}.{timestamp}.{signed_for}".
func Message(body targon.Digest, uuid, timestamp, signedFor string) []byte {
	m := make([]byte, 0, 64+36+15+48+3)
	m = hex.AppendEncode(m, body[:])
	m = append(append(m, '.'), uuid...)
	m = append(append(m, '.'), timestamp...)
	return append(append(m, '.'), signedFor...)
}

// lowerHex decodes exactly 2*len(dst) lower-case digits.
func lowerHex(dst []byte, s string) bool {
	if len(s) != 2*len(dst) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	_, err := hex.Decode(dst, []byte(s))
	return err == nil
}

// millis reads a decimal number of 1 to 15 digits in its only form.
func millis(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 15 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
