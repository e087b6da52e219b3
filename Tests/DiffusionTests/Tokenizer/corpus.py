"""Texts of all kinds for the tokenizers to disagree about. Always the same ones."""

import itertools
import random
import unicodedata

SENTENCES = """
a photo of a cat
A portrait of a 35-year-old woman, smiling; 85mm, f/1.8, ISO-100
it's what we'll do, isn't it? They've said I'm they're you'd 'tis the '90s rock'n'roll
((masterpiece)), [best quality]:1.3, {detailed} <lora:add_detail:0.8> \\(parentheses\\)
Ein großes Gebäude in der Straße, ÄÖÜ äöü ẞ
Un élève français où l'été, ça va? Œuvre, naïve, "guillemets" « là »
El niño comió piñas ¿verdad? ¡Sí! Ángel
Să trăiască, țară și ștrengar
Žluťoučký kůň úpěl ďábelské ódy
Zażółć gęślą jaźń
Árvíztűrő tükörfúrógép
Iğdır'da ILIK süt; İstanbul ışık
Þetta er íslenska, ðæ
Съешь ещё этих мягких французских булок, да выпей чаю
Їжак, ґанок, єнот
Θα ήθελα ΕΝΑΝ ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ ᾈδης
ნახატი ᲜᲐᲮᲐᲢᲘ
Հայերեն գեղեցիկ է և ԵՒ
תמונה של חתול שָׁלוֹם עֲלֵיכֶם
صورة قطة جميلة ١٢٣ مُحَمَّد
تصویر یک گربه ۱۲۳ می‌خواهم
ایک خوبصورت بلی کی تصویر
बिल्ली की तस्वीर क्ष त्र १२३
একটি বিড়ালের ছবি ড় য় কো
ਇੱਕ ਬਿੱਲੀ ਸ਼
બિલાડીનો ફોટો
பூனையின் படம் கொ கோ கௌ
పిల్లి యొక్క ఫోటో
ಬೆಕ್ಕಿನ ಫೋಟೋ ಕೋ
പൂച്ചയുടെ ചിത്രം കോ
පූසෙක්ගේ ඡායාරූපයක් කෝ
รูปถ่ายของแมวน้ำ ๑๒๓
ຮູບແມວ ນ້ຳ
བོད་སྐད་ ཱི ཱུ ྲྀ
ကြောင်ပုံ ဦး
រូបភាពឆ្មា
አማርኛ ድመት
ᏣᎳᎩ ꮳꮃꭹ
ᠮᠣᠩᠭᠣᠯ
猫の写真、東京タワー。ガギグゲゴ パピプペポ ｶﾞｷﾞ １２３
一只可爱的猫，在月光下。繁體字 神 﨑 龜
고양이 사진 한국어 각 가각힣
Ảnh một con mèo đẹp ếệ ộ Đường
Ọ̀rọ̀ Yorùbá ẹ̀kọ́
ʻŌlelo Hawaiʻi ‘okina
𝒜 𝔹 𝕔 𝟘 𝟙 ℌ ℝ ⅷ Ⅻ ½ ² ③ ㊿ ① Ⓐ ⓐ
𐐀𐐁𐐨 𞤀𞤢 Ꭰꭰ ᲐᲑ Ǆ ǅ ǆ Ǉ ǈ Ǌ ǋ
""".strip().splitlines()

CASES = "İ ı I i ſ ẞ ß Σ σ ς ΣΑΣ ΑΣ Σ. K Å Ω ŉ ǰ ΐ ﬀ ﬁ ﬃ ﬆ ﬓ ᾈ ᾳ ᾼ ῼ Ϊ Ⓐ Ⅷ Ꭰ Ა Ǆ ǅ ẘ ẚ µ Μ".split()

EMOJI = "😀 👍🏽 👩‍👩‍👧‍👦 👨🏿‍🚀 🏳️‍🌈 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪🇯🇵🇺 ❤️ ☎︎ 1️⃣ #️⃣ *⃣ 🧑🏻‍❤️‍💋‍🧑🏿 🫠 🫡 🪿 ©️ ™ ♀️ 🐻‍❄️".split()

SPECIAL = [
    "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|>", "<|startoftext|", "<|", "|>",
    "!", "!!", "<left>", "<right>", "lonely", "Lonely", "ЁЖИК", "ёжик", "Е\u0308жИК", "<plain>", "<PLAIN>",
    "<image>", "[mask]", "<cat-toy>", "<Cat-Toy> big", "<cat-toy>  BIG", "</w>", "a</w>", "#version",
]  # fmt: skip

SPACES = [
    chr(c)
    for c in [*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, 0x180E, *range(0x2000, 0x2010),
              0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF, 0x115F, 0x3164, 0xFFA0]
]  # fmt: skip

DIGITS = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) == "Nd"]
MARKS = [c for c in map(chr, range(0x110000)) if unicodedata.category(c)[0] == "M"]
# Marks and letters that are younger than some of the tables that tokenizers was built with.
YOUNG = [
    chr(c)
    for c in [0x7FD, 0x897, 0x8CA, 0x9FE, 0xC3C, 0x1715, 0x1ABF, 0x1ACF, 0x1AEB, 0x1DFA, 0xA82C, 0x105C9, 0x105E4,
              0x10D24, 0x10D69, 0x10EAB, 0x10EFD, 0x10EFA, 0x10F46, 0x11070, 0x113C5, 0x113C7, 0x113CE, 0x11938,
              0x11F41, 0x16121, 0x16123, 0x16125, 0x16D63, 0x16D67, 0x16D68, 0x1E130, 0x1E4EC, 0x1E5EE, 0x1E6E3,
              0x88F, 0xC5C, 0xA7CE, 0xA7CF, 0xA7D2, 0x10940, 0x16EA0, 0x16EBB, 0x11DE0, 0x1C89, 0x10D50, 0xA7CB, 0xA7DC]
]  # fmt: skip


def scalar(generator, largest=0x10FFFF):
    while True:
        code = generator.randint(0, largest)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def texts():
    generator = random.Random(20240229)
    pick = generator.choice
    result = [
        "",
        " ",
        "   ",
        "\n",
        "\t \r\n",
        "a",
        " a ",
        "A  B",
        "\0",
        "a\0b",
        "\x7f\x80\x9f",
        "\u200b",
        "'",
        "''",
        "'s",
    ]
    result += SENTENCES + CASES + EMOJI + SPECIAL
    result += [" ".join(SENTENCES), " ".join(CASES), "".join(EMOJI), " ".join(EMOJI)]
    for sentence in SENTENCES:
        result += [unicodedata.normalize(form, sentence) for form in ["NFC", "NFD", "NFKC", "NFKD"]]
        result += [sentence.upper(), sentence.lower(), sentence.title(), sentence[::-1]]
    for space in SPACES:
        result += [
            f"a{space}b",
            f"{space}cat{space}{space} dog{space}",
            f"!{space}!",
            f"7{space}7",
            space,
        ]
    for left, right in itertools.product(SPECIAL, repeat=2):
        result.append(f"{left}{right}")
        result.append(
            f"a {left}  {pick(['cat', '!', 'é', '_', ''])}{right}{pick(['', ' ', 's', '5'])}"
        )
    result += ["!" * count for count in range(3, 100, 7)]
    result += [
        f"{pick(DIGITS)}{pick(DIGITS)} x{pick(DIGITS)}y {pick(DIGITS)}{pick(MARKS)}"
        for _ in range(150)
    ]
    result += [f"{left}{right}" for left in CASES[:12] for right in "aΣ\u0307\u0301. "]
    punctuation = (
        "".join(c for c in map(chr, range(33, 127)) if not c.isalnum()) + "…—–„“”‚‘’«»¿¡・。、"
    )
    for _ in range(250):
        result.append(
            "".join(pick(punctuation + "'''stdmrvl l e 1") for _ in range(generator.randint(1, 30)))
        )
    # Marks in every order, on letters that compose and on ones that do not.
    letters = "aeouAEOU ẾǭḍÅ가각ᄀ ᅡ ᆨ אش क কে ெ ೆ ဥ 𑂙 𑄱 ≠=<>ཱིཀ"
    for _ in range(500):
        word = [pick(letters)]
        for _ in range(generator.randint(1, 12)):
            word.append(
                pick(
                    [
                        pick(MARKS),
                        pick(MARKS),
                        pick("\u0301\u0323\u0307\u0338\u0345\u0f73\u0f75\u0f81\u0344"),
                        pick(letters),
                        pick(YOUNG),
                    ]
                )
            )
        result.append("".join(word))
    result += [
        f"x{young}{mark}y {mark}{young}" for young in YOUNG for mark in "\u0334\u0323\u0345\u0301"
    ]
    # Anything.
    for largest in [0x7F, 0xFF, 0x24F, 0xFFF, 0x2FFF, 0xFFFF, 0x1FFFF, 0x10FFFF]:
        for _ in range(100):
            result.append(
                "".join(scalar(generator, largest) for _ in range(generator.randint(1, 40)))
            )
    words = " ".join(SENTENCES).split()
    result += [
        " ".join(pick(words + SPECIAL + EMOJI) for _ in range(generator.randint(20, 150)))
        for _ in range(150)
    ]
    return list(dict.fromkeys(result))


def long_texts():
    generator = random.Random(1)
    words = " ".join(SENTENCES).split()
    return [
        " ".join(generator.choice(words) for _ in range(20_000)),
        "a" * 20_000,
        "".join(generator.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(50_000)),
        "a" + "\u0301\u0323\u0345" * 3_000,
        "a" + "\u0f73\u0f71" * 1_000 + "\u0334",
        " " * 20_000 + "!" * 20_000,
        "<|endoftext|>" * 2_000,
    ]


def every_scalar():
    """The scalars that Unicode has assigned or may assign soon, beside their neighbours and beside letters."""
    # Without the thousands of ideographs and syllables in the middle of their blocks, which are all alike.
    alike = [(0x3500, 0x9F80), (0xAD00, 0xD780), (0xD800, 0xF900), (0x12500, 0x12F00), (0x13500, 0x14300),
             (0x17100, 0x18700), (0x1B300, 0x1BB00)]  # fmt: skip
    codes = [c for c in range(0x1FC00) if not any(start <= c < end for start, end in alike)]
    codes += [*range(0x2F800, 0x2FA20), *range(0xE0000, 0xE0200)]
    rows = [codes[start : start + 128] for start in range(0, len(codes), 128)]
    return ["".join(map(chr, row)) for row in rows] + [
        "".join(f"e{chr(c)}\u0323" for c in row) for row in rows
    ]
