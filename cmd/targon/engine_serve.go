package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"targon/engine/native"
	"targon/engine/native/serve"
	"targon/node"
)

// serveGrace is how long answers under way may take when the server is told to stop.
const serveGrace = 5 * time.Second

func newEngineServeCommand(builtin func() []byte) *cobra.Command {
	var path, listen string
	var o native.Options
	c := serve.Config{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "serve the engine with vLLM's OpenAI-compatible interface",
		Long: "Serve answers /v1/completions, /v1/chat/completions, /v1/models, /tokenize, /detokenize and\n" +
			"/health as vLLM does, with seed, prompt_logprobs and return_token_ids, so that it can stand in\n" +
			"for a stock engine. It has no keys: let strangers in only through something that has.",
		Example: "targon engine serve --model m.gguf --listen 127.0.0.1:8000 --max-logprobs 50",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.MaxLogprobs < -1 || c.MaxRequests < 1 || o.Threads < 0 {
				return fmt.Errorf("max-logprobs %d, max-requests %d, threads %d: want -1 or more, 1 or more, 0 or more",
					c.MaxLogprobs, c.MaxRequests, o.Threads)
			}
			if o.MaxSequences < 1 || o.CacheBytes < 0 {
				return fmt.Errorf("max-num-seqs %d, kv-cache-memory-bytes %d: want 1 or more, 0 or more", o.MaxSequences, o.CacheBytes)
			}
			o.Kernel = os.Getenv(kernelVariable)
			var err error
			if c.Model, err = loadModel(path, builtin); err != nil {
				return err
			}
			if c.Engine, err = native.New(c.Model, o); err != nil {
				return err
			}
			l, err := node.Listen(cmd.Context(), listen)
			if err != nil {
				return err
			}
			c.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			s := serve.New(c)
			fmt.Fprintf(cmd.ErrOrStderr(), "targon: serving %s on http://%s/v1\n", s.Name, l.Addr())
			return node.Serve(cmd.Context(), l, s.Handler(), serveGrace)
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "model", "", "GGUF `file`; the built-in model when empty")
	f.StringVar(&listen, "listen", "127.0.0.1:8000", "`address` of the server")
	f.StringVar(&c.Name, "served-model-name", "", "`name` by which requests know the model; the file's own when empty")
	f.IntVar(&c.MaxLogprobs, "max-logprobs", 20, "how many log-probabilities a position may be asked for; -1 for any number")
	f.IntVar(&c.MaxRequests, "max-requests", 128, "how many requests at a time; more are refused with 503")
	f.IntVar(&o.MaxSequences, "max-num-seqs", 64, "how many sequences are computed together; others wait for their turn")
	f.Int64Var(&o.CacheBytes, "kv-cache-memory-bytes", 0, "`bytes` of memory for the attention cache; 0 for what the sequences may need, up to 2 GiB")
	f.IntVar(&o.Threads, "threads", 0, "how many processors are computed on; 0 for all")
	return cmd
}
