package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"targon"
	"targon/dashboard"
	"targon/verifier"
)

// Wait returns when the epochs asked for are done and the chain has paid for them,
// when a part has failed, or with ctx.
func (n *Network) Wait(ctx context.Context) error {
	tick := time.NewTicker(min(50*time.Millisecond, n.cfg.BlockTime))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-n.ended:
			return n.failure()
		case <-tick.C:
		}
		if n.over(n.verifier.View()) {
			return nil
		}
	}
}

// over reports whether the epochs asked for are done: the weights of the last are on the
// chain, and a block has come since that pays for them.
func (n *Network) over(v verifier.View) bool {
	if n.cfg.Epochs == 0 || v.Set == n.before || v.LastSet < n.last {
		return false
	}
	if n.paid == 0 {
		n.paid = targon.Tempo{NetUID: netUID, Length: targon.Blocks(n.cfg.Tempo)}.Next(v.Height + 1)
	}
	return v.Height >= n.paid
}

func (n *Network) failure() error {
	if n.err != nil {
		return n.err
	}
	return fmt.Errorf("internal error: the network ended by itself")
}

// Close ends every part, waits for them, and returns what the network came to.
func (n *Network) Close() (Result, error) {
	meta, metaErr := n.look(context.Background())
	n.stop()
	<-n.ended
	r := n.result(n.verifier.View(), meta)
	err := n.err
	if err == nil {
		err = metaErr
	}
	if err == nil {
		r.Generate, r.Score, err = speed(context.Background(), n.cfg.Model, n.probe)
	}
	return r, errors.Join(err, n.release())
}

// lookTime is how long the chain has to show the subnet.
const lookTime = 5 * time.Second

func (n *Network) look(ctx context.Context) (targon.Metagraph, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return n.eyes.Metagraph(ctx)
}

// release gives back what outlives the parts: the chain last of all.
func (n *Network) release() error {
	if n.door != nil {
		_ = n.door.Close() // closed already if it was served
	}
	var err error
	if n.ground != nil {
		err = n.ground.close()
	}
	if n.passing {
		_ = os.RemoveAll(n.dir)
	}
	return err
}

// Snapshot is what the status page shows.
func (n *Network) Snapshot(ctx context.Context) (dashboard.View, error) {
	meta, err := n.look(ctx)
	if err != nil {
		return dashboard.View{}, err
	}
	v := n.verifier.View()
	out := dashboard.View{
		Title: "Targon, a local network", Model: n.cfg.Model.Name(), Block: v.Height, Epoch: v.Epoch, Gateway: n.URL() + "/v1",
	}
	for _, p := range n.result(v, meta).Provers {
		row := dashboard.Row{
			UID: p.UID, Hotkey: p.Hotkey, Label: p.note, Requests: p.Requests, AuditedTokens: p.AuditedTokens,
			TokensPerSecond: p.TokensPerSecond, Passed: p.Passed, Failed: p.Failed, Undecided: p.Undecided,
			Reason: p.Reason, Score: p.Score, Weight: p.Weight, Incentive: p.Incentive, Standing: "honest",
		}
		switch {
		case p.Convicted:
			row.Standing = "caught"
		case v.Scored == 0 && p.Passed+p.Failed == 0:
			row.Standing = "new"
		case p.Failed > p.Passed:
			row.Standing = "failing"
		}
		out.Provers = append(out.Provers, row)
	}
	return out, nil
}

// result joins what the verifier knows with what the chain paid.
func (n *Network) result(v verifier.View, meta targon.Metagraph) Result {
	r := Result{
		Epochs: v.Scored, Blocks: v.Height, Model: n.cfg.Model.Name(),
		Gateway: GatewayResult{Requests: n.verifier.Served().Requests, Verified: v.Organic.Verified},
	}
	seats := map[targon.Hotkey]seat{}
	for i, s := range n.seats {
		seats[n.keys[i].Hotkey()] = s
	}
	for _, p := range v.Provers {
		s := seats[p.Hotkey]
		out := ProverResult{
			UID: p.UID, Hotkey: p.Hotkey, Cheat: label(s.cheat), note: s.name,
			Requests: p.Requests, Tokens: p.Tokens, AuditedTokens: p.AuditedTokens, TokensPerSecond: p.TokensPerSecond,
			Passed: p.Passed, Failed: p.Failed, Undecided: p.Undecided,
			Convicted: p.Convicted, TokensToConviction: p.TokensToConviction, Score: p.Score, Weight: p.Weight,
		}
		if p.Reason != targon.ReasonNone {
			out.Reason = p.Reason.String()
		}
		if m, ok := meta.ByUID(p.UID); ok && m.Hotkey == p.Hotkey {
			out.Incentive = m.Incentive
		}
		r.Provers = append(r.Provers, out)
	}
	return r
}
