package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// hubVariable names the environment variable that holds the address of the hub that
// hf: names are looked up at.
const (
	hubVariable = "TARGON_HUB"
	hubDefault  = "https://huggingface.co"
)

func newModelPullCommand(o modelOutside) *cobra.Command {
	var sum string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pull hf:OWNER/REPO[@REVISION]/FILE.gguf | URL",
		Short: "fetch a model file into the user's cache",
		Long: "Pull fetches a file once and prints where it lies. A fetch that was interrupted goes on where it stopped,\n" +
			"if the server still has the same file. The sha256 is compared with --sha256 and with what the server says;\n" +
			"a file that fails is removed. A plain http address of another machine needs --sha256.\n\n" +
			"hf: names are looked up at " + hubDefault + ", or at the address in " + hubVariable + ".",
		Example: "  targon model pull hf:owner/repo/model.gguf\n  targon model pull https://example.org/m.gguf --sha256 6f…",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if sum = strings.ToLower(sum); sum != "" && !isSHA256(sum) {
				return fmt.Errorf("--sha256 %q: want 64 hex digits", sum)
			}
			d, err := o.download(args[0], sum, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			p, err := d.fetch(cmd.Context())
			if err != nil {
				return fmt.Errorf("pull %s: %w", args[0], err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(p)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n%d bytes\nsha256 %s (%s)\n", p.Path, p.Bytes, p.SHA256, p.trust())
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&sum, "sha256", "", "what the file must hash to, in `hex`")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// pulled tells what lies in the cache now.
type pulled struct {
	Path     string `json:"path"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"`
	Verified string `json:"verified"` // by "flag", "server" or nobody
	Cached   bool   `json:"cached"`   // it was there already
}

func (p pulled) trust() string {
	switch {
	case p.Verified == byFlag:
		return "as --sha256 says"
	case p.Verified == byServer:
		return "as the server says"
	case p.Cached:
		return "was in the cache already"
	}
	return "nobody vouches for it"
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// download prepares to fetch what a name stands for.
func (o modelOutside) download(name, sum string, progress io.Writer) (*download, error) {
	hub := hubDefault
	if h, ok := o.lookup(hubVariable); ok && h != "" {
		hub = strings.TrimRight(h, "/")
	}
	at, place, err := locate(name, hub)
	if err != nil {
		return nil, err
	}
	if at.Scheme == "http" && sum == "" && !loopback(at.Hostname()) {
		return nil, fmt.Errorf("pull %s: anyone on the way can change what comes over plain http: give --sha256, or an https address", name)
	}
	cache, err := o.cache()
	if err != nil {
		return nil, fmt.Errorf("find the user's cache: %w", err)
	}
	path := filepath.Join(cache, "targon", "models", filepath.FromSlash(place))
	bar := &progressBar{out: progress, name: filepath.Base(path), rewrite: o.terminal(progress)}
	return &download{client: o.client, url: at.String(), path: path, sum: sum, wait: o.wait, idle: o.idle, report: bar.show}, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// safeName is what may be a file or folder of the cache: nothing hidden, nothing that a
// shell or a file system reads in its own way.
var safeName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+=~-]*$`)

// locate returns where to fetch a name from, and where under the cache it goes.
func locate(name, hub string) (at *url.URL, place string, err error) {
	address, isHub := name, false
	if rest, ok := strings.CutPrefix(name, "hf:"); ok {
		if address, place, err = hubAddress(rest, hub); err != nil {
			return nil, "", err
		}
		isHub = true
	}
	at, err = url.Parse(address)
	if err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Hostname() == "" || at.User != nil {
		return nil, "", fmt.Errorf("%q: want hf:OWNER/REPO/FILE.gguf, or an http or https address without a password", address)
	}
	if isHub {
		return at, place, nil
	}
	at.Fragment = ""
	parts := []string{strings.NewReplacer(":", "_", "[", "", "]", "").Replace(at.Host)}
	if net.ParseIP(at.Hostname()) != nil && strings.Contains(at.Hostname(), ":") {
		parts[0] = "ipv6_" + strings.Trim(parts[0], "_")
	}
	if at.RawQuery != "" { // another query is another file
		sum := sha256.Sum256([]byte(at.RawQuery))
		parts = append(parts, hex.EncodeToString(sum[:4]))
	}
	parts = append(parts, strings.Split(strings.TrimPrefix(at.Path, "/"), "/")...)
	return at, strings.Join(parts, "/"), safeParts(name, parts)
}

func safeParts(name string, parts []string) error {
	for _, p := range parts {
		if !safeName.MatchString(p) || len(p) > 200 {
			return fmt.Errorf("%q: %q cannot be the name of a file here", name, p)
		}
	}
	return nil
}

// hubAddress takes OWNER/REPO[@REVISION]/FILE apart. The address is the hub's for the
// contents of a file at a revision.
func hubAddress(rest, hub string) (address, place string, err error) {
	parts := strings.Split(rest, "/")
	if len(parts) < 3 || !strings.HasSuffix(strings.ToLower(rest), ".gguf") {
		return "", "", fmt.Errorf("%q: want hf:OWNER/REPO/FILE.gguf", "hf:"+rest)
	}
	repo, revision, named := strings.Cut(parts[1], "@")
	if !named {
		revision = "main"
	}
	if err := safeParts("hf:"+rest, append([]string{parts[0], repo, revision}, parts[2:]...)); err != nil {
		return "", "", err
	}
	file := strings.Join(parts[2:], "/")
	// Everything is of safeName, which needs no escaping.
	return fmt.Sprintf("%s/%s/%s/resolve/%s/%s", hub, parts[0], repo, revision, file), rest, nil
}

// progressBar shows how far a fetch is: one line that is rewritten on a terminal, else
// a line for each tenth.
type progressBar struct {
	out     io.Writer
	name    string
	rewrite bool
	last    int64
	begun   bool
}

func (b *progressBar) show(done, total int64) {
	step, unit := done>>24, "" // of unknown size: every 16 MiB
	if total > 0 {
		step = done * 100 / total
		unit = fmt.Sprintf(" of %.1f MB, %d%%", float64(total)/1e6, step)
		if !b.rewrite {
			step /= 10
		}
	}
	if b.begun && step == b.last {
		return
	}
	b.begun, b.last = true, step
	line := fmt.Sprintf("targon: %s %.1f MB%s", b.name, float64(done)/1e6, unit)
	switch {
	case !b.rewrite:
		fmt.Fprintln(b.out, line)
	case total > 0 && done == total:
		fmt.Fprintf(b.out, "\r%s [%s]\n", line, strings.Repeat("#", 20))
	case total > 0:
		full := int(done * 20 / total)
		fmt.Fprintf(b.out, "\r%s [%s%s]", line, strings.Repeat("#", full), strings.Repeat(".", 20-full))
	default:
		fmt.Fprintf(b.out, "\r%s", line)
	}
}

// cached looks at a file that was fetched before.
func (d *download) cached() (p pulled, ok bool, err error) {
	f, err := os.Open(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	if err != nil {
		return p, false, err
	}
	p = pulled{Path: d.path, Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil)), Cached: true}
	if d.sum != "" {
		if p.SHA256 != d.sum {
			return p, false, fmt.Errorf("%s hashes to %s, --sha256 says %s: remove it to fetch it again", d.path, p.SHA256, d.sum)
		}
		p.Verified = byFlag
	}
	return p, true, nil
}
