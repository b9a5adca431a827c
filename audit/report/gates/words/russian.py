"""What Russian word forms tell: moods, persons and names, by the dictionary of pymorphy3 (about 15 MB, read once)."""

from functools import cache, lru_cache
from typing import Any

NAMES = {"Name", "Surn", "Patr", "Geox"}
SURE, ALL_BUT_SURE = 0.5, 0.9  # of the readings of a word


@cache
def _analyzer() -> Any:
    import pymorphy3  # type: ignore[import-untyped]  # a quarter of a second, only for Russian reports

    return pymorphy3.MorphAnalyzer(lang="ru")


@lru_cache(maxsize=20_000)
def _readings(word: str) -> tuple[Any, ...]:
    return tuple(_analyzer().parse(word))


def lemma(word: str) -> str:
    """The dictionary form of a word in its likeliest reading."""
    return str(_readings(word.lower())[0].normal_form)


def past(word: str) -> bool:
    return _share(word, lambda tag: "past" in tag and "VERB" in tag) > SURE


def infinitive(word: str) -> bool:
    return _share(word, lambda tag: "INFN" in tag) > SURE


def present(word: str) -> bool:
    """Whether a verb most likely tells what somebody does now: «читает»."""
    return _share(word, lambda tag: "VERB" in tag and "3per" in tag and "pres" in tag) > SURE


def known(word: str) -> bool:
    """Whether the dictionary has the word in any form."""
    return bool(_analyzer().word_is_known(word.lower()))


def spoken_to(word: str) -> bool:
    """Whether a verb most likely speaks to somebody: «проверь», «храните», «хранишь»."""
    return _share(word, lambda tag: "impr" in tag or ("VERB" in tag and "2per" in tag)) > SURE


def name(word: str) -> bool:
    """Whether a capitalised word is a person's or a place's name in all but the rarest of its readings."""
    return _share(word, lambda tag: bool(NAMES & set(tag.grammemes))) > ALL_BUT_SURE


def _share(word: str, test: Any) -> float:
    readings = _readings(word.lower().strip("-"))
    return float(sum(reading.score for reading in readings if test(reading.tag)))
