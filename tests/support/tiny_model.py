"""Models small enough to be made while one waits: random weights of a BERT encoder, and MiniLM's vocabulary."""

import json
import struct
from pathlib import Path

import numpy

from support.program import MODEL_DIR, require

WIDTH = 32
TOKENS = 64  # of a text, at most
VOCABULARY = 30522


def tensors(seed: int) -> dict[str, numpy.ndarray]:
    chance = numpy.random.default_rng(seed)

    def some(*shape: int) -> numpy.ndarray:
        return chance.normal(0, 0.3, shape).astype("<f4")

    made = {
        "embeddings.word_embeddings.weight": some(VOCABULARY, WIDTH),
        "embeddings.position_embeddings.weight": some(TOKENS, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
    }
    layer = "encoder.layer.0"
    for name, (rows, columns) in {
        f"{layer}.attention.self.query": (WIDTH, WIDTH),
        f"{layer}.attention.self.key": (WIDTH, WIDTH),
        f"{layer}.attention.self.value": (WIDTH, WIDTH),
        f"{layer}.attention.output.dense": (WIDTH, WIDTH),
        f"{layer}.intermediate.dense": (2 * WIDTH, WIDTH),
        f"{layer}.output.dense": (WIDTH, 2 * WIDTH),
    }.items():
        made[f"{name}.weight"] = some(rows, columns)
        made[f"{name}.bias"] = some(rows)
    for name in ("embeddings.LayerNorm", f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"):
        made[f"{name}.weight"] = 1 + some(WIDTH)
        made[f"{name}.bias"] = some(WIDTH)
    return made


def safetensors(values: dict[str, numpy.ndarray]) -> bytes:
    header, at = {}, 0
    for name, value in values.items():
        header[name] = {"dtype": "F32", "shape": value.shape, "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(value.tobytes() for value in values.values())


def files(seed: int) -> dict[str, bytes]:
    """What the repository of such a model holds, and some of what no engine needs."""
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": TOKENS,
        "num_attention_heads": 1,
        "num_hidden_layers": 1,
        "position_embedding_type": "absolute",
        "type_vocab_size": 2,
        "vocab_size": VOCABULARY,
    }
    original = require(MODEL_DIR, "scripts/fetch-weights puts it there")
    same = ["tokenizer.json", "modules.json"]
    return {
        "config.json": json.dumps(config).encode(),
        "sentence_bert_config.json": json.dumps({"max_seq_length": TOKENS, "do_lower_case": False}).encode(),
        "1_Pooling/config.json": json.dumps(
            {"word_embedding_dimension": WIDTH, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
        ).encode(),
        **{name: (original / name).read_bytes() for name in same},
        "model.safetensors": safetensors(tensors(seed)),
        "README.md": b"# A model",
        "onnx/model.onnx": b"not needed",
    }


def write(folder: Path, seed: int) -> Path:
    for name, data in files(seed).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
