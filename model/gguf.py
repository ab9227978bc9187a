"""Writes and reads GGUF version 3, as far as the built-in model needs it."""

import struct

import numpy as np

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
ALIGN = 32


def text(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(v):
    """The type number and the bytes of a metadata value."""
    if isinstance(v, bool):
        return BOOL, struct.pack("<?", v)
    if isinstance(v, int):
        return U32, struct.pack("<I", v)
    if isinstance(v, float):
        return F32, struct.pack("<f", v)
    if isinstance(v, str):
        return STRING, text(v)
    inner = I32 if isinstance(v[0], int) else value(v[0])[0]
    body = b"".join(struct.pack("<i", x) if inner == I32 else value(x)[1] for x in v)
    return ARRAY, struct.pack("<IQ", inner, len(v)) + body


def write_gguf(path, keys, tensors):
    """Writes float16 and float32 arrays; a row of an array is a row of ggml."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    for key, v in keys.items():
        kind, body = value(v)
        head += text(key) + struct.pack("<I", kind) + body
    offset = 0
    for name, array in tensors.items():
        kind = {"float32": 0, "float16": 1}[str(array.dtype)]
        dims = array.shape[::-1]
        head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
        offset += -(-array.nbytes // ALIGN) * ALIGN
    with open(path, "wb") as file:
        file.write(head + b"\0" * (-len(head) % ALIGN))
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes() + b"\0" * (-array.nbytes % ALIGN))


class Reader:
    def __init__(self, path):
        self.raw, self.at = open(path, "rb").read(), 0
        assert self.raw[:4] == b"GGUF"
        self.at = 4
        version, tensors, keys = self.take("<IQQ")
        assert version == 3
        self.keys = {self.string(): self.value(self.take("<I")[0]) for _ in range(keys)}
        infos = []
        for _ in range(tensors):
            name, dims = self.string(), self.take("<I")[0]
            infos.append((name, self.take(f"<{dims}Q")[::-1], *self.take("<IQ")))
        base = -(-self.at // ALIGN) * ALIGN
        self.tensors = {}
        for name, shape, kind, offset in infos:
            dtype = {0: np.float32, 1: np.float16}[kind]
            flat = np.frombuffer(self.raw, dtype, int(np.prod(shape)), base + offset)
            self.tensors[name] = flat.reshape(shape)

    def take(self, form):
        out = struct.unpack_from(form, self.raw, self.at)
        self.at += struct.calcsize(form)
        return out

    def string(self):
        (size,) = self.take("<Q")
        self.at += size
        return self.raw[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner, count = self.take("<IQ")
            return [self.value(inner) for _ in range(count)]
        return self.take({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind])[0]
