"""What Russian word forms tell: moods, persons and names, by the dictionary of pymorphy3 (about 15 MB, read once)."""

from functools import cache, lru_cache
from typing import Any

NAMES = {"Name", "Surn", "Patr", "Geox"}
SPOKEN_TO = {"2per", "excl"}  # excl: an imperative that leaves the speaker out
SURE = 0.5  # of the readings of a word


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


def imperative(word: str) -> bool:
    """Whether a word most likely tells somebody to do something: «проверь», «проверьте»."""
    return _share(word, lambda tag: "impr" in tag) > SURE


def infinitive(word: str) -> bool:
    return _share(word, lambda tag: "INFN" in tag) > SURE


def past(word: str) -> bool:
    return _share(word, lambda tag: "past" in tag and "VERB" in tag) > SURE


def of_reader(word: str) -> bool:
    """Whether a verb says what the reader does or did: «хранишь», «проверял»; not what he may or will do."""
    return (
        _share(word, lambda tag: "VERB" in tag and ("past" in tag or ("pres" in tag and "2per" in tag)))
        > SURE
    )


def undergone(word: str) -> bool:
    """Whether a word is a short passive participle: «куплен», «настроена»."""
    return _share(word, lambda tag: "PRTS" in tag) > SURE


def known(word: str) -> bool:
    """Whether the dictionary has the word in any form."""
    return bool(_analyzer().word_is_known(word.lower()))


def actor(word: str) -> bool:
    """Whether a noun may be somebody who acts: «учительница», not «учительницу»."""
    return _share(word, lambda tag: "NOUN" in tag and "anim" in tag and "nomn" in tag) > SURE


def formal(word: str) -> bool:
    """Whether a verb speaks to a person whom one calls «Вы»: «проверьте», «храните»."""
    return (
        _share(word, lambda tag: "VERB" in tag and "plur" in tag and bool(SPOKEN_TO & set(tag.grammemes)))
        > SURE
    )


def name(word: str) -> bool:
    """Whether a capitalised word is a person's or a place's name in most of its readings."""
    return _share(word, lambda tag: bool(NAMES & set(tag.grammemes))) > SURE


def _share(word: str, test: Any) -> float:
    readings = _readings(word.lower().strip("-"))
    return float(sum(reading.score for reading in readings if test(reading.tag)))
