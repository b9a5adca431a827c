"""Recovery phrases: by the checksum of BIP-39 where the number of words allows it, else by how many of the words
that stand close together are in a list, and are no words of everyday language.

A text is read in several ways, since people write words in columns, number them and put remarks between.
"""

import re
from collections.abc import Iterator, Sequence

from audit.orders.secret_guard import context
from audit.orders.secret_guard.lists import LENGTHS, WordList, english, fold, han, word_lists

SHORTEST = 12
LEAST_ODD = ((12, 2), (10, 3))  # of SHORTEST words, so many of the list, so many of them in no list of wishes
LEAST_ODD_TOLD = ((12, 1), (10, 2))
SHORT, SHORT_RARE = (
    5,
    3,
)  # a part of a phrase; one that is told to be one has a word more, and a rare one less
SPARSE, SPARSE_LISTED, SPARSE_RARE = 36, 12, 8  # of so many words, so many: a phrase with remarks
MOST_CHECKSUMS = 400
JOINED_LETTERS = range(36, 300)  # of a phrase without spaces
HIGHEST = 2048
MOST_WORDS = 6  # beside a dozen numbers that nothing calls places of words

WORD = re.compile(r"[^\W\d_]+")
HAN = re.compile(r"[\u4e00-\u9fff]+")
REMARK = re.compile(r"\([^()]{0,200}\)|\[[^\[\]]{0,200}\]|\{[^{}]{0,200}\}|/\*.{0,200}?\*/")
TAG = re.compile(r"</?[a-z][^<>]{0,200}>")
ITEM = re.compile(r"[\n,;.!?:…|•·/]+|\s[–—-]+\s")
SPACED = re.compile(r"(?<![^\W\d_])([^\W\d_])[ .-](?=[^\W\d_](?![^\W\d_]))")  # "v o i d"
NUMBERED = re.compile(r"(?<!\d)(\d{1,2})(?!\d)[^\w\n]{0,4}([^\W\d_]{2,20})")
NUMBERS = re.compile(r"(?<![\w.,$€#-])\d{1,4}(?![\w%$€]|[.,]\d)")
DIGITS = re.compile(r"\d(?:[\s,.-]{0,2}\d){47,200}")
SEED_QR = (48, 60, 72, 84, 96)  # four digits a word
# What people put around the words of a phrase: "1. abandon", "word 2: ability", "third".
FILLERS = frozenset(
    """
    word words слово слова palabra palabras and then next first second third fourth fifth sixth seventh eighth ninth
    tenth eleventh twelfth last st nd rd th потом затем далее следующее первое второе третье четвертое пятое шестое
    седьмое восьмое девятое десятое luego despues siguiente primera segunda tercera cuarta quinta sexta septima octava
    novena decima ultima number numero номер is это es
    """.split()  # noqa: SIM905 - a list of quoted words is six times as long
)


def certainty(text: str) -> bool | None:
    """True: a phrase, its checksum is right. False: most likely one, or a part of one. None: none."""
    told = context.PHRASE.search(text) is not None
    text = context.without_addresses(text)
    found = [_numbers(text, told=told), _han(text)]
    plain = fold(text)
    for reading in _readings(plain):
        words = WORD.findall(reading)
        for listed in word_lists():
            known = sum(word in listed.words for word in words)
            if known >= SHORT:
                found.append(_in_a_row(words, listed, told=told))
        found += [_plate(words), _joined(reading)]
    words = WORD.findall(plain)
    for listed in word_lists():
        found += [_sparse(words, listed), _itemised(plain, listed)]
    certainties = [bool(each) for each in found if each is not None]
    return max(certainties, default=None)


def _readings(text: str) -> Iterator[str]:
    """The text; without marks of HTML; without what stands in brackets; the words after numbers in their order."""
    yield text
    if (bare := TAG.sub(" ", text)) != text:
        yield bare
    if (short := REMARK.sub(" ", text)) != text:
        yield short
    if len(SPACED.findall(text)) >= 36:
        yield SPACED.sub(r"\1", text)
    lines = [words for line in text.splitlines() if (words := WORD.findall(line))]
    if len(lines) >= SHORTEST - 1:
        yield " ".join(words[0] for words in lines)
        yield " ".join(words[-1] for words in lines)
    numbered = NUMBERED.findall(text)
    if len(numbered) >= SHORT:
        yield " ".join(word for _, word in numbered)


def _in_a_row(words: Sequence[str], listed: WordList, *, told: bool) -> bool | None:
    """Words of one list close together, whatever numbers, fillers and line breaks stand between."""
    row = [word for word in words if word in listed.words or word not in FILLERS]
    places = [listed.words.get(word, -1) for word in row]
    rare = [word in listed.odd for word in row]
    found = None
    for start in range(max(1, len(row) - SHORTEST + 1)):
        known = sum(place >= 0 for place in places[start : start + SHORTEST])
        odd = sum(rare[start : start + SHORTEST])
        if any(known >= least and odd >= few for least, few in (LEAST_ODD_TOLD if told else LEAST_ODD)):
            found = False
            break
    if any(listed.has_checksum(window) for window in _windows(places, rare, told=told)):
        return True
    return found if found is False else _short(words, listed, told=told)


def _windows(places: Sequence[int], rare: Sequence[bool], *, told: bool) -> Iterator[Sequence[int]]:
    """Rows of known words of a phrase's length, MOST_CHECKSUMS at most."""
    left, start = MOST_CHECKSUMS, 0
    for end in range(len(places) + 1):
        if end < len(places) and places[end] >= 0:
            continue
        for size in LENGTHS:
            for first in range(start, end - size + 1):
                if told or sum(rare[first : first + size]) >= 2:
                    yield places[first : first + size]
                    left -= 1
                if left <= 0:
                    return
        start = end + 1


def _short(words: Sequence[str], listed: WordList, *, told: bool) -> bool | None:
    """Half of a phrase: a few rare words side by side, announced as such or with next to nothing else."""
    row = [word for word in words if word not in FILLERS or word in listed.words]
    run = odd = 0
    for word in row:
        run = run + 1 if word in listed.words else 0
        odd = odd + (word in listed.rare) if run else 0
        if run >= SHORT and odd >= SHORT_RARE and (told or len(row) <= run + 4):
            return False
        if told and run > SHORT and odd >= SHORT_RARE - 1:
            return False
    return None


def _plate(words: Sequence[str]) -> bool | None:
    """Four letters of each word, as metal plates hold them."""
    row = 0
    for word in words:
        plate = len(word) in {3, 4} and word in english().plates
        row = row + 1 if plate else (row if word in FILLERS else 0)
        if row >= SHORTEST:
            return False
    return None


def _sparse(words: Sequence[str], listed: WordList) -> bool | None:
    """A phrase with remarks between its words: more rare words of one list than any prose has."""
    known = [word in listed.words for word in words]
    if sum(known) < SPARSE_LISTED:
        return None
    rare = [word in listed.rare for word in words]
    for start in range(max(1, len(words) - SPARSE + 1)):
        window = slice(start, start + SPARSE)
        if sum(known[window]) >= SPARSE_LISTED and sum(rare[window]) >= SPARSE_RARE:
            return False
    return None


def _itemised(text: str, listed: WordList) -> bool | None:
    """A dozen lines or items, nearly each with a word of the list at its beginning or end, most of them rare."""
    if sum(word in listed.words for word in WORD.findall(text)) < SHORTEST - 1:
        return None
    items = [words for part in ITEM.split(text) if (words := WORD.findall(part))]
    ends = [
        (any(word in listed.words for word in ends), any(word in listed.rare for word in ends))
        for words in items
        for ends in [(words[0], words[-1])]
    ]
    for start in range(len(ends) - SHORTEST + 1):
        window = ends[start : start + SHORTEST]
        if sum(known for known, _ in window) >= SHORTEST - 1 and sum(odd for _, odd in window) >= 6:
            return False
    return None


def _joined(text: str) -> bool | None:
    """Words without spaces between: `legalWinnerThank…`."""
    words = english().words
    for found in WORD.finditer(text):
        token = fold(found[0])
        if len(token) not in JOINED_LETTERS or not token.isascii():
            continue
        counts = [0, *[-1] * len(token)]  # the fewest words that make up the first letters
        for end in range(3, len(token) + 1):
            for size in range(3, 9):
                if end >= size and counts[end - size] >= 0 and token[end - size : end] in words:
                    counts[end] = counts[end - size] + 1
                    break
        if counts[-1] >= SHORTEST - 2:
            return False
    return None


def _numbers(text: str, *, told: bool) -> bool | None:
    """Places of words in the list, counted from 0 or 1, or four digits each as a SeedQR holds them."""
    for found in DIGITS.finditer(text):
        digits = "".join(char for char in found[0] if char.isdecimal())
        if len(digits) in SEED_QR and all(
            int(digits[at : at + 4]) < HIGHEST for at in range(0, len(digits), 4)
        ):
            return True
    numbers = [found[0] for found in NUMBERS.finditer(text)]
    places = [int(number) for number in numbers]
    if len(places) < SHORTEST:
        return None
    most = told or len(WORD.findall(text)) <= MOST_WORDS
    runs = [places]
    if places[: SHORTEST * 2 : 2] == list(range(1, SHORTEST + 1)):  # "1: 1019, 2: 2015"
        runs.append(places[1::2])
    for run in runs:
        for size in LENGTHS:
            for first in range(min(len(run) - size + 1, MOST_CHECKSUMS)):
                window = run[first : first + size]
                if max(window) > HIGHEST or max(window) < HIGHEST // 4 or window == sorted(window):
                    continue
                for base in (0, 1):
                    shifted = [place - base for place in window]
                    if (
                        most
                        and min(shifted) >= 0
                        and max(shifted) < HIGHEST
                        and english().has_checksum(shifted)
                    ):
                        return True
        if told and context.PHRASE.search(text) and _looks_chosen(run):
            return False
    return None


def _looks_chosen(run: Sequence[int]) -> bool:
    """Whether a dozen numbers in a row are spread like places of a list, and no dates or amounts."""
    for first in range(len(run) - SHORTEST + 1):
        window = run[first : first + SHORTEST]
        if max(window) <= HIGHEST and sum(number > 100 for number in window) >= 9 and len(set(window)) >= 10:
            return True
    return False


def _han(text: str) -> bool | None:
    """Chinese lists have one character a word, often written without spaces; prose uses the same characters,
    so only a run of a phrase's exact length counts, and any twelve that stand apart."""
    runs = HAN.findall(text)
    if any(len(run) in LENGTHS and set(run) <= han() for run in runs):
        return False
    return False if sum(len(run) == 1 for run in runs) >= SHORTEST else None
