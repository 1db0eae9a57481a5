#!/usr/bin/env python3
"""Makes families/: a small model of each family that the embedded engine runs, and what the references make of texts.

    make_families.py [tokenizers] [stages] [models]     # nothing named: all

Needs `tokenizers`, `sentencepiece` (for its map nmt_nfkc), and for models `torch`, `transformers` and
`sentence-transformers`. The texts are those of texts.jsonl. A family's folder is one as it comes from the Hugging Face
hub, with random weights, and beside it:

  ids.bin       the ids of every text (of every 20th where another file shows the same tokenizer at work), special tokens
                included: per text a count, then the ids, each of 16 bits
  NAME.bin      vectors of every 20th text, 32-bit floats, by sentence-transformers from the folder as it is (vectors.bin)
                or with the changes that variants.json lists under NAME

stages.jsonl has a line for each kind of normalizer and pre-tokenizer: its JSON, and the SHA-256 of all it makes of the
texts and of every code point among others (parts end with a zero byte).
"""
import collections
import hashlib
import json
import pathlib
import random
import shutil
import struct
import sys
import tempfile

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram, WordPiece
from tokenizers.trainers import BpeTrainer, UnigramTrainer, WordPieceTrainer

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "families"
EVERY = 20
TEXTS = [json.loads(line) for line in (HERE / "texts.jsonl").read_text(encoding="utf-8").split("\n") if line]


def charsmap():
    import sentencepiece
    return (pathlib.Path(sentencepiece.__file__).parent / "package_data/nmt_nfkc.bin").read_bytes()


def special(name, **flags):
    return AddedToken(name, normalized=False, special=True, **flags)


def common_texts():
    """Texts of common characters: a small vocabulary has no room for all."""
    counts = collections.Counter("".join(TEXTS))
    common = {c for c, _ in counts.most_common(600)}
    return [text for text in TEXTS if common.issuperset(text)]


def train(model, trainer, normalizer, pre_tokenizer):
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.train_from_iterator(common_texts(), trainer)
    return tokenizer


def word_piece(names, post):
    """`names`: of the special tokens, in the order of their ids: first, pad, last, unknown, mask."""
    tokenizer = train(WordPiece(unk_token=names[3]), WordPieceTrainer(vocab_size=900, limit_alphabet=300, special_tokens=names, show_progress=False),
                      normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer())
    tokenizer.post_processor = post(*((name, tokenizer.token_to_id(name)) for name in (names[2], names[0])))
    tokenizer.add_special_tokens([special(name, lstrip="mask" in name) for name in names])
    return tokenizer


def byte_pairs():
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = BpeTrainer(vocab_size=900, special_tokens=names, show_progress=False,
                         initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer = train(BPE(), trainer, None, pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.add_special_tokens([special(name, lstrip=name == "<mask>") for name in names])
    return tokenizer


def unigram():
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap()), normalizers.Replace(Regex(" {2,}"), " ")])
    cut = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    trainer = UnigramTrainer(vocab_size=1200, special_tokens=names, unk_token="<unk>", show_progress=False)
    trained = train(Unigram(), trainer, normalizer, cut)
    vocab = [tuple(entry) for entry in json.loads(trained.to_str())["model"]["vocab"]]
    tokenizer = Tokenizer(Unigram([*vocab, ("<mask>", 0.0)], unk_id=3))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, cut
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens([special(name, lstrip=name == "<mask>") for name in [*names, "<mask>"]])
    return tokenizer


def template(last, first):
    return processors.TemplateProcessing(f"{first[0]} $A {last[0]}", f"{first[0]} $A {last[0]} $B {last[0]}", [first, last])


TOKENIZERS = {
    "bert": lambda: word_piece(["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"], template),
    "distilbert": lambda: word_piece(["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"], processors.BertProcessing),
    "mpnet": lambda: word_piece(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"], processors.RobertaProcessing),
    "roberta": byte_pairs,
    "xlm-roberta": unigram,
}


def make_tokenizers():
    for family, make in TOKENIZERS.items():
        folder = OUT / family
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer = make()
        # Compact, and with the padding and truncation that files have, which are not the engine's.
        tokenizer.enable_truncation(128)
        tokenizer.enable_padding(length=128, pad_id=1)
        (folder / "tokenizer.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
        tokenizer.no_truncation()
        tokenizer.no_padding()
        with open(folder / "ids.bin", "wb") as out:
            for text in TEXTS[:: 1 if family in ("roberta", "xlm-roberta") else EVERY]:
                ids = tokenizer.encode(text).ids
                out.write(struct.pack(f"<{len(ids) + 1}H", len(ids), *ids))
        print(family, tokenizer.get_vocab_size(), "tokens")


NORMALIZERS = [
    normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD(), normalizers.Lowercase(),
    normalizers.StripAccents(), normalizers.Strip(), normalizers.Strip(left=False), normalizers.Prepend("▁"),
    normalizers.Replace(" ", "▁"), normalizers.Replace(Regex("[\\n\\r\\t]"), " "), normalizers.Replace(Regex(" {2,}"), " "),
    normalizers.Replace(Regex("\\s+"), "|"), normalizers.Replace("é", ""), normalizers.Replace(Regex("[^\\s.]{2}"), "x"),
    normalizers.BertNormalizer(), normalizers.BertNormalizer(lowercase=False),
    normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()]),
    normalizers.Sequence([normalizers.Replace(Regex("[\\n\\r\\t]"), " "), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), "▁")]),
]
PRE_TOKENIZERS = [
    pre_tokenizers.BertPreTokenizer(), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(),
    pre_tokenizers.Metaspace(prepend_scheme="never"), pre_tokenizers.Metaspace(split=False),
    pre_tokenizers.Metaspace(replacement="_"), pre_tokenizers.ByteLevel(add_prefix_space=False),
    pre_tokenizers.ByteLevel(add_prefix_space=True), pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False),
    pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
    pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=True)]),
]


def sample_texts():
    yield from TEXTS
    for first in range(0, 0xF0000, 64):
        if not (0xD800 <= first < 0xE000 or 0x33480 <= first < 0xE0000):  # surrogates, and where nothing is assigned
            yield "".join(f"{chr(c)} e{chr(c)}{chr(c)}\u0301" for c in range(first, first + 64))


def digest(parts_of):
    """Parts end with a zero byte."""
    found = hashlib.sha256()
    for text in sample_texts():
        found.update(b"".join(part + b"\0" for part in parts_of(text)))
    return found.hexdigest()


def bytes_of_letters():
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {chr(byte): byte for byte in own}
    return letters | {chr(256 + i): byte for i, byte in enumerate(byte for byte in range(256) if byte not in own)}


def make_stages():
    letters = bytes_of_letters()
    lines = []
    host = Tokenizer(WordPiece({"?": 0}, unk_token="?"))
    for normalizer in NORMALIZERS:
        host.normalizer = normalizer
        made = digest(lambda text: [normalizer.normalize_str(text).encode()])
        lines.append({"normalizer": json.loads(host.to_str())["normalizer"], "sha256": made})
    # Its map is in the file of a tokenizer, and too long for a second copy.
    precompiled = normalizers.Precompiled(charsmap())
    lines.append({"normalizer": "xlm-roberta", "sha256": digest(lambda text: [precompiled.normalize_str(text).encode()])})
    for pre_tokenizer in PRE_TOKENIZERS:
        host.pre_tokenizer = pre_tokenizer
        row = json.loads(host.to_str())["pre_tokenizer"]
        in_letters = "ByteLevel" in json.dumps(row)
        encode = (lambda piece: bytes(letters[c] for c in piece)) if in_letters else str.encode
        made = digest(lambda text: [encode(piece) for piece, _ in pre_tokenizer.pre_tokenize_str(text)])
        lines.append({"pre_tokenizer": row, "sha256": made})
    (OUT / "stages.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


LEGACY = "sentence_transformers.models."
WIDTH, LAYERS, HEADS, INNER = 64, 2, 2, 128
MINIMUM = 160  # tokens of the longest text: far enough for the buckets of MPNet's distances that are shared


def encoder_of(family, vocabulary):
    """A small encoder with weights that make something of every part: biases, norms and positions too."""
    import torch
    from transformers import (BertConfig, BertModel, DistilBertConfig, DistilBertModel, MPNetConfig, MPNetModel,
                              RobertaConfig, RobertaModel, XLMRobertaConfig, XLMRobertaModel)
    shape = {"vocab_size": vocabulary, "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
             "intermediate_size": INNER}
    torch.manual_seed(len(family))
    model = {
        "bert": lambda: BertModel(BertConfig(**shape, max_position_embeddings=MINIMUM)),
        "distilbert": lambda: DistilBertModel(DistilBertConfig(
            vocab_size=vocabulary, dim=WIDTH, n_layers=LAYERS, n_heads=HEADS, hidden_dim=INNER,
            max_position_embeddings=MINIMUM)),
        "mpnet": lambda: MPNetModel(MPNetConfig(**shape, max_position_embeddings=MINIMUM + 2, layer_norm_eps=1e-5)),
        "roberta": lambda: RobertaModel(RobertaConfig(**shape, max_position_embeddings=MINIMUM + 2, type_vocab_size=1,
                                                      layer_norm_eps=1e-5, hidden_act="gelu_new")),
        "xlm-roberta": lambda: XLMRobertaModel(XLMRobertaConfig(
            **shape, max_position_embeddings=MINIMUM + 2, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1)),
    }[family]()
    with torch.no_grad():
        for name, values in model.named_parameters():
            values.normal_(1.0 if "LayerNorm.weight" in name or "layer_norm.weight" in name else 0.0,
                           0.5 if "bias" in name and "relative" not in name else 0.2)
    return model.eval()


def tensors_of(family, model):
    """As files of the family have them: of the type and under the names that occur."""
    import torch
    kind = {"distilbert": torch.float16, "xlm-roberta": torch.bfloat16}.get(family, torch.float32)
    tensors = {name: values.to(kind).contiguous() for name, values in model.state_dict().items()
               if "pooler" not in name and "position_ids" not in name}
    if family == "bert":
        renamed = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        tensors = {"bert." + next((name.replace(old, new) for old, new in renamed.items() if old in name), name): values
                   for name, values in tensors.items()}
    return tensors


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def write_encoder(folder, family):
    from safetensors.torch import save_file
    vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    model = encoder_of(family, vocabulary)
    config = model.config.to_dict()
    kept = ["model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "hidden_act", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "pad_token_id",
            "relative_attention_num_buckets", "dim", "n_layers", "n_heads", "hidden_dim", "activation"]
    write_json(folder / "config.json", {name: config[name] for name in kept if name in config})
    tensors = tensors_of(family, model)
    if family != "roberta":
        return save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    names = sorted(tensors)
    weight_map = {}
    for part, shard in enumerate([names[:9], names[9:]], 1):
        file = f"model-{part:05}-of-00002.safetensors"
        save_file({name: tensors[name] for name in shard}, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(shard, file)
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})


def write_modules(folder, *behind):
    kinds = ["Transformer", "Pooling", *behind]
    write_json(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": "" if i == 0 else f"{i}_{kind}", "type": LEGACY + kind}
        for i, kind in enumerate(kinds)])
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": MINIMUM, "do_lower_case": False})


def old_pooling(mode, **more):
    modes = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    return {"word_embedding_dimension": WIDTH} | {f"pooling_mode_{name}": name == mode for name in modes} | more


def write_pipeline(folder, family):
    import torch
    from safetensors.torch import save_file
    write_modules(folder, *(["Dense"] if family == "distilbert" else ["Normalize"]))
    modes = {"bert": "cls_token", "roberta": "mean_sqrt_len_tokens"}
    write_json(folder / "1_Pooling/config.json", old_pooling(modes.get(family, "mean_tokens")))
    if family == "distilbert":
        write_json(folder / "2_Dense/config.json", {"in_features": WIDTH, "out_features": 40, "bias": True,
                                                    "activation_function": "torch.nn.modules.activation.Tanh"})
        torch.manual_seed(40)
        save_file({"linear.weight": torch.randn(40, WIDTH) * 0.3, "linear.bias": torch.randn(40)}, folder / "2_Dense/model.safetensors")
    if family == "bert":
        write_json(folder / "1_Pooling/config.json", {"embedding_dimension": WIDTH, "pooling_mode": "cls", "include_prompt": True})
    if family == "xlm-roberta":
        write_json(folder / "config_sentence_transformers.json",
                   {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": None})


def variants():
    """(family, name, input_type, changed files by name)"""
    for mode in ("max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"):
        yield "bert", mode, None, {"1_Pooling/config.json": old_pooling(mode)}
    for activation in ("relu", "gelu_new"):
        config = json.loads((OUT / "bert/config.json").read_text()) | {"hidden_act": activation}
        yield "bert", activation, None, {"config.json": config}
    yield "xlm-roberta", "query", "query", {}
    yield "xlm-roberta", "document", "document", {}
    prompts = {"prompts": {"query": "Represent this sentence: ", "document": ""}, "default_prompt_name": None}
    for mode in ("mean_tokens", "cls_token", "max_tokens", "weightedmean_tokens"):
        yield "mpnet", f"unpooled_{mode}", "query", {"1_Pooling/config.json": old_pooling(mode, include_prompt=False),
                                                     "config_sentence_transformers.json": prompts}
    yield "mpnet", "default_prompt", None, {"config_sentence_transformers.json": prompts | {"default_prompt_name": "query"}}
    bare = [{"idx": 0, "name": "0", "path": "", "type": LEGACY + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": LEGACY + "Pooling"}]
    yield "roberta", "without_unit_length", None, {"modules.json": bare}


def vectors_of(folder, input_type):
    import torch
    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"})
    model = model.float()
    # A document of a model that has no prompt of that name has that of its passages, as encode_document documents it.
    name = "passage" if input_type == "document" and not model.prompts.get("document") else input_type
    # One by one: no padding, whose id some tokenizers here do not know.
    return b"".join(model.encode([text], prompt_name=name)[0].astype("<f4").tobytes() for text in TEXTS[::EVERY])


def make_models():
    for family in TOKENIZERS:
        folder = OUT / family
        for old in folder.glob("*.bin"):
            if old.name != "ids.bin":
                old.unlink()
        write_encoder(folder, family)
        write_pipeline(folder, family)
        (folder / "vectors.bin").write_bytes(vectors_of(folder, None))
        print(family, "done", flush=True)
    rows = []
    for family, name, input_type, files in variants():
        with tempfile.TemporaryDirectory() as copy:
            folder = pathlib.Path(copy, "model")
            shutil.copytree(OUT / family, folder)
            for file, content in files.items():
                write_json(folder / file, content)
            (OUT / family / f"{name}.bin").write_bytes(vectors_of(folder, input_type))
        row = {"family": family, "name": name, "files": files}
        rows.append(row | ({"input_type": input_type} if input_type else {}))
    (OUT / "variants.json").write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")


def main():
    parts = {"tokenizers": make_tokenizers, "stages": make_stages, "models": make_models}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
