#!/usr/bin/env python3
"""Checks an answer of a gateway in front of fake-upstream: is every vector the one of its text, in its place?

    check_vectors.py request.json answer.json [--model NAME] [--width 64] [--tolerance 0]

Needs nothing but Python 3. The function is that of docs/fault-bench.md, written down here once more on its own, so
that a mistake of the server's does not pass as right. Exit status: 0 all right, 1 some wrong, 2 no such answer.
"""

import argparse
import base64
import hashlib
import json
import math
import re
import struct
import sys


def components(space: str, text: str, width: int) -> list[float]:
    seed = hashlib.sha256(space.encode() + bytes(1) + text.encode()).digest()
    blocks = b"".join(
        hashlib.sha256(seed + block.to_bytes(8, "little")).digest() for block in range((width + 7) // 8)
    )
    return [(u + 0.5) / 2**31 - 1 for (u,) in struct.iter_unpack("<I", blocks)][:width]


def expected(text: str, space: str, drift: int, width: int) -> tuple[float, ...]:
    xs = components(space, text, width)
    if drift:
        xs = [x + drift / 10000 * y for x, y in zip(xs, components(space + "~", text, width))]
    norm = math.sqrt(_sum_in_order(x * x for x in xs))
    return struct.unpack(f"<{width}f", struct.pack(f"<{width}f", *(x / norm for x in xs)))


def _sum_in_order(terms) -> float:
    total = 0.0  # not sum(), which newer Pythons make more exact
    for term in terms:
        total += term
    return total


def texts_of(request: dict) -> list[str]:
    items = request.get("input", request.get("inputs"))
    if isinstance(items, str):
        return [items]
    if items and all(isinstance(item, int) for item in items):
        items = [items]
    return [item if isinstance(item, str) else ",".join(map(str, item)) for item in items]


def vectors_of(answer) -> list[tuple[float, ...]]:
    """From any of the formats, in the order of the items."""
    if isinstance(answer, dict) and "data" in answer:
        entries = sorted(answer["data"], key=lambda entry: entry.get("index", 0))
        lists = [entry["embedding"] for entry in entries]
    else:
        lists = answer["embeddings"] if isinstance(answer, dict) else answer
    return [
        tuple(x for (x,) in struct.iter_unpack("<f", base64.b64decode(v))) if isinstance(v, str)
        else struct.unpack(f"<{len(v)}f", struct.pack(f"<{len(v)}f", *v))
        for v in lists
    ]  # fmt: skip


def close(a, b, tolerance: float) -> bool:
    return len(a) == len(b) and all(abs(x - y) <= tolerance for x, y in zip(a, b))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("request", help="the body that was sent, JSON")
    parser.add_argument("answer", help="the body of the 200, JSON")
    parser.add_argument("--model", help="what fake-upstream was asked for, if the gateway has another name for it")
    parser.add_argument("--width", type=int, default=64, help="fake-upstream's own --width")
    parser.add_argument("--tolerance", type=float, default=0.0, help="of a value; 0: the same float32")
    flags = parser.parse_args()
    try:
        request = json.load(open(flags.request, encoding="utf-8"))
        texts, vectors = texts_of(request), vectors_of(json.load(open(flags.answer, encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        print(f"no answer to check: {error}")
        return 2

    name = re.fullmatch(r"(?:.*?)(?:-d(\d+))?(?:@([^~]*))?(?:~(\d+))?", flags.model or request.get("model", ""))
    width = request.get("dimensions") or int(name[1] or flags.width)
    space, drift = name[2] or "", int(name[3] or 0)
    right = [expected(text, space, drift, width) for text in texts]
    if len(vectors) != len(texts):
        print(f"{len(vectors)} vectors for {len(texts)} texts")
        return 1
    wrong = 0
    for i, vector in enumerate(vectors):
        if close(vector, right[i], flags.tolerance):
            continue
        wrong += 1
        others = [j for j, other in enumerate(right) if close(vector, other, flags.tolerance)]
        cosine = sum(x * y for x, y in zip(vector, right[i])) if len(vector) == width else float("nan")
        why = f"the vector of item {others[0]}" if others else f"{len(vector)} values, cosine {cosine:.6f} to its own"
        print(f"item {i}: wrong, {why}")
    print(f"{len(texts) - wrong} of {len(texts)} right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
