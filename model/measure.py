"""Measures the exported model: entropy at temperature 1, and how many seeded
tokens change when its weights are quantised.

    go run ./model/make -seed 9001 -openings 256 -out openings.txt
    python model/measure.py --model model/tiny.gguf --openings openings.txt

The openings come from another seed than the training text. Each is continued
by Gumbel-max sampling with fixed noise for every (row, position, token) until
the model ends the document. The same text is then scored by the same model
with its matrices rounded to Q8_0 and Q4_0: a token flips when another one wins
under the same noise.
"""

import argparse
import json

import torch

import train
from gguf import Reader

BLOCK = 32


def q8_0(w):
    x = w.float().view(-1, BLOCK)
    d = x.abs().amax(1, keepdim=True) / 127
    inverse = torch.where(d > 0, 1 / d, torch.zeros_like(d))
    scaled = x * inverse
    q = torch.sign(scaled) * torch.floor(scaled.abs() + 0.5)
    return (q * d.half().float()).view_as(w)


def q4_0(w):
    x = w.float().view(-1, BLOCK)
    top = x.gather(1, x.abs().argmax(1, keepdim=True))
    d = top / -8
    inverse = torch.where(d != 0, 1 / d, torch.zeros_like(d))
    q = torch.clamp(torch.floor(x * inverse + 8.5), 0, 15)
    return ((q - 8) * d.half().float()).view_as(w)


def noise(seed, position, rows):
    gen = torch.Generator().manual_seed(seed * 1_000_003 + position)
    u = torch.rand(rows, train.VOCAB, generator=gen, dtype=torch.float64).clamp_min(1e-300)
    return -torch.log(-torch.log(u))


class Decoder:
    """Token-by-token forward pass of a batch, all rows at the same position."""

    def __init__(self, w, rows, length):
        shape = (rows, train.KV_HEADS, length, train.HEAD_DIM)
        self.w, self.at = w, 0
        self.k = [torch.zeros(shape) for _ in range(train.LAYERS)]
        self.v = [torch.zeros(shape) for _ in range(train.LAYERS)]
        self.cos, self.sin = train.rope_table(length)

    def step(self, ids):
        b, t, w = len(ids), self.at, self.w
        group = train.HEADS // train.KV_HEADS
        x = w["token_embd"][ids]
        for i in range(train.LAYERS):
            p = f"blk.{i}."
            h = train.norm(x, w[p + "attn_norm"])
            q = (h @ w[p + "attn_q"].T).view(b, train.HEADS, train.HEAD_DIM)
            k = (h @ w[p + "attn_k"].T).view(b, train.KV_HEADS, train.HEAD_DIM)
            self.k[i][:, :, t] = train.rotate(k, self.cos[t], self.sin[t])
            self.v[i][:, :, t] = (h @ w[p + "attn_v"].T).view(b, train.KV_HEADS, train.HEAD_DIM)
            q = train.rotate(q, self.cos[t], self.sin[t]).view(b, train.KV_HEADS, group, train.HEAD_DIM)
            scores = q @ self.k[i][:, :, :t + 1].transpose(2, 3) * train.HEAD_DIM ** -0.5
            y = torch.softmax(scores, -1) @ self.v[i][:, :, :t + 1]
            x = x + y.reshape(b, -1) @ w[p + "attn_output"].T
            h = train.norm(x, w[p + "ffn_norm"])
            gate = torch.nn.functional.silu(h @ w[p + "ffn_gate"].T)
            x = x + (gate * (h @ w[p + "ffn_up"].T)) @ w[p + "ffn_down"].T
        self.at += 1
        return train.norm(x, w["output_norm"]) @ w["token_embd"].T


def continue_all(w, prompts, length, seed):
    """Continues every prompt to its end or to length; returns the rows of ids."""
    rows = [list(p) for p in prompts]
    decoder = Decoder(w, len(rows), length)
    done = [False] * len(rows)
    for t in range(length - 1):
        logits = decoder.step(torch.tensor([row[t] if t < len(row) else train.EOS for row in rows]))
        pick = (logits.double() + noise(seed, t, len(rows))).argmax(1).tolist()
        for i, row in enumerate(rows):
            if len(row) == t + 1 and not done[i]:
                row.append(pick[i])
                done[i] = pick[i] == train.EOS
        if all(done):
            break
    return rows


@torch.no_grad()
def compare(weights, rows, prompts, seed):
    """Entropies of the first model, and the share of tokens each model changes."""
    names = list(weights)
    flips = {name: 0 for name in names}
    entropy, nll, count, by_row = 0.0, 0.0, 0, []
    longest = max(len(r) for r in rows)
    gumbel = [noise(seed, t, len(rows)) for t in range(longest)]
    for i, row in enumerate(rows):
        ids, first = torch.tensor([row[:-1]]), len(prompts[i]) - 1
        if len(row) <= len(prompts[i]):
            continue
        target = torch.tensor(row[first + 1:])
        fixed = torch.stack([gumbel[t][i] for t in range(first, len(row) - 1)])
        for name in names:
            logits = train.forward(weights[name], ids)[0, first:]
            flips[name] += ((logits.double() + fixed).argmax(1) != target).sum().item()
            if name == names[0]:
                logp = torch.log_softmax(logits, -1)
                h = -(logp.exp() * logp).sum(1)
                entropy += h.sum().item()
                nll -= logp.gather(1, target[:, None]).sum().item()
                by_row.append((len(target), h[:64].mean().item()))
                count += len(target)
    long = [h for n, h in by_row if n >= 64]
    return {
        "openings": len(by_row), "tokens": count, "entropy": entropy / count, "surprise of the sampled tokens": nll / count,
        "openings with 64 tokens or more": len(long), "entropy of their first 64": sum(long) / max(1, len(long)),
        "tokens flipped": {name: n / count for name, n in flips.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny.gguf")
    parser.add_argument("--openings", default="openings.txt")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--length", type=int, default=400)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    file = Reader(args.model)
    exact = {n.removesuffix(".weight"): torch.tensor(t.astype("float32")) for n, t in file.tensors.items()}
    tok = train.Tokenizer(file.keys["tokenizer.ggml.tokens"][train.ROLE0 + 3:])
    texts = [json.loads(line) for line in open(args.openings, encoding="utf-8")][:args.rows]
    prompts = [[train.BOS] + tok.encode(text) for text in texts]
    with torch.no_grad():
        rows = continue_all(exact, prompts, args.length, args.seed)
    weights = {"F16": exact}
    for name, quantise in (("Q8_0", q8_0), ("Q4_0", q4_0)):
        weights[name] = {n: quantise(p) if p.dim() == 2 else p for n, p in exact.items()}
    print(json.dumps(compare(weights, rows, prompts, args.seed), indent=1))
    for i in range(args.samples):
        given, drawn = rows[i][1:len(prompts[i])], rows[i][len(prompts[i]):]
        print(f"---\n{tok.decode(given).strip()}|{tok.decode(drawn)}")


if __name__ == "__main__":
    main()
