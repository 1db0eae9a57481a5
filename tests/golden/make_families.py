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
