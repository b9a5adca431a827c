"""A report is prose with slots: nothing of the machinery around it, no code, no tags, no echo of what was asked."""

import re
import unicodedata

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.text.slots import SLOT
from llm.chain import gates

ALLOWED = set(" \n\t.,;:!?…'\"«»“”„‘’()-–—−*#>&+/%·•→×" + prose.FACT + "¿¡№")
LETTERS = {"L", "N", "M", "S"}  # letters, digits, accents; pictures such as ✅ are symbols
SYMBOLS = set("<>{}[]|`=~^\\@$€£_")
EMPHASIS = re.compile(r"(?<!\w)_{1,2}(?=\w)|(?<=[\w.!?…])_{1,2}(?!\w)")
ECHO_WORDS = 7
# Talk about the task instead of the matter: what a text has that obeys words in the facts, or thinks aloud.
TALK = re.compile(
    r"(?<!\w)(?:(?:previous|above|earlier|system|prior|all) (?:instructions?|rules|prompts?)|as instructed"
    r"|as requested|the user (?:wants|asks|asked|needs)"
    r"|here is (?:the|your) report|(?:предыдущ|прежн)\w+ (?:инструкц|правил)\w*|инструкци\w (?:выполнен"
    r"|принят)\w*"
    r"|пользовател\w+ (?:просит|хочет)|вот (?:твой|запрошенный) отч[её]т"
    r"|instrucciones (?:anteriores|previas|recibidas)|(?:el|la) usuari[oa] (?:quiere|pide)|aquí (?:tienes"
    r"|está) (?:el|tu) informe|rules above|pwned"
    # of the text itself, which has nothing to say of itself
    r"|(?:this|the|your|my) (?:report|summary|overview|document|response|answer (?:above|below))"
    r"|in line with (?:\w+ )?(?:polic(?:y|ies)|guidelines|rules)|в соответствии с (?:правил|политик"
    r"|требовани)\w{1,3}|по (?:правилам|политике) (?:о )?(?:содержани|контент)\w{0,2}"
    r"|por (?:las )?(?:normas|políticas?|directrices) de|placeholders?|word (?:limit|count)s?|markdown|prompts?"
    r"|i(?:'ve| have) (?:\w+ )?(?:kept|used|written|followed|included|left|tried|avoided|linked|made"
    r"|(?:ever )?seen)|мне (?:по)?попада\w+|he visto|(?:этот|этого|этом|этому|этим|данн\w{2,3}"
    r"|тво[йем]\w{0,2}) (?:отч[её]т|обзор|текст"
    r"|документ|резюме)\w{0,2}|(?:предоставить|дать|раскрыть|описать) (?:\w+ )?(?:не могу|нельзя"
    r"|невозможно)|не могу (?:предоставить|дать|раскрыть)|заполнител\w{1,3}|плейсхолдер\w{0,2}|(?:лимит"
    r"|количеств|объ[её]м)\w? слов"
    r"|промпт\w{0,2}|разметк\w"
    r"|(?:este|el presente|tu) (?:informe|resumen|texto|documento)|marcador(?:es)? de posición"
    r"|cada marcador|límite de palabras|(?:scope|remit) of|(?:рамк|предел)\w{1,2} (?:этого|данного|обзора)"
    r"|alcance de est[ea]|he (?:respetado|usado|incluido|seguido|evitado|escrito))(?!\w)",
    re.IGNORECASE,
)


def only_prose(given: Given) -> gates.Gate:
    """Rejects anything before the first heading, code, tags, braces that are no slot, and words of the instructions."""
    echo = _runs(given.rules)
    names = sorted(
        re.findall(r"(?<!\w)\w{1,40}\{\w{1,40}\}", given.words), key=len, reverse=True
    )  # Safe{Wallet}

    def gate(text: str) -> str | None:
        read = prose.read(text)
        if given.headings and read.parts[0].text.strip():
            return "words before the first heading"
        bare = SLOT.sub(prose.FACT, read.raw)
        for name in names:
            bare = bare.replace(name, prose.FACT)
        bare = EMPHASIS.sub("", re.sub(r"^> ?", "", bare, flags=re.MULTILINE))
        if any(not _is_prose(char) for char in set(bare)):
            return "code or markup"
        if TALK.search(" ".join(read.lines)):
            return "words about the task"
        return "words of the instructions" if echo & _runs(" ".join(read.lines)) else None

    return gate


def _is_prose(char: str) -> bool:
    if char in ALLOWED:
        return char != ">"
    return char not in SYMBOLS and unicodedata.category(char)[0] in LETTERS


def _runs(text: str) -> set[tuple[str, ...]]:
    found = [word.lower() for word in prose.words(text)]
    return {tuple(found[n : n + ECHO_WORDS]) for n in range(len(found) - ECHO_WORDS + 1)}
