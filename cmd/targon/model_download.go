package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"targon/engine/native/gguf"
	"targon/filelock"
)

// A download fetches one file. What has come lies beside the path with ".partial"
// appended, and what the server said about it with ".partial.json"; the file appears
// under its name only when it is whole and its hash is right.
type download struct {
	client *http.Client
	url    string
	path   string
	sum    string // required sha256 in hex, or ""
	wait   func(ctx context.Context, attempt int) error
	idle   time.Duration
	report func(done, total int64)

	part *os.File
	said served
}

const (
	byFlag   = "flag"
	byServer = "server"
	// attempts is how often in a row the connection may break without a byte coming.
	attempts = 5
	magicLen = 4 // of a GGUF file: "GGUF"
)

// errBroken marks failures after which another attempt may help.
var errBroken = errors.New("connection broke")

// errStale means that what has come is not part of what the server has now.
var errStale = errors.New("the file changed on the server")

// errAstray means that the server sends us where we do not go; asking again changes nothing.
var errAstray = errors.New("the server redirects")

func (d *download) fetch(ctx context.Context) (pulled, error) {
	if p, ok, err := d.cached(); ok || err != nil {
		return p, err
	}
	if err := d.open(); err != nil {
		return pulled{}, err
	}
	defer func() { _ = d.part.Close() }() // after finish it is synced already
	if err := d.complete(ctx); err != nil {
		return pulled{}, errors.Join(err, d.tidy())
	}
	return d.finish()
}

// tidy removes the partial file of a fetch to which nothing came.
func (d *download) tidy() error {
	if n, err := d.have(); err != nil || n > 0 {
		return err
	}
	if _, err := os.Stat(d.part.Name()); errors.Is(err, os.ErrNotExist) {
		return nil // it was discarded
	}
	return d.discard()
}

// open takes possession of the partial file.
func (d *download) open() (err error) {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o755); err != nil {
		return err
	}
	if d.part, err = os.OpenFile(d.path+".partial", os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	if err := d.own(); err != nil {
		return errors.Join(err, d.part.Close())
	}
	d.said = served{Size: -1}
	if b, err := os.ReadFile(d.path + ".partial.json"); err == nil {
		var s served
		if json.Unmarshal(b, &s) == nil && s.URL == d.url {
			d.said = s
		}
	}
	return nil
}

// own locks the partial file, so that two fetches do not write into each other's. The
// one that was first may have finished and renamed it just now.
func (d *download) own() error {
	switch err := filelock.Take(d.part); {
	case errors.Is(err, errors.ErrUnsupported): // then the hash tells in the end, if anybody knows it
	case err != nil:
		return fmt.Errorf("another pull of this file is running: %w", err)
	}
	mine, err := d.part.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(d.path + ".partial"); err != nil || !os.SameFile(mine, now) {
		return errors.New("another pull of this file has just finished: try again")
	}
	return nil
}

// complete asks for what is missing until nothing is.
func (d *download) complete(ctx context.Context) error {
	for failed, stale := 0, 0; ; {
		before, err := d.have()
		if err != nil {
			return err
		}
		if d.said.ETag != "" && d.said.Size > 0 && before == d.said.Size {
			return nil
		}
		err = d.attempt(ctx, before)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(err, errBroken) && !errors.Is(err, errStale) {
			return err
		}
		after, e := d.have()
		if e != nil {
			return e
		}
		if failed++; after > before {
			failed = 1
		}
		if errors.Is(err, errStale) {
			stale++ // such a server may give much and take it all back, for ever
		}
		if failed == attempts || stale == attempts {
			if after == 0 {
				return fmt.Errorf("%w, %d times in a row: try again later", err, attempts)
			}
			return fmt.Errorf("%w; what has come is kept, pull again to go on", err)
		}
		if err := d.wait(ctx, failed); err != nil {
			return err
		}
	}
}

func (d *download) have() (int64, error) {
	info, err := d.part.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// attempt asks once, for everything or for what follows the first have bytes.
func (d *download) attempt(ctx context.Context, have int64) error {
	if d.said.ETag == "" {
		have = 0
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "identity") // sizes and hashes are of the file itself
	req.Header.Set("User-Agent", "targon")
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		req.Header.Set("If-Range", d.said.ETag)
	}
	var said served
	res, err := d.redirecting(&said).Do(req)
	if errors.Is(err, errAstray) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	defer func() { _ = res.Body.Close() }()
	said.read(res.Header)
	said.URL = d.url
	switch {
	case res.StatusCode == http.StatusOK:
		said.Size = res.ContentLength
		have = 0
	case res.StatusCode == http.StatusPartialContent && have > 0:
		if err := d.continues(res, have, &said); err != nil {
			return errors.Join(err, d.forget())
		}
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		return errors.Join(errStale, d.forget())
	default:
		return refused(res)
	}
	if err := d.begin(said, have); err != nil {
		return err
	}
	return d.receive(watch(res.Body, d.idle, cancel), have)
}

// forget starts over.
func (d *download) forget() error {
	d.said = served{Size: -1}
	return errors.Join(d.part.Truncate(0), removeIfThere(d.path+".partial.json"))
}

// begin notes what the server says before a byte of it is written, and refuses what
// would fail in the end.
func (d *download) begin(said served, have int64) error {
	if d.sum != "" && said.SHA256 != "" && said.SHA256 != d.sum {
		return fmt.Errorf("the server says sha256 %s, --sha256 says %s", said.SHA256, d.sum)
	}
	if have > 0 && said.SHA256 != d.said.SHA256 {
		return errors.Join(errStale, d.forget())
	}
	if err := d.part.Truncate(have); err != nil {
		return err
	}
	b, err := json.Marshal(said)
	if err != nil {
		return err
	}
	d.said = said
	return os.WriteFile(d.path+".partial.json", b, 0o644)
}

// receive writes what comes after the first have bytes.
func (d *download) receive(body io.Reader, have int64) error {
	if _, err := d.part.Seek(have, io.SeekStart); err != nil {
		return err
	}
	if have == 0 {
		head := make([]byte, magicLen)
		n, err := io.ReadFull(body, head)
		if err != nil && string(head[:n]) == "GGUF"[:n] {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
		if string(head) != "GGUF" {
			return errors.Join(fmt.Errorf("the server sends no GGUF file: it begins with %q", head[:n]), d.discard())
		}
		if _, err := d.part.Write(head); err != nil {
			return err
		}
		have = magicLen
	}
	buffer := make([]byte, 1<<18)
	for {
		n, err := body.Read(buffer)
		if _, e := d.part.Write(buffer[:n]); e != nil {
			return e
		}
		have += int64(n)
		d.report(have, d.said.Size)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%w after %d bytes: %w", errBroken, have, err)
		}
	}
	if d.said.Size >= 0 && have != d.said.Size {
		return fmt.Errorf("%w after %d of %d bytes", errBroken, have, d.said.Size)
	}
	return nil
}

// finish checks the hash and gives the file its name.
func (d *download) finish() (pulled, error) {
	if _, err := d.part.Seek(0, io.SeekStart); err != nil {
		return pulled{}, err
	}
	hash := sha256.New()
	n, err := io.Copy(hash, d.part)
	if err != nil {
		return pulled{}, err
	}
	p := pulled{Path: d.path, Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}
	for _, want := range []struct{ by, sum string }{{byServer, d.said.SHA256}, {byFlag, d.sum}} {
		if want.sum == "" {
			continue
		}
		if p.SHA256 != want.sum {
			err := fmt.Errorf("what came hashes to %s, by the %s it should be %s: it was removed", p.SHA256, want.by, want.sum)
			return pulled{}, errors.Join(err, d.discard())
		}
		p.Verified = want.by
	}
	if p.Verified == "" {
		if err := whole(d.part.Name()); err != nil {
			return pulled{}, errors.Join(err, d.discard())
		}
	}
	if err := d.part.Sync(); err != nil {
		return pulled{}, err
	}
	if err := os.Rename(d.part.Name(), d.path); err != nil {
		return pulled{}, err
	}
	return p, removeIfThere(d.path + ".partial.json")
}

// whole refuses a file of which nobody says what it hashes to when it is not what its own
// header says: a server whose copy ends early serves that without an error. Types that
// are not read here are the file's own business.
func whole(path string) error {
	err := withModelFile(path, func([]byte, *gguf.File) error { return nil })
	if err == nil || errors.Is(err, gguf.ErrUnsupported) {
		return nil
	}
	return fmt.Errorf("what came is no whole model file, it was removed: %w", err)
}

// discard removes what has come.
func (d *download) discard() error {
	return errors.Join(os.Remove(d.part.Name()), removeIfThere(d.path+".partial.json"))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// watch calls cancel when nothing comes for a while, so that a silent connection breaks.
func watch(body io.Reader, idle time.Duration, cancel context.CancelFunc) io.Reader {
	return &watched{body: body, idle: idle, timer: time.AfterFunc(idle, cancel)}
}

type watched struct {
	body  io.Reader
	idle  time.Duration
	timer *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.body.Read(b)
	if err != nil {
		w.timer.Stop()
	} else {
		w.timer.Reset(w.idle)
	}
	return n, err
}
