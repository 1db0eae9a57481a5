"""The vectors of fake-upstream, computed again: fake_upstream/vectors.h says how, bit for bit."""

import base64
import hashlib
import math
import struct
from array import array


def direction_of(text: str, space: str, width: int, drift: int = 0) -> list[float]:
    direction = _undrifted(text, space, width)
    if drift:
        share = drift / 10_000.0
        aside = _undrifted(text, space + "~", width)
        direction = [x + share * y for x, y in zip(direction, aside)]
    return direction


def _undrifted(text: str, space: str, width: int) -> list[float]:
    seed = hashlib.sha256(space.encode() + b"\0" + text.encode()).digest()
    out: list[float] = []
    block = 0
    while len(out) < width:
        digest = hashlib.sha256(seed + struct.pack("<Q", block)).digest()
        out += ((u + 0.5) / 2147483648.0 - 1.0 for u in struct.unpack("<8I", digest))
        block += 1
    return out[:width]


def normalised(direction: list[float]) -> array:
    total = 0.0
    for x in direction:
        total += x * x
    norm = math.sqrt(total)
    return array("f", (x / norm for x in direction))


def vector_of(text: str, space: str = "", width: int = 64, fault: str = "ok", drift: int = 0) -> array:
    """The right vector of `text` as the model named `fault` makes it."""
    direction = direction_of(text, space, width, drift)
    if fault == "leading-zero":
        direction[0] = 0.0
    if fault == "negative-zero":
        direction[1] = -0.0
    if fault == "subnormal":
        direction[1] = 0.0
    vector = normalised(direction)
    if fault == "subnormal":
        vector[1] = 1e-40
    return vector


def as_floats(embedding: list | str) -> array:
    """An `embedding` of an answer, list or base64, as float32."""
    if isinstance(embedding, str):
        return array("f", base64.b64decode(embedding, validate=True))
    return array("f", embedding)


def same_bits(a: array, b: array) -> bool:
    return a.tobytes() == b.tobytes()


def cosine(a: array, b: array) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
