"""Makes the files in this folder: tiny models with random weights, and the logits that
Hugging Face transformers computes for them in float64.

    pip install torch numpy transformers
    python make.py

The weights are ours (a seeded generator), the converter below is ours too; only the
forward pass is transformers'. Matrices are rounded to F16 before transformers sees them.
"""

import json
import math
import struct

import numpy as np
import torch
import transformers as hf

VOCAB, IDS, CONTEXT = 64, 40, 64


def gguf(path, meta, tensors):
    """Writes a GGUF file, version 3 (ggml's docs/gguf.md)."""

    def text(s):
        b = s.encode()
        return struct.pack("<Q", len(b)) + b

    def value(v):
        if isinstance(v, str):
            return struct.pack("<I", 8) + text(v)
        if isinstance(v, float):
            return struct.pack("<If", 6, v)
        return struct.pack("<II", 4, v)

    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(meta))
    for k, v in meta.items():
        head += text(k) + value(v)
    body = b""
    for name, a in tensors.items():
        body += b"\0" * (-len(body) % 32)
        kind = 1 if a.dtype == np.float16 else 0
        head += text(name) + struct.pack("<I", a.ndim)
        head += b"".join(struct.pack("<Q", d) for d in reversed(a.shape))
        head += struct.pack("<IQ", kind, len(body))
        body += a.tobytes()
    head += b"\0" * (-len(head) % 32)
    with open(path, "wb") as f:
        f.write(head + body)


def interleave(w, heads):
    """Llama files turn neighbours (2i, 2i+1) where transformers turns i and i + d/2."""
    return w.reshape(heads, 2, -1, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
GEMMA = {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
WHOLE = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}


def rename(name, gemma):
    if name in WHOLE:
        return WHOLE[name]
    _, _, layer, rest = name.split(".", 3)
    part, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{(NAMES | GEMMA if gemma else NAMES)[part]}.{kind}"


def fill(model, gemma, calm):
    """Gives every parameter random numbers; matrices are representable in F16. Layers of
    a calm model add little, so that rounding does not grow over many of them."""
    g = torch.Generator().manual_seed(7)
    for name, p in model.named_parameters():
        r = torch.randn(p.shape, generator=g, dtype=torch.float64)
        if name == "model.embed_tokens.weight":
            r = (r * (0.3 if gemma else 1)).half()
        elif name.endswith("bias"):
            r = r / 2
        elif p.dim() == 1:
            r = r / 25 - 0.9 if calm and "post_" in name else r / 5 + (0 if gemma else 1)
        else:
            r = (r * 1.5 / math.sqrt(p.shape[1])).half()
        p.data = r.float().double()


def make(name, arch, model, extra=None, factors=None, calm=False):
    c, gemma = model.config, arch.startswith("gemma")
    model = model.double().eval()
    model.tie_weights()
    fill(model, gemma, calm)
    model.tie_weights()
    head = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    meta = {"general.architecture": arch, "general.name": name}
    keys = {
        "context_length": CONTEXT,
        "embedding_length": c.hidden_size,
        "block_count": c.num_hidden_layers,
        "feed_forward_length": c.intermediate_size,
        "attention.head_count": c.num_attention_heads,
        "attention.head_count_kv": c.num_key_value_heads,
        "attention.layer_norm_rms_epsilon": float(c.rms_norm_eps),
    } | (extra or {})
    if head != c.hidden_size // c.num_attention_heads or gemma:
        keys |= {"attention.key_length": head, "attention.value_length": head}
    meta |= {f"{arch}.{k}": v for k, v in keys.items()}
    tensors = {}
    for key, p in model.named_parameters():
        a, to = p.detach().numpy(), rename(key, gemma)
        if gemma and p.dim() == 1:
            a = a + 1
        if arch == "llama" and ".attn_q." in to:
            a = interleave(a, c.num_attention_heads)
        if arch == "llama" and ".attn_k." in to:
            a = interleave(a, c.num_key_value_heads)
        tensors[to] = np.ascontiguousarray(a.astype(np.float16 if a.ndim == 2 else np.float32))
    if factors is not None:
        tensors["rope_freqs.weight"] = factors
    gguf(name + ".gguf", meta, tensors)
    ids = [int(i) for i in np.random.default_rng(3).integers(0, VOCAB, IDS)]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double().numpy()
    logits.astype("<f4").tofile(name + ".logits.f32")
    print(name, arch, "spread", logits.std(), "largest", np.abs(logits).max())
    return {"name": name, "ids": ids}


def llama3_factors(head, base, factor, low, high, old):
    """By wavelength, as Llama 3.1 publishes it (transformers' rope_type llama3)."""
    out = []
    for i in range(0, head, 2):
        wave = 2 * math.pi * base ** (i / head)
        if wave < old / high:
            out.append(1.0)
        elif wave > old / low:
            out.append(factor)
        else:
            smooth = (old / wave - low) / (high - low)
            out.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(out, dtype=np.float32)


def shape(**more):
    return dict(
        vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=CONTEXT, attn_implementation="eager", bos_token_id=1,
        eos_token_id=2, pad_token_id=0,
    ) | more


def rope(theta, kind="default", **more):
    return {"rope_type": kind, "rope_theta": theta, **more}


def main():
    cases = []
    l3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
    c = hf.LlamaConfig(**shape(rope_parameters=rope(500.0, "llama3", **l3)), tie_word_embeddings=False, rms_norm_eps=1e-5)
    cases.append(make("llama3", "llama", hf.LlamaForCausalLM(c), {"rope.freq_base": 500.0, "rope.dimension_count": 8},
                      llama3_factors(8, 500.0, 8.0, 1.0, 4.0, 16)))
    c = hf.LlamaConfig(**shape(rope_parameters=rope(10000.0, "linear", factor=4.0)), tie_word_embeddings=True, rms_norm_eps=1e-5)
    cases.append(make("llama-linear", "llama", hf.LlamaForCausalLM(c),
                      {"rope.freq_base": 10000.0, "rope.scaling.type": "linear", "rope.scaling.factor": 4.0}))
    c = hf.MistralConfig(**shape(rope_parameters=rope(10000.0), head_dim=12), sliding_window=7, tie_word_embeddings=False, rms_norm_eps=1e-5)
    cases.append(make("mistral", "llama", hf.MistralForCausalLM(c), {"rope.freq_base": 10000.0, "attention.sliding_window": 7}))
    c = hf.Qwen2Config(**shape(rope_parameters=rope(1e6)), tie_word_embeddings=True, rms_norm_eps=1e-6)
    cases.append(make("qwen2", "qwen2", hf.Qwen2ForCausalLM(c), {"rope.freq_base": 1e6}))
    c = hf.Qwen3Config(**shape(rope_parameters=rope(1e6), head_dim=20), tie_word_embeddings=False, rms_norm_eps=1e-6)
    cases.append(make("qwen3", "qwen3", hf.Qwen3ForCausalLM(c), {"rope.freq_base": 1e6}))
    c = hf.Gemma2Config(**shape(rope_parameters=rope(10000.0), head_dim=12, query_pre_attn_scalar=12), sliding_window=7,
                        attn_logit_softcapping=4.0, final_logit_softcapping=8.0, rms_norm_eps=1e-6)
    cases.append(make("gemma2", "gemma2", hf.Gemma2ForCausalLM(c), {
        "attention.sliding_window": 7, "attn_logit_softcapping": 4.0, "final_logit_softcapping": 8.0}))
    kinds = {"full_attention": rope(1e6, "linear", factor=8.0), "sliding_attention": rope(10000.0)}
    c = hf.Gemma3TextConfig(**shape(rope_parameters=kinds, head_dim=12, query_pre_attn_scalar=12, num_hidden_layers=7,
                                    num_attention_heads=2, num_key_value_heads=1),
                            sliding_window=7, rms_norm_eps=1e-6)
    cases.append(make("gemma3", "gemma3", hf.Gemma3ForCausalLM(c), {
        "attention.sliding_window": 7, "rope.freq_base": 1e6, "rope.scaling.type": "linear", "rope.scaling.factor": 8.0}))
    # The one size of each family (27B: 46 and 62 layers) whose queries are scaled otherwise.
    small = dict(hidden_size=8, intermediate_size=8, num_attention_heads=2, num_key_value_heads=1, head_dim=6)
    c = hf.Gemma2Config(**shape(rope_parameters=rope(10000.0), num_hidden_layers=46, query_pre_attn_scalar=4, **small),
                        sliding_window=7, attn_logit_softcapping=4.0, final_logit_softcapping=8.0, rms_norm_eps=1e-6)
    cases.append(make("gemma2-wide", "gemma2", hf.Gemma2ForCausalLM(c), {
        "attention.sliding_window": 7, "attn_logit_softcapping": 4.0, "final_logit_softcapping": 8.0}, calm=True))
    c = hf.Gemma3TextConfig(**shape(rope_parameters=kinds, num_hidden_layers=62, query_pre_attn_scalar=4, **small),
                            sliding_window=7, rms_norm_eps=1e-6)
    cases.append(make("gemma3-wide", "gemma3", hf.Gemma3ForCausalLM(c), {
        "attention.sliding_window": 7, "rope.freq_base": 1e6, "rope.scaling.type": "linear", "rope.scaling.factor": 8.0}, calm=True))
    with open("cases.json", "w") as f:
        json.dump(cases, f)
        f.write("\n")


main()
