"""Trains the built-in model: tokenizer, Llama, GGUF file.

    go run ./model/make -seed 1 -bytes 24000000 -out corpus.txt
    python model/train.py tokens --corpus corpus.txt --run run
    python model/train.py fit    --run run --minutes 22
    python model/train.py export --run run --out model/tiny.gguf

It needs PyTorch and nothing else. It draws every random number from a fixed
seed, but the learning rate follows the clock and sums depend on the machine:
a second run gives a model as good, not the same bytes.
"""

import argparse
import json
import math
import os
import re
import time
from collections import Counter, defaultdict

import torch
import torch.nn.functional as F

from gguf import write_gguf

VOCAB, DIM, FFN, LAYERS, HEADS, KV_HEADS, HEAD_DIM = 2048, 256, 768, 4, 8, 4, 32
CONTEXT, THETA, EPS = 512, 10000.0, 1e-5
UNK, BOS, EOS, BYTE0, ROLE0 = 0, 1, 2, 3, 259
ROLES = ["system", "user", "assistant"]
SPACE = "\u2581"

# ---------------------------------------------------------------- tokenizer

# A merge never joins letters with anything else, nor crosses a space, so that
# merging whole texts by score, as SentencePiece does, gives the same pieces.
UNIT = re.compile(SPACE + r"?[A-Za-z]+|" + SPACE + r"?[0-9]|" + SPACE + r"?[^A-Za-z0-9" + SPACE + r"\n]+|\n|" + SPACE)


def units(text):
    return UNIT.findall((" " + text).replace(" ", SPACE))


def learn_merges(counts, size):
    """Returns the pieces of a byte-pair encoding in the order of merging."""
    words = [(list(word), n) for word, n in sorted(counts.items()) if len(word) > 1]
    pairs, where = Counter(), defaultdict(set)
    for i, (parts, n) in enumerate(words):
        for pair in zip(parts, parts[1:]):
            pairs[pair] += n
            where[pair].add(i)
    pieces, seen = [], set()
    while len(pieces) < size:
        best = max(pairs, key=lambda p: (pairs[p], p))
        if best[0] + best[1] not in seen:
            seen.add(best[0] + best[1])
            pieces.append(best[0] + best[1])
        for i in sorted(where[best]):
            parts, n = words[i]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= n
                where[pair].discard(i)
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == best:
                    parts[at:at + 2] = [best[0] + best[1]]
                at += 1
            for pair in zip(parts, parts[1:]):
                pairs[pair] += n
                where[pair].add(i)
        del pairs[best], where[best]
    return pieces


class Tokenizer:
    """Encodes as llama.cpp does with tokenizer.ggml.model = llama."""

    def __init__(self, pieces):
        self.tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)] + [f"<|{r}|>" for r in ROLES]
        self.types = [2, 3, 3] + [6] * 256 + [3] * 3
        self.scores = [0.0] * len(self.tokens)
        self.ids = {}
        for rank, piece in enumerate(pieces):
            self.ids[piece] = len(self.tokens)
            self.tokens.append(piece)
            self.types.append(1)
            self.scores.append(-float(rank))
        self.cache = {}

    def encode_unit(self, unit):
        parts = list(unit)
        while True:
            best, at = None, -1
            for i in range(len(parts) - 1):
                id = self.ids.get(parts[i] + parts[i + 1])
                if id is not None and (best is None or id < best):
                    best, at = id, i
            if best is None:
                break
            parts[at:at + 2] = [parts[at] + parts[at + 1]]
        out = []
        for part in parts:
            id = self.ids.get(part)
            out += [id] if id is not None else [BYTE0 + b for b in part.encode()]
        return out

    def encode(self, text):
        """A stretch of text between two special tokens: a space goes before it."""
        out = []
        for unit in units(text):
            ids = self.cache.get(unit)
            if ids is None:
                ids = self.cache[unit] = self.encode_unit(unit)
            out += ids
        return out

    def chat(self, turns):
        """The chat template, applied and encoded: see CHAT_TEMPLATE."""
        out = [BOS]
        for i, (role, content) in enumerate(turns):
            out += [ROLE0 + ROLES.index(role)] + self.encode("\n" + content) + [EOS]
            out += self.encode("\n")
        return out[:-len(self.encode("\n"))]

    def decode(self, ids):
        out = b""
        for id in ids:
            if self.types[id] == 6:
                out += bytes([id - BYTE0])
            elif self.types[id] == 1:
                out += self.tokens[id].replace(SPACE, " ").encode()
            else:
                out += self.tokens[id].encode()
        return out.decode(errors="replace")


CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + eos_token + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)


def documents(path):
    """Yields ("text", text) and ("chat", [(role, content)]) from make's file."""
    with open(path, encoding="utf-8") as file:
        for block in file.read().split("\x01")[1:]:
            kind, _, body = block.partition("\n")
            if kind == "text":
                yield kind, body[:-1]
            else:
                turns = [t.partition("\n") for t in body.split("\x02")[1:]]
                yield kind, [(role, content[:-1]) for role, _, content in turns]


def learn_pieces(corpus):
    """Learns from the first 12 million characters: merges, then single characters."""
    counts, size = Counter(), 0
    for kind, body in documents(corpus):
        for text in [body] if kind == "text" else [c for _, c in body]:
            counts.update(units(text))
            size += len(text)
        if size > 12_000_000:
            break
    chars = [chr(c) for c in range(33, 127)] + [SPACE]
    return learn_merges(counts, VOCAB - ROLE0 - 3 - len(chars)) + chars


def make_tokens(args):
    os.makedirs(args.run, exist_ok=True)
    start = time.time()
    path = f"{args.run}/pieces.json"
    if not os.path.exists(path):
        json.dump(learn_pieces(args.corpus), open(path, "w"))
    tok = Tokenizer(json.load(open(path)))
    assert len(tok.tokens) == VOCAB
    ids, starts = [], []
    for kind, body in documents(args.corpus):
        starts.append(len(ids))
        ids += [BOS] + tok.encode(body) + [EOS] if kind == "text" else tok.chat(body)
    torch.save({"ids": torch.tensor(ids, dtype=torch.int16), "starts": torch.tensor(starts)}, f"{args.run}/tokens.pt")
    print(f"{len(starts)} documents, {len(ids)} tokens, {os.path.getsize(args.corpus) / len(ids):.2f} bytes a token, {time.time() - start:.0f} s")


# -------------------------------------------------------------------- model


def rope_table(length):
    freq = THETA ** (-torch.arange(0, HEAD_DIM, 2).float() / HEAD_DIM)
    angle = torch.outer(torch.arange(length).float(), freq)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """Turns the pairs (2i, 2i+1) of each head: x is [batch, head, time, 32]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def norm(x, weight):
    return x * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + EPS) * weight


def shapes():
    out = {"token_embd": (VOCAB, DIM), "output_norm": (DIM,)}
    for i in range(LAYERS):
        out |= {
            f"blk.{i}.attn_norm": (DIM,), f"blk.{i}.ffn_norm": (DIM,),
            f"blk.{i}.attn_q": (HEADS * HEAD_DIM, DIM), f"blk.{i}.attn_k": (KV_HEADS * HEAD_DIM, DIM),
            f"blk.{i}.attn_v": (KV_HEADS * HEAD_DIM, DIM), f"blk.{i}.attn_output": (DIM, HEADS * HEAD_DIM),
            f"blk.{i}.ffn_gate": (FFN, DIM), f"blk.{i}.ffn_up": (FFN, DIM), f"blk.{i}.ffn_down": (DIM, FFN),
        }
    return out


def init_weights(seed):
    gen = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes().items():
        if len(shape) == 1:
            weights[name] = torch.ones(shape)
        else:
            std = 0.02 if name == "token_embd" else shape[1] ** -0.5
            if name.endswith(("attn_output", "ffn_down")):
                std *= 0.3
            weights[name] = torch.randn(shape, generator=gen) * std
    return weights


def attend(q, k, v):
    """Causal attention; on CPUs plain products are faster than PyTorch's own."""
    t = q.shape[2]
    mask = torch.full((t, t), -1e4, dtype=q.dtype).triu(1)
    scores = torch.matmul(q * HEAD_DIM ** -0.5, k.transpose(2, 3)) + mask
    return torch.matmul(torch.softmax(scores, -1, dtype=q.dtype), v)


def forward(w, ids):
    """Logits [batch, time, vocabulary] of token ids [batch, time]."""
    b, t = ids.shape
    cos, sin = rope_table(t)
    x = F.embedding(ids, w["token_embd"])
    for i in range(LAYERS):
        p = f"blk.{i}."
        h = norm(x, w[p + "attn_norm"])
        q = F.linear(h, w[p + "attn_q"]).view(b, t, HEADS, HEAD_DIM).transpose(1, 2)
        k = F.linear(h, w[p + "attn_k"]).view(b, t, KV_HEADS, HEAD_DIM).transpose(1, 2)
        v = F.linear(h, w[p + "attn_v"]).view(b, t, KV_HEADS, HEAD_DIM).transpose(1, 2)
        q, k = rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype)
        k, v = k.repeat_interleave(HEADS // KV_HEADS, 1), v.repeat_interleave(HEADS // KV_HEADS, 1)
        y = attend(q, k, v)
        x = x + F.linear(y.transpose(1, 2).reshape(b, t, HEADS * HEAD_DIM), w[p + "attn_output"])
        h = norm(x, w[p + "ffn_norm"])
        x = x + F.linear(F.silu(F.linear(h, w[p + "ffn_gate"])) * F.linear(h, w[p + "ffn_up"]), w[p + "ffn_down"])
    return F.linear(norm(x, w["output_norm"]), w["token_embd"])


# ----------------------------------------------------------------- training


def orthogonal(g):
    """The nearest matrix with equal singular values, by five Newton-Schulz steps."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        m = x @ x.T
        x = a * x + (b * m + c * m @ m) @ x
    return (x.T if tall else x).float()


class Optimizer:
    """Muon for the matrices inside the blocks, Adam for embedding and norms."""

    def __init__(self, weights, lr_matrix, lr_embed, rank, team):
        self.w, self.lr_matrix, self.rank, self.team = weights, lr_matrix, rank, team
        self.matrices = [n for n, p in weights.items() if p.dim() == 2 and n != "token_embd"]
        self.mine = [i % team.size == rank for i in range(len(self.matrices))]
        self.momentum = {n: torch.zeros_like(weights[n]) for n in self.matrices}
        rest = [p for n, p in weights.items() if n not in self.momentum]
        self.adam = torch.optim.AdamW(rest, lr=lr_embed, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
        self.lr_embed = lr_embed

    @torch.no_grad()
    def step(self, scale, share):
        """One step; each worker makes its part of the matrix updates."""
        for p in self.w.values():
            p.grad.mul_(share)
        for group in self.adam.param_groups:
            group["lr"] = self.lr_embed * scale
        self.adam.step()
        for n, mine in zip(self.matrices, self.mine):
            g, m = self.w[n].grad, self.momentum[n]
            m.lerp_(g, 0.05)
            if mine:
                g.copy_(orthogonal(g.lerp(m, 0.95)))
        self.team.add(self.rank, [self.w[n].grad for n in self.matrices], self.mine)
        for n in self.matrices:
            p = self.w[n]
            rate = self.lr_matrix * scale
            p.mul_(1 - rate * 0.02).add_(p.grad, alpha=-rate * max(1, p.shape[0] / p.shape[1]) ** 0.5)
        for p in self.w.values():
            p.grad = None


def batch(data, gen, rows, length):
    """Half of the rows start where a document starts, half anywhere."""
    ids, starts = data["ids"], data["starts"]
    last = len(ids) - length - 1
    at = torch.randint(last, (rows,), generator=gen)
    pick = starts[torch.randint(len(starts), (rows // 2,), generator=gen)]
    at[: rows // 2] = pick.clamp(max=last)
    rows = torch.stack([ids[i:i + length + 1] for i in at.tolist()]).long()
    return rows[:, :-1], rows[:, 1:]


class CrossEntropy(torch.autograd.Function):
    """Mean cross-entropy that keeps its gradient from the forward pass."""

    @staticmethod
    def forward(ctx, logits, y):
        p = torch.softmax(logits, -1, dtype=torch.float32)
        chosen = p.gather(1, y[:, None])
        grad = p.scatter_add_(1, y[:, None], torch.full_like(chosen, -1.0)).mul_(1 / len(y))
        ctx.save_for_backward(grad.to(logits.dtype))
        return -chosen.clamp_min(1e-12).log().mean()

    @staticmethod
    def backward(ctx, upstream):
        return ctx.saved_tensors[0] * upstream.to(ctx.saved_tensors[0].dtype), None


def loss_of(w, x, y):
    with torch.autocast("cpu", torch.bfloat16):
        logits = forward(w, x)
    return CrossEntropy.apply(logits.view(-1, VOCAB), y.reshape(-1))


class Team:
    """Workers of one thread each, which add up gradients in shared memory.

    Threads inside PyTorch wait for each other thousands of times a step, which
    is slow on cores that other work shares; these wait a few times a step.
    """

    def __init__(self, size):
        total = sum(math.prod(s) for s in shapes().values())
        self.size = size
        self.sums = torch.zeros(size, total).share_memory_()
        self.losses = torch.zeros(size).share_memory_()
        self.done = torch.zeros(1).share_memory_()
        self.barrier = torch.multiprocessing.get_context("spawn").Barrier(size)

    def add(self, rank, tensors, keep):
        """Sums the tensors of all workers; those not in keep count as zero."""
        at, total = 0, self.sums
        for p, k in zip(tensors, keep):
            part = total[rank, at:at + p.numel()]
            part.copy_(p.flatten()) if k else part.zero_()
            at += p.numel()
        self.barrier.wait()
        flat, at = total[:, :at].sum(0), 0
        for p in tensors:
            p.copy_(flat[at:at + p.numel()].view_as(p))
            at += p.numel()
        self.barrier.wait()


def fit(args):
    team = Team(args.threads)
    torch.multiprocessing.spawn(work, (args, team), nprocs=args.threads)


def work(rank, args, team):
    torch.set_num_threads(1)
    os.setsid()  # a scheduling group of its own
    data = torch.load(f"{args.run}/tokens.pt")
    held = {"ids": data["ids"][-200_000:], "starts": torch.tensor([0])}
    data["ids"] = data["ids"][:-200_000]
    weights = init_weights(args.seed)
    for p in weights.values():
        p.requires_grad_()
    opt = Optimizer(weights, args.lr_matrix, args.lr_embed, rank, team)
    gen = torch.Generator().manual_seed(1000 * args.seed + rank)
    start, step, seen, saved, average = time.time(), 0, 0, time.time(), None
    log = open(f"{args.run}/loss.csv", "w") if rank == 0 else None
    if log:
        print("step,tokens,minutes,loss", file=log)
    done = 0.0
    while done < 1:
        rows, length = (args.rows // 2, CONTEXT) if done > 0.85 else (args.rows, CONTEXT // 2)
        x, y = batch(data, gen, rows // team.size, length)
        loss = loss_of(weights, x, y)
        loss.backward()
        team.losses[rank] = loss.item()
        if rank == 0:
            team.done[0] = (time.time() - start) / 60 / args.minutes
        with torch.no_grad():
            team.add(rank, [p.grad for p in weights.values()], [True] * len(weights))
        done, mean = team.done.item(), team.losses.mean().item()
        opt.step(min(1.0, (step + 1) / 50, (1 - done) / 0.6 + 0.005), 1 / team.size)
        step, seen = step + 1, seen + rows * length
        if rank != 0:
            continue
        now = time.time()
        average = mean if average is None else 0.97 * average + 0.03 * mean
        if step % 50 == 0:
            print(f"step {step} tokens {seen} minutes {(now - start) / 60:.2f} loss {average:.4f}", flush=True)
            print(f"{step},{seen},{(now - start) / 60:.2f},{average:.4f}", file=log, flush=True)
        if now - saved > args.save * 60:
            saved = now
            save(args.run, weights, step, seen)
    if rank == 0:
        save(args.run, weights, step, seen)
        gen = torch.Generator().manual_seed(7)
        with torch.no_grad():
            loss = sum(loss_of(weights, *batch(held, gen, 16, CONTEXT)).item() for _ in range(8)) / 8
        print(f"done: step {step} tokens {seen} minutes {(time.time() - start) / 60:.1f} held-out loss {loss:.4f} nats a token")


def save(run, weights, step, seen):
    torch.save({"weights": {n: p.detach() for n, p in weights.items()}, "step": step, "seen": seen}, f"{run}/new.pt")
    os.replace(f"{run}/new.pt", f"{run}/checkpoint.pt")


# ------------------------------------------------------------------- export


def export(args):
    tok = Tokenizer(json.load(open(f"{args.run}/pieces.json")))
    weights = torch.load(f"{args.run}/checkpoint.pt")["weights"]
    keys = {
        "general.architecture": "llama", "general.name": "targon-tiny-1", "general.license": "mit", "general.alignment": 32,
        "general.file_type": 1,
        "llama.context_length": CONTEXT, "llama.embedding_length": DIM, "llama.block_count": LAYERS,
        "llama.feed_forward_length": FFN, "llama.attention.head_count": HEADS, "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": EPS, "llama.rope.dimension_count": HEAD_DIM, "llama.rope.freq_base": THETA,
        "llama.vocab_size": VOCAB,
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tok.tokens, "tokenizer.ggml.scores": tok.scores,
        "tokenizer.ggml.token_type": tok.types, "tokenizer.ggml.bos_token_id": BOS, "tokenizer.ggml.eos_token_id": EOS,
        "tokenizer.ggml.unknown_token_id": UNK, "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False, "tokenizer.ggml.add_space_prefix": True,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }
    tensors = {name + ".weight": (p.half() if p.dim() == 2 else p.float()).numpy() for name, p in weights.items()}
    write_gguf(args.out, keys, tensors)
    print(args.out, os.path.getsize(args.out), "bytes,", sum(p.numel() for p in weights.values()), "parameters")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(required=True)
    for name, function in (("tokens", make_tokens), ("fit", fit), ("export", export)):
        p = sub.add_parser(name)
        p.set_defaults(function=function)
        p.add_argument("--run", default="run", help="folder of intermediate files")
        p.add_argument("--corpus", default="corpus.txt")
        p.add_argument("--out", default="tiny.gguf")
        p.add_argument("--minutes", type=float, default=22)
        p.add_argument("--rows", type=int, default=16)
        p.add_argument("--seed", type=int, default=1)
        p.add_argument("--threads", type=int, default=2, help="workers, one thread each")
        p.add_argument("--save", type=float, default=3, help="minutes between checkpoints")
        p.add_argument("--lr-matrix", type=float, default=0.02)
        p.add_argument("--lr-embed", type=float, default=0.003)
    args = parser.parse_args()
    args.function(args)


if __name__ == "__main__":
    main()
