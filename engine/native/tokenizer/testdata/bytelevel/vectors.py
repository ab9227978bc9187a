"""Writes the golden vectors of byte-level encoding: python3 vectors.py FOLDER

Needs the packages tokenizers and regex. See README.md beside it.
"""

import json
import pathlib
import random
import sys

import regex
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
MODERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# What a rule cuts by, one expression after the other.
RULES = {
    "llama-bpe": [MODERN % "{1,3}"],
    "qwen2": [MODERN % ""],
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"],
}

# Written for this purpose.
TEXT = """
The miller's daughter didn't know that they're late; she'll say "I've won 1234567 coins, and I'd do it again!"
We'RE SHOUTING, HE'S NOT. It's 12:30 on 2026-11-22, and 99.5% of 1,000,000 isn't 100%.
    if (x == 10) {
        return "indented\\n";   // four spaces, then eight
    }
\tA tab, a tab:\t\tand two.

Two newlines above. \r\nA carriage return. Café, naïve, coöperate; Привет, мир! Здравствуй, мир.
你好，世界。我们今天去公园。こんにちは世界。カタカナ。안녕하세요 세계. שלום עולם. مرحبا بالعالم. नमस्ते दुनिया.
😀😀 👍🏽 👩‍👩‍👧 e\u0301 a\u0308 no\u00a0break thin\u2009space ideographic\u3000space x²+y³=½ ٣٤٥ ⅷ ---- ==== ...
The end of the story is the beginning of the next story, said the miller, and the miller's wife, and the mill.
"""

AWKWARD = [
    "", " ", "  ", "   ", "a", " a", "  a", "a ", "a  ", "a  b", "a \n b", "a\n", "a\n\n", "a\n \n b", "\n", "\n\n", "\r\n", "\r\n\r\n",
    " \n", "\n ", " \n ", "  \n\n  x", "\t", "\tx", "\t\tx", " \tx", "x\t y", "x \t y", "\n\tx", "\x0b\x0cx", "a\u0085b", "a\u2028b\u2029c",
    "can't", "CAN'T", "I'm", "I'M", "we're we'RE we'Re", "they've THEY'VE", "he'll HE'LL", "she'd SHE'D", "it's IT'S", "'s", "'S", " 's",
    "'sat", "'Tis 'tis", "''s", "'", "''", "a'", "'\u017f", "it'\u017f", "\u2019s it\u2019s", "o'clock", "rock'n'roll", "'re", "'r", "'l", "'v",
    "'lL", "'Ll x", "don't've", "1's", "'1", "\n's", "s's's",
    "1", "12", "123", "1234", "12345", "1234567890", " 1", " 12", " 1234", "  1234", "a1b22c333d4444", "1 2 3", "1.5", "1,000,000", "$100", "-1",
    "3rd", "x2", "²³", "½", "٣٤٥٦", "12٣45", "1234٣567", "ⅷ ⅻ", "①②③④", "१२३४", "100%", "0x1F", "1e-5", "12:30",
    "hello world", "Hello, world!", "hello,world", " ,", "...", " ...", "... a", "?!", "a?!\n", "a?!\r\n\r\nb", "!\n\n\n!", " !\n", "-- a --", "(a)", "[a]",
    "{a}", "<a>", "a<b>c", "a+b=c", "a|b", "a^b~c", "`a`", "a_b", "snake_case_name", "camelCase", "$a", "#a", "@a", "/path/to/file.txt",
    "https://example.com/?q=1&r=2#x", "\\n", "\"quoted\"", "!a", "!!a", " !a", "  !a", "\u00a0a", "\u00a0\u00a0a", "a\u00a0b", "a \u00a0b",
    "a\u00a0 b", "\u00a0", " \u00a0", "\u00a01", "\u3000a", "a\u3000\u3000b", "\u2009!", "a\u200bb", "\u200b", "\ufeffa", "a\u00adb",
    "你好", "你好，世界。", " 你好", "你 好", "日本語テキスト", "カ゛", "안녕하세요", "한글 자모 \u1112\u1161\u11ab", "ไทยภาษา", "हिन्दी", "नमस्ते", "שָׁלוֹם", "مَرْحَبًا",
    "Привет, мир!", "ΑΒΓ αβγ", "ß ẞ", "ﬁ ﬂ", "ǅ ʰ ª º", "e\u0301", "\u0301", " \u0301", "a \u0301b", "n\u0303o", "e\u0301\u0301\u0301", "\u0301a\u0301b",
    "😀", " 😀", "😀😀", "a😀b", "😀 ", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "1️⃣", "♥️", "😀\n", "😀a", "𝔸𝕓", "𝟙𝟚", "𐍈", "\U0010ffff", "\ufffd", "\ue000", "\u0378",
    "\x00", "a\x00b", "\x7f", "\x1b[0m", "§¶", "€100", "£5", "a\u2026b", "\u2014", "a\u2014b", "«a»", "\u2018a\u2019", "x\u0378y",
    "    if (x):\n        return 1\n\n\n", "def f(a, b):\n\treturn a+b  # sum\n", "a\n\n\n\nb", "a   \n   b", "a \r b", "\r", "\r\r\n\n", "x  \r\n  y  ",
    "The miller's daughter didn't know.", "the the the", "the" * 20, "aaaaaaaaaaaaaaaa", "Hello beginnings milling millings Hellos", "ab" * 20, " " * 17, "\n" * 9, "a" + " " * 8 + "b", "=" * 13, "1" * 20,
]
# Where special tokens are.
SPECIAL = [
    "<|end|>", "a<|end|>b", "<|end|><|end|>", " <|end|> ", "<|end|>\n", "<|end", "<|en<|end|>d|>", "<|turn|>user\nHi<|end|>\n", "<tool>", "a<tool>b",
    "a <tool> b", "<tool><|end|><tool>", "  <tool>  ", "<tool", "<<tool>>", "1<tool>2", "12<tool>345", "'<tool>s", "<|turn|>", "<|turn|>x<tool>y<|end|>",
    "<|turn", "x<|turn|", "<tool>\n\n<tool>",
]
PARTS = (
    list("aAbesSdDtlLmMvVrRxyé 12345  \n\r\t'''!.,<>|=+$^~-_\"#/") + [" ", "  ", "\n", "'s", "'ll", "'RE", " the", "The", "miller", "ing", "123", "4567"]
    + ["你", "好", "Привет", "😀", "\u0301", "\u00a0", "\u3000", "²", "½", "٣", "ⅷ", "\u2019", "\u2028", "\u0085", "\u017f", "한", "ß", "\u200d", "\u0378", "\ufffd"]
)


def build(name):
    cuts = RULES[name]
    t = Tokenizer(models.BPE(ignore_merges=name == "llama-bpe"))
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(c), "isolated") for c in cuts]
        + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(
        TEXT.split("\f"),
        trainers.BpeTrainer(vocab_size=700, min_frequency=1, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False),
    )
    model = json.loads(t.to_str())["model"]
    if name == "llama-bpe":  # words that no merge makes, which this rule takes whole
        for word in ["Ġbeginnings", "Hello", "ĠĠĠĠĠĠĠĠĠ", "Ġmilling"]:
            model["vocab"].setdefault(word, len(model["vocab"]))
        config = json.loads(t.to_str())
        config["model"] = model
        t = Tokenizer.from_str(json.dumps(config))
    t.add_special_tokens(["<|end|>", "<|turn|>"])
    t.add_tokens([AddedToken("<tool>", normalized=False)])
    return t, [" ".join(m) if isinstance(m, list) else m for m in model["merges"]]


def pieces(name, text):
    """The words by the regex package, which is not the engine that tokenizers uses."""
    parts = [text]
    for c in RULES[name]:
        cut = []
        for p in parts:
            at = 0
            for m in regex.finditer(c, p, regex.V0):
                if m.start() > at:
                    cut.append(p[at:m.start()])
                cut.append(m.group())
                at = m.end()
            if at < len(p):
                cut.append(p[at:])
        parts = cut
    return [p for p in parts if p]


def main(folder):
    for name in RULES:
        t, merges = build(name)
        vocab = t.get_vocab(with_added_tokens=True)
        tokens = [w for w, _ in sorted(vocab.items(), key=lambda e: e[1])]
        assert [vocab[w] for w in tokens] == list(range(len(tokens)))
        r = random.Random(name)
        drawn = ["".join(r.choice(PARTS) for _ in range(r.randint(2, 14))) for _ in range(400)]
        cases = []
        for text in AWKWARD + TEXT.strip().split("\n") + [TEXT] + drawn:
            words = pieces(name, text)
            t.encode_special_tokens = True
            encoding = t.encode(text, add_special_tokens=False)
            theirs = [text[a:b] for _, (a, b) in t.pre_tokenizer.pre_tokenize_str(text)]
            assert theirs == words, (name, text, theirs, words)
            assert t.decode(encoding.ids, skip_special_tokens=False) == text, (name, text)
            cases.append({"text": text, "words": words, "ids": encoding.ids})
        special = []
        for text in SPECIAL:
            t.encode_special_tokens = True
            plain = t.encode(text, add_special_tokens=False).ids
            t.encode_special_tokens = False
            special.append({"text": text, "ids": plain, "special_ids": t.encode(text, add_special_tokens=False).ids})
        out = {
            "pre": name,
            "tokens": tokens,
            "merges": merges,
            "control": ["<|end|>", "<|turn|>"],
            "user_defined": ["<tool>"],
            "cases": cases,
            "special": special,
        }
        path = pathlib.Path(folder) / f"{name}.json"
        lines = ["%s: %s" % (json.dumps(k), json.dumps(out[k])) for k in ("pre", "control", "user_defined", "tokens", "merges")]
        for k in ("cases", "special"):
            lines.append("%s: [\n%s\n]" % (json.dumps(k), ",\n".join(json.dumps(c) for c in out[k])))
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        print(name, len(tokens), "tokens", len(merges), "merges", len(cases), "texts", len(special), "with special tokens", path.stat().st_size, "bytes")


main(sys.argv[1])
