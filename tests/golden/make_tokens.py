#!/usr/bin/env python3
"""Makes the parity corpus, texts.jsonl, and the reference's token ids of it, tokens.jsonl.

    make_tokens.py MODEL_FOLDER     # needs the `tokenizers` package; the folder holds tokenizer.json

Both files have 1,000 lines: a JSON string, and a JSON array of ids with the special tokens, the file's truncation
and padding switched off. The same texts serve the parity of vectors. Deterministic: a fixed seed, and characters
chosen by their Unicode names, so another Unicode version of Python may choose others.
"""
import json
import pathlib
import random
import re
import sys
import unicodedata

from tokenizers import Tokenizer

COUNT = 1000
LENGTHS = [1, 2, 3, 5, 8, 13, 21, 34, 120, 126, 127, 128, 129, 253, 254, 255, 256, 257, 258, 259, 509, 510, 511, 512,
           513, 514, 515]
SCRIPTS = """LATIN GREEK CYRILLIC ARMENIAN HEBREW ARABIC SYRIAC THAANA NKO DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA
TAMIL TELUGU KANNADA MALAYALAM SINHALA THAI LAO TIBETAN MYANMAR GEORGIAN HANGUL ETHIOPIC CHEROKEE CANADIAN OGHAM RUNIC
KHMER MONGOLIAN HIRAGANA KATAKANA BOPOMOFO CJK YI LISU VAI BALINESE JAVANESE GLAGOLITIC COPTIC TIFINAGH GOTHIC DESERET
CUNEIFORM EGYPTIAN ADLAM OSAGE""".split()
SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "How do I reset my password if I no longer have access to my e-mail address?",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "In 1969 two people walked on the Moon; about 600 million others watched.",
    "She'd've said it wasn't theirs - but they'd already gone!",
    "Der Fluß überschwemmte die Straße; größere Schäden gab es nicht.",
    "L'été dernier, nous avons mangé des crêpes à la crème près de l'église.",
    "El niño pidió más piñas mañana por la mañana, ¿verdad?",
    "Dżdżownice żyją w wilgotnej glebie, a jeże śpią pod liśćmi.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "İstanbul'da ışık ılık, IĞDIR'da ise ırmak soğuk.",
    "Trời hôm nay đẹp quá, chúng ta đi dạo ở bờ hồ nhé.",
    "Η γάτα κοιμάται στον ήλιο και ο ΟΔΥΣΣΕΎΣ ταξιδεύει.",
    "Быстрая лиса прыгает через ленивую собаку; ёжик спит.",
    "Їжак і ґава живуть у лісі біля Києва.",
    "Հայաստանը լեռնային երկիր է։",
    "השפה העברית נכתבת מימין לשמאל, עם נִקּוּד או בלי.",
    "تُكتب اللغة العربية من اليمين إلى اليسار، بالأرقام ١٢٣ أيضًا.",
    "زبان فارسی را می‌نویسیم و می‌خوانیم.",
    "हिन्दी एक सुन्दर भाषा है, क्या आप इसे पढ़ सकते हैं?",
    "বাংলা ভাষায় অনেক কবিতা লেখা হয়েছে।",
    "ਪੰਜਾਬੀ ਗੁਰਮੁਖੀ ਲਿਪੀ ਵਿੱਚ ਲਿਖੀ ਜਾਂਦੀ ਹੈ।",
    "தமிழ் மொழி மிகவும் பழமையானது.",
    "తెలుగు భాష చాలా మధురమైనది.",
    "ಕನ್ನಡ ನುಡಿ ಚೆನ್ನಾಗಿದೆ.",
    "മലയാളം കേരളത്തിലെ ഭാഷയാണ്.",
    "ภาษาไทยไม่มีช่องว่างระหว่างคำ",
    "ພາສາລາວ ງາມຫຼາຍ",
    "བོད་སྐད་ནི་སྙན་པོ་ཡིན།",
    "မြန်မာဘာသာစကားသည် လှပသည်။",
    "ქართული ანბანი ძალიან ლამაზია. ᲥᲐᲠᲗᲣᲚᲘ",
    "한국어는 한글로 씁니다. 서울의 날씨는 어때요?",
    "አማርኛ የኢትዮጵያ ቋንቋ ነው።",
    "ភាសាខ្មែរមានអក្សរច្រើន។",
    "日本語の文章には漢字とひらがなとカタカナがあります。ﾊﾝｶｸもＡＢＣも。",
    "今天天气很好，我们去公园散步吧！",
    "臺灣的夜市有很多好吃的東西。",
    "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ꭰꮳꮃꭹ",
    "ᐃᓄᒃᑎᑐᑦ ᐅᖃᐅᓯᖅ",
    "ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺᚾᛁᛃ",
]
ODDITIES = [
    "", " ", "  \t \n ", "\u00a0\u2003\u3000", "\x00", "a\x00b", "\ufffd", "a\ufffdb", "\ufffe", "\uffff", "x\U0001ffffy",
    "\U0010ffff", "\ufeffbyte order mark", "soft\u00adhyphen", "zero\u200bwidth", "zero\u200djoin", "word\u2060joiner",
    "line\u2028separator\u2029paragraph", "next\u0085line", "vertical\x0btab\x0cfeed", "esc\x1b[31mred\x1b[0m",
    "bell\x07back\x08delete\x7f", "\x80\x81\x9f", "tab\tnew\nreturn\r\nend", "\u202eright to left\u202c",
    "\u2066isolate\u2069", "private \ue000 use \U000f0000 area", "tag \U000e0041 character", "\U000e0100 selector \ufe0f",
    "👩‍👩‍👧‍👦", "👍🏽", "🏳️‍🌈", "🇨🇭🇯🇵", "1️⃣2️⃣", "I love 🍕", "I love 🚗", "😀😃😄", "❤️‍🔥", "🧑🏿‍🚀",
    "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "a[MASK]b", "Paris is the [MASK] of France.", "[CLS][SEP]", "[cls]",
    "[ MASK ]", "[MASK", "MASK]", "[[MASK]]", "[[[SEP]]]", "[MA\u0301SK]", "[MASK]\u0301", " [SEP] ", "[CLS]\x00[SEP]",
    "é", "e\u0301", "ế", "e\u0302\u0301", "e\u0301\u0302", "q\u0307\u0323", "q\u0323\u0307", "\u0301", "\u0301\u0301",
    "a\u0315\u0300\u05ae\u0300b", "\u1e9b\u0323", "\u212b", "\u2126", "\ufb01", "\ufb1d", "ŀ", "ｆｕｌｌ", "\u0344", "\u0f73\u0f75\u0f81",
    "İ", "I\u0307", "ı", "ſ", "ß", "ẞ", "Σ", "ΑΣ", "ΣΑΣ", "ǅ", "ᾈ", "Ω", "K", "ᲐᲑ", "Ꭰ", "ꭰ", "𐐀", "𞤀", "Ⓐ", "Ⅷ",
    "가", "\u1100\u1161", "\u1100\u1161\u11a8", "각", "\u1100", "\u11a8", "뷁", "\ua960\ud7b0", "\uac01\u11a8",
    "漢", "漢字", "a漢b", "𠀀", "𪜀", "𫠠", "𬺰", "𰀀", "\uf900", "\U0002f800", "々", "〆", "〇", "ー", "ㄅㄆ", "㐀䶿",
    "http://user:pw@example.org:8080/a/b.html?q=1&r=%20#top", "someone@example.com", "C:\\Users\\x\\file.txt",
    "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }  // dot", "SELECT * FROM t WHERE id IN (1,2,3);",
    "def f(x: int) -> str:\n\treturn f\"{x!r}\"", "{\"k\": [1, 2.5e-3, null, true]}", "<p class=\"x\">a &amp; b</p>",
    "$100 €50 £20 ¥9 ₹7 ₿1", "a+b=c^2|d~e`f", "100%", "3.14159", "1,234,567.89", "№ ™ © ® ° ± × ÷ ½ ² ₂", "—–‐‑‒―",
    "«»„“”‘’‚‹›", "…‥·•‣", "؟،؛", "।॥", "。、「」", "¡¿", "§¶†‡", "\u037e\u0387", "᠆", "⸺⸻", "⁇⁈", "﹏︳", "⟨⟩⦃⦄",
    "unaffable", "antidisestablishmentarianism", "x" * 99, "x" * 100, "x" * 101, "é" * 100, "é" * 101, "e\u0301" * 100,
    "e\u0301" * 101, "漢" * 120, "ab" * 50 + "!", "ab" * 50 + "c!", "\u0301" * 150, "." * 130, "😀" * 100, "😀" * 101,
    "가" * 40, "각" * 34, " " * 600, "\n" * 50 + "end", "start" + " " * 300 + "end", "ſ" * 100, "İ" * 60, "ffi",
]


def letters_of(script):
    """Letters, marks and digits whose Unicode name starts with the script's."""
    wanted = []
    for code in range(0x80 if script != "LATIN" else 0x41, 0x30000):
        c = chr(code)
        if unicodedata.category(c)[0] in "LMN" and unicodedata.name(c, "").startswith(script + " "):
            wanted.append(c)
    assert len(wanted) > 20, script
    return wanted


def words_of(chance, letters, count):
    parts = []
    for _ in range(count):
        parts.append("".join(chance.choices(letters, k=chance.randint(1, 9))))
        if chance.random() < 0.15:
            parts[-1] += chance.choice(".,;:!?-–…()\u200d")
    return " ".join(parts)


def of_length(chance, tokenizer, words, wanted):
    """Real words that make `wanted` tokens, the two special ones included: words are added while they fit."""
    text, length = "", 2
    while length < wanted:
        longer = (text + " " + chance.choice(words)).lstrip()
        count = len(tokenizer.encode(longer).ids)
        if count <= wanted:
            text, length = longer, count
    return text


def make_texts(tokenizer):
    chance = random.Random(20240229)
    texts = list(SENTENCES) + list(ODDITIES)
    for script in SCRIPTS:
        letters = letters_of(script)
        texts += [words_of(chance, letters, count) for count in (1, 3, 6)]
        texts.append(words_of(chance, letters[:40], 8).upper())
    vocabulary = sorted(tokenizer.get_vocab())
    words = [w for w in vocabulary if w.isalpha() and w.isascii() and len(w) > 2]
    for length in LENGTHS:
        texts += [of_length(chance, tokenizer, words, max(length, 3)) for _ in range(2)]
    pieces = [w.removeprefix("##") for w in vocabulary]
    assigned = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cs", "Cn")]
    marks = [c for c in assigned if unicodedata.category(c)[0] == "M"]
    odd = [c for c in assigned if unicodedata.category(c) in ("Cc", "Cf", "Co", "Zs", "Zl", "Zp")]
    while len(texts) < COUNT:
        kind = len(texts) % 6
        if kind == 0:
            texts.append("".join(chance.choices(assigned, k=chance.randint(1, 40))))
        elif kind == 1:
            texts.append("".join(chance.choices(pieces, k=chance.randint(1, 15))))
        elif kind == 2:
            texts.append(" ".join(chance.choices(SENTENCES, k=chance.randint(2, 4))))
        elif kind == 3:
            text = list(chance.choice(SENTENCES))
            for _ in range(chance.randint(1, 8)):
                text.insert(chance.randint(0, len(text)), chance.choice(chance.choice([marks, odd])))
            texts.append("".join(text))
        elif kind == 4:
            texts.append("".join(chance.choices(ODDITIES[4:60], k=chance.randint(2, 6))))
        else:
            texts.append(" ".join(chance.choices(words, k=chance.randint(1, 40))) + chance.choice([".", "", "?", "!"]))
    return texts


def json_line(text):
    """JSON without the characters that some readers take for the end of a line or refuse."""
    line = json.dumps(text, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda m: f"\\u{ord(m[0]):04x}", line) + "\n"


def main():
    here = pathlib.Path(__file__).parent
    tokenizer = Tokenizer.from_file(str(pathlib.Path(sys.argv[1]) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = make_texts(tokenizer)
    assert len(texts) == COUNT
    with open(here / "texts.jsonl", "w", encoding="utf-8", newline="\n") as out:
        out.writelines(json_line(text) for text in texts)
    with open(here / "tokens.jsonl", "w", newline="\n") as out:
        out.writelines(json.dumps(tokenizer.encode(text).ids, separators=(",", ":")) + "\n" for text in texts)


if __name__ == "__main__":
    main()
