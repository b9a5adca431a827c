"""Advice comes from the fixes: a report's own words order, link and time them, and give no steps of their own.

Read clause by clause. A clause is advice when it begins with a verb that tells the reader to do something, or when
one follows "you can", "it is enough to" and the like. Advice about a secret, about value, protection or a way in is
rejected unless the verb is harmless, or negated: before it ("never type") or behind it ("tell nobody").
"""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import FACT, word_set
from audit.report.gates.words import russian
from audit.report.gates.words.lexicon import TONGUES, Tongue
from llm.chain import gates

HARD = re.compile(r"[:;()\n]|\s[–—-]\s|[–—]")
ENCLITIC = re.compile(r"\w{2,}[aeií](?:me|nos|la|lo|las|los|le|les|sela|selo|noslas?|melas?)\Z")
# What a thief of the sentence before does: Spanish leaves "he" out, and "he copies" is also "copy".
NARRATED_ES = re.compile(
    r"\W*(?:luego |después |entonces |así |por último |al final |finalmente |primero )?(?:copia|lee|abre"
    r"|cambia|vacía|encuentra|entra|roba|mueve"
    r"|saca|descubre"
    r"|mira|revisa|usa|espera"
    r"|consigue|recibe|transfiere|envía|busca|pide|llama|restablece|convence|toma|llega|prueba|engaña"
    r"|desvía|instala)"
    r" (?!.*\b(?:nosotros|nuestr\w+|aquí|formulario|soporte)\b)",
    re.IGNORECASE,
)
NARRATES_ES = re.compile(r"(?:ría[ns]?|rán?|aba[ns]?)\Z")  # what would happen, or did
# An accent and a pronoun at the end: nothing but an imperative looks like «léelas».
TOLD_ES = re.compile(
    r"(?<!\w)[a-zñ]{0,8}[áéíóú][a-zñ]{0,5}[ae](?:las?|los?|melas?|selas?|noslas?)(?!\w)", re.IGNORECASE
)
GENTLE_ES = re.compile(
    r"guárd|déj|consérv|mantén|protég|cuíd|recuérd|repít|mír|revís|cuént|ház", re.IGNORECASE
)
NORMAL = re.compile(
    r"(?<!\w)(?:(?:is|'s) (?:perfectly |completely )?(?:normal|usual|standard|routine)"
    r"|это (?:\w+ )?(?:нормально|обычно|в порядке вещей)"
    r"|es (?:lo )?(?:normal|habitual|de rutina))(?!\w)",
    re.IGNORECASE,
)
TELLING = word_set("рассказать сообщить назвать сказать показать")
FINITE_ES = re.compile(
    r"(?<!\w)(?:es|lleva|cuesta|basta|requiere|resulta|sería|no|puede)(?!\w)", re.IGNORECASE
)
SO_ES = re.compile(r"(?<!\w)(?:así que|de modo que|por lo que)(?!\w)", re.IGNORECASE)
IMPERATIVE_ES = re.compile(r"\w{2,}[ae]\Z")
REACH = 60  # characters before a verb in which a word belongs to it


def by_reference(given: Given) -> gates.Gate:
    """Rejects steps in the report's own words that touch a secret, coins, protection or a way in; and requests."""
    tongue = TONGUES.get(given.lang)

    def gate(text: str) -> str | None:
        if tongue is None:
            return None
        for line in prose.read(text).lines:
            others = False  # whether a sentence before tells of somebody else
            for sentence in prose.SENTENCE.split(line):
                told = others and NARRATED_ES.match(sentence)
                if not told and _advises(sentence, tongue, given.lang):
                    return "a step in words of its own"
                others = others or (given.lang == "es" and tongue.others.search(sentence) is not None)
        return None

    return gate


def _advises(sentence: str, tongue: Tongue, lang: str) -> bool:
    if tongue.fine.search(sentence) and tongue.objects.search(sentence) and tongue.places.search(sentence):
        return True  # "it does no harm to leave it off"
    if NORMAL.search(sentence) and tongue.secrets.search(sentence) and not tongue.before.search(sentence):
        return True  # "may ask for the PIN, which is normal"
    plain = tongue.hedges.sub(" ", sentence)
    if lang == "es":
        plain = SO_ES.sub(",", plain)
    for stretch in HARD.split(plain):
        refused = about = False
        # Of the stretch, once: it may have as many clauses as characters.
        secret = tongue.secrets.search(stretch) is not None
        before = tongue.before.search(stretch) is not None
        for clause in filter(str.strip, re.split(r",|\"|«|»|“|”|\.\.\.|…", stretch)):
            own = tongue.objects.search(clause) is not None
            if tongue.but_us.search(clause) and (before or refused) and secret:
                return True
            verbs = _verbs(clause, tongue, lang)
            negated = [_negated(clause, start, end, tongue) for start, end, _ in verbs]
            carried = refused and bool(verbs) and verbs[0][0] <= len(clause) - len(clause.lstrip()) + 4
            misplaced = secret and tongue.places.search(clause) is not None
            if lang == "ru" and secret and _says(clause, verbs, negated):
                return True
            told = [gentle for (_start, _end, gentle), no in zip(verbs, negated, strict=True) if not no]
            sure = (
                own
                or (about and lang == "ru")
                or (about and any(tongue.harm.fullmatch(clause[start:end]) for start, end, _ in verbs))
            )
            if sure and not carried and told and (misplaced or not all(told)):
                return True
            if own and tongue.fine.search(clause) and not verbs:
                return True
            short = len(clause.split()) <= 3 and tongue.before.search(clause) is not None
            refused = short or (bool(negated) and all(negated)) or carried
            about = own
    return False


def _verbs(clause: str, tongue: Tongue, lang: str) -> list[tuple[int, int, bool]]:
    """Where a clause tells the reader to do something: start and end of each verb, and whether it is a gentle one."""
    if lang == "ru":
        return _russian_verbs(clause, tongue)
    found = []
    opening = _opening(clause, tongue, lang)
    if lang == "es":
        found += [
            (match.start(), match.end(), GENTLE_ES.match(match[0]) is not None)
            for match in TOLD_ES.finditer(clause)
        ]
    if opening:
        found.append(opening)
    led_in = not opening and _LEAD_IN.match(clause) is not None  # "During the trip turn the …"
    for match in tongue.harm.finditer(clause):
        following = clause[match.end() :].split()
        if (
            led_in
            and following
            and following[0].lower() in tongue.determiners
            and not tongue.others.search(clause)
        ):
            previous = clause[: match.start()].split()[-1:]
            if previous and previous[0].lower() not in _SUBJECTS:
                found.append((match.start(), match.end(), False))
                continue
        before = clause[max(0, match.start() - REACH) : match.start()]
        if opening and match.start() == opening[0]:
            continue
        last = before.split()[-1].lower() if before.split() else ""
        led = [
            each
            for each in tongue.may.finditer(before)
            if not before[each.end() :].strip(" '") or each.end() == len(before.rstrip())
        ]
        joined = last in {"and", "or", "y", "o", "then", "luego"} and opening is not None
        if not led and not joined:
            continue
        if (
            last in {"and", "or", "y", "o", "then", "luego", "before", "after", "now", "next", "first"}
            and not joined
        ):
            continue
        if tongue.others.search(before):
            continue
        if last in {"you", "we", "one"} and not tongue.places.search(clause):
            continue  # what the reader does, not what he is to do
        gentle = (
            match[0].lower() in {"keep", "leave", "use", "read", "tell", "put", "note", "turn"}
            and lang == "en"
        )
        found.append((match.start(), match.end(), gentle and not _harsh(match[0].lower(), clause, tongue)))
    return found


def _opening(clause: str, tongue: Tongue, lang: str) -> tuple[int, int, bool] | None:
    """The verb that a clause begins with, behind words such as "then" and "today"."""
    tokens = list(re.finditer(rf"[^\W\d_]+(?:['-][^\W\d_]+)*|{FACT}", clause))
    while tokens and tokens[0][0].lower() in tongue.fillers:
        tokens.pop(0)
    if not tokens:
        return None
    first, word = tokens[0], tokens[0][0].lower()
    following = tokens[1][0].lower() if len(tokens) > 1 else ""
    if lang == "es" and not NARRATES_ES.search(word):
        is_verb = bool(ENCLITIC.match(word)) or (
            bool(IMPERATIVE_ES.match(word) or tongue.harm.fullmatch(word))
            and (
                following in tongue.determiners
                or (following == "en" and word in tongue.gentle)
                or following == FACT
                or tongue.harm.fullmatch(word) is not None
            )
        )
        if word.endswith(("ar", "er", "ir")) and FINITE_ES.search(clause):
            is_verb = False  # "copying the words takes seconds"
        if word in tongue.determiners or word in _NO_VERBS_ES or tongue.objects.fullmatch(word):
            is_verb = False
    elif lang == "es":
        is_verb = False
    else:
        known = tongue.harm.fullmatch(word) is not None and not word.endswith("ing")
        is_verb = known or (following in tongue.determiners and not word.endswith(("s", "ing", "ed", "ly")))
        is_verb = is_verb and word not in _NO_VERBS
        if word.endswith("ing") and tongue.harm.fullmatch(word):
            is_verb = True
    if not is_verb:
        return None
    gentle = word in tongue.gentle and not _harsh(word, clause, tongue)
    return first.start(), first.end(), gentle


_NO_VERBS = word_set(
    "with in on at by from for of to as if when while because since although though that this these "
    "those which who what "
    "where how why whether than like without within under over between through during until against about into onto "
    "is are was were be been being has have had does did will would can could may might shall should must not all both "
    "half even not such what behind beside near per via and or but nor yet it he she they we you i one so"
)

_NO_VERBS_ES = word_set(
    "porque que donde aunque entre sobre desde durante hasta para contra mientras nada otra una "
    "esa ella ante siempre parte gente "
    "noche tarde bajo mediante excepto menos antes cuando como quien cualquiera nadie algo adonde tras media fuera "
    "cerca dentro "
    "encima ahora nunca casi tanta mucha poca toda misma propia cosa persona ese este le se de fue era sea puede "
    "debe tiene viene "
    "hace va está darte"
)


_LEAD_IN = re.compile(
    r"\W*(?:during|on|in|at|before|after|until|for|durante|en|antes|después|para|por|con|al|hasta)\b", re.I
)
_SUBJECTS = word_set(
    "you we it to that who which and or a an the your no not se te lo la le que quien me nos y o un una el tu no"
)
_SPEAKING = word_set(
    "read tell give say write open call ask di lee da escribe pide дать попросить прочитать читать сказать говорить"
)


def _says(clause: str, verbs: list[tuple[int, int, bool]], negated: list[bool]) -> bool:
    """Whether a clause tells the reader to tell something; what it is may stand in the next one."""
    return any(
        not no and russian.lemma(clause[start:end]) in TELLING
        for (start, end, _), no in zip(verbs, negated, strict=True)
    )


def _harsh(word: str, clause: str, tongue: Tongue) -> bool:
    """Whether a verb that is harmless in most clauses gives a secret away in this one."""
    return word in _SPEAKING and tongue.secrets.search(clause) is not None


def _russian_verbs(clause: str, tongue: Tongue) -> list[tuple[int, int, bool]]:
    found = []
    advised = tongue.may.search(clause) is not None
    for match in prose.WORD.finditer(clause):
        word = match[0]
        told = russian.imperative(word)
        if not told and not (advised and russian.infinitive(word) and tongue.harm.fullmatch(word)):
            continue
        if tongue.others.search(clause[: match.start()]) or russian.lemma(word) in {
            "давать",
            "пусть",
            "скажем",
        }:
            continue
        lemma = russian.lemma(word)
        gentle = told and lemma in tongue.gentle and not _harsh(lemma, clause, tongue)
        found.append((match.start(), match.end(), gentle))
    return found


def _negated(clause: str, start: int, end: int, tongue: Tongue) -> bool:
    """Whether a "never" stands before the verb, or a "nobody" behind it."""
    before = clause[max(0, start - REACH) : start]
    return tongue.before.search(before) is not None or tongue.after.search(clause[end:]) is not None
