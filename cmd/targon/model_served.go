package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

// served is what the server said about the file that the partial one belongs to.
type served struct {
	URL    string `json:"url"`
	ETag   string `json:"etag"`   // strong, or "": then a fetch starts over
	Size   int64  `json:"size"`   // -1: unknown
	SHA256 string `json:"sha256"` // "": unknown
}

// refused turns a status into an error that says whether to try again.
func refused(res *http.Response) error {
	switch {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the server answers %s: the file needs an account, or does not exist", res.Status)
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return fmt.Errorf("%w: the server answers %s", errBroken, res.Status)
	}
	return fmt.Errorf("the server answers %s", res.Status)
}

// redirecting follows redirects, never from https to http, and notes what the ones that
// redirect say about the file: hubs send its hash there and leave the contents to others.
func (d *download) redirecting(said *served) *http.Client {
	c := *d.client
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return fmt.Errorf("%w more than ten times", errAstray)
		}
		from, to := via[len(via)-1].URL.Scheme, req.URL.Scheme
		if to != "https" && (to != "http" || from == "https") {
			return fmt.Errorf("%w from %s to %s", errAstray, from, to)
		}
		if req.Response != nil {
			said.read(req.Response.Header)
		}
		return nil
	}
	return &c
}

// read takes out of headers what they say about the file: X-Linked-Etag is the hub's
// sha256 of a large file, Repr-Digest is RFC 9530's.
func (s *served) read(h http.Header) {
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) { // weak ones promise too little
		s.ETag = tag
	} else {
		s.ETag = ""
	}
	if sum := strings.ToLower(strings.Trim(h.Get("X-Linked-Etag"), `"`)); isSHA256(sum) {
		s.SHA256 = sum
	}
	for part := range strings.SplitSeq(h.Get("Repr-Digest"), ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(part), "sha-256=:")
		if b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(value, ":")); ok && err == nil && len(b) == sha256.Size {
			s.SHA256 = hex.EncodeToString(b)
		}
	}
}

// continues checks that a partial answer goes on where we stopped, in the same file.
func (d *download) continues(res *http.Response, have int64, said *served) error {
	var from, to, total int64
	n, err := fmt.Sscanf(res.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
	if err != nil || n != 3 || from != have || to != total-1 || res.ContentLength >= 0 && res.ContentLength != total-have {
		return fmt.Errorf("%w: it answers with %q", errStale, res.Header.Get("Content-Range"))
	}
	if said.ETag != "" && said.ETag != d.said.ETag || total != d.said.Size {
		return errStale
	}
	said.ETag, said.Size = d.said.ETag, total
	if said.SHA256 == "" {
		said.SHA256 = d.said.SHA256
	}
	return nil
}
