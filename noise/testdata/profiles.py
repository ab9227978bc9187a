"""Writes profiles.json: the noise of every form, at 60 digits, rounded only where the
form itself rounds. It shares no code with package noise. Needs mpmath."""
import json
import struct

from mpmath import log, mp, mpf

mp.dps = 60
M32, M64 = 2**32 - 1, 2**64 - 1


def f32(x):
    if x == mpf("inf") or x == mpf("-inf"):
        return x
    # to float64 first: 60 digits to 53 bits to 24 bits
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def murmur3(data):
    """MurmurHash3_x86_32 of whole words, seed 0, from its description."""
    h = 0
    for i in range(0, len(data), 4):
        k = int.from_bytes(data[i:i + 4], "little") * 0xCC9E2D51 & M32
        k = (k << 15 | k >> 17) & M32
        h ^= k * 0x1B873593 & M32
        h = (h << 13 | h >> 19) & M32
        h = (h * 5 + 0xE6546B64) & M32
    h ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = (h ^ h >> shift) * factor & M32
    return h ^ h >> 16


def philox(seed, offset):
    """Philox4x32-10, first word."""
    k = [seed & M32, seed >> 32 & M32]
    c = [offset & M32, offset >> 32 & M32, 0, 0]
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & M32, p0 >> 32 ^ c[3] ^ k[1], p0 & M32]
        k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
    return c[0]


def words(seed, position, column):
    return struct.pack("<QII", seed, position, column)


def rand(seed, position, column):
    x = philox(philox(seed, position), column)
    x = x if x < 2**31 else x - 2**32
    x = x if x >= 0 else -x - 1
    return f32(f32(mpf(x)) * f32(mpf("4.6566127342e-10")))


def targon(seed, position, column):
    return -log(-log(1 - (murmur3(words(seed, position, column)) + mpf(1) / 2) / 2**32))


def vllm(seed, position, column):
    u = f32((murmur3(words(seed, position, column)) + mpf(1) / 2) / 2**32)
    return f32(-log(f32(-log(1 - u))))


def vllm_philox(seed, position, column):
    u = max(rand(seed, position, column), f32(mpf("4.6566127342e-10")))
    return f32(-log(f32(-log(1 - u))))


def vllm_philox_log(seed, position, column):
    u = rand(seed, position, column)
    return f32(-log(-log(u + mpf("1e-20")) + mpf("1e-20")))


def sglang(seed, position, column):
    return -log(-log(mpf(murmur3(words(seed, position, column))) / M32))


def sglang_053(seed, position, column):
    step = (seed * 19349663 ^ position * 73856093) & M64
    u = mpf((step * 8589934591 ^ column * 479001599) % 2**24) / 2**24
    eps = f32(mpf("1e-9"))
    return f32(-log(f32(f32(-log(f32(u + eps))) + eps)))


# name, noise, whether the position is one less than the ids before, accuracy of the test
FORMS = [("targon", targon, 0, 1e-13), ("vllm", vllm, 1, 2e-6), ("vllm-philox", vllm_philox, 1, 2e-6),
         ("vllm-philox-log", vllm_philox_log, 1, 2e-6), ("sglang", sglang, 1, 1e-13),
         ("sglang-0.5.3", sglang_053, 1, 2e-6)]
PLACES = [(0, 1, 0, 0), (42, 1, 0, 0), (42, 1, 1, 1), (42, 5, 3, 128000), (2**40 + 3, 100, 5, 5), (M64, 7, 60, 2047)]
PLACES += [(i * i * 0x9E3779B97F4A7C15 & M64, 1 + 37 * i, 3 * i, 31 * i * i) for i in range(1, 23)]

if __name__ == "__main__":
    out = [{"profile": name, "seed": s, "prompt": p, "output": o, "column": c,
            "noise": float(noise(s, p + o - less, c)), "accuracy": accuracy}
           for name, noise, less, accuracy in FORMS for s, p, o, c in PLACES]
    with open("profiles.json", "w") as f:
        f.write("[\n" + ",\n".join(" " + json.dumps(v) for v in out) + "\n]\n")
