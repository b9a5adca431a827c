"""What Russian word forms tell: moods, persons and names, by the dictionary of pymorphy3 (about 15 MB, read once)."""

from functools import cache, lru_cache
from typing import Any

from audit.report.gates.prose import word_set

NAMES = {"Name", "Surn", "Patr", "Geox"}
SURE, ALL_BUT_SURE = 0.5, 0.9  # of the readings of a word
# Comparatives that tell how something is done, and judge nothing.
OF_COURSE = word_set(
    "дальше раньше позже больше меньше тише чаще реже дольше ниже выше глубже ближе быстрее скорее шире "
    "громче длиннее ценнее богаче смелее наглее увереннее темнее теплее тяжелее полнее живее "
    "короче старше моложе новее свежее более менее далее медленнее крупнее мельче поменьше побольше "
    "поближе подальше "
    "попроще поскорее пораньше попозже ранее скорей быстрей крупнейший ближайший дальнейший мельчайший "
    "новейший"
)

# Who may act beside the thief: those whom he deceives or hires, his tools, and animals that he is likened to.
PEOPLE = word_set(
    "вор провайдер симулятор обозреватель жертва админ стажёр новичок "
    "ловец "
    "злоумышленник мошенник преступник взломщик чужак незнакомец сотрудник оператор продавец кассир "
    "консультант "
    "менеджер работник служащий клиент абонент владелец хозяин получатель отправитель адресат автор "
    "разработчик издатель "
    "программист агент модератор администратор собеседник курьер почтальон приятель знакомый напарник "
    "сообщник подельник "
    "помощник скупщик покупатель подборщик посредник поставщик партнёр сотрудница девушка парень "
    "продавщица мужчина женщина хозяйка секретарь друг коллега сосед человек техник мастер охранник сторож "
    "подписчик участник посетитель двойник близнец адрес-близнец робот бот токен троян червь вирус шпион "
    "загрузчик попутчик "
    "паразит гость призрак кот кошка мышь мышка рыбак рыба паук волк лиса хищник зверь птица собака ферма "
    "видеоредактор"
)


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


def compares(word: str) -> bool:
    """Whether a word most likely ranks one thing above another: «спокойнее», «надёжнейший»."""
    return word.lower() not in OF_COURSE and _share(word, lambda tag: "COMP" in tag or "Supr" in tag) > SURE


def another(word: str) -> bool:
    """Whether a word most likely names, somebody who has no part in a theft: «полиция», «эксперты»."""
    acts = _share(word, lambda tag: "NOUN" in tag and "anim" in tag) > SURE
    return acts and known(word) and lemma(word) not in PEOPLE


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
