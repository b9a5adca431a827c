"""The story's voice: every sentence tells what a thief does, here and now, and says nothing to the reader or of him.

What a model could get wrong needs another voice: advice speaks to the reader, a promise tells of the future or says
what will not happen, an invented theft tells of the past, an advert and a grade judge. Each of these is told by words
of closed classes. What is left is a thief at work.
"""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import FACT
from audit.report.gates.words import elsewhere, russian
from audit.report.gates.words.voice import Voice
from audit.report.gates.words.voices import VOICES
from llm.chain import gates

MOST_WORDS = 45  # of a sentence
MARKS = re.compile(r"[()\[\]!?¿¡/&+%·•→×\"]|\.\.\.|…")
QUOTES = re.compile(r"[«»“”„]")
CLAUSE = re.compile(r"[,:;–—]|\s-\s|(?<!\w)(?:so|then|but)(?!\w)", re.IGNORECASE)
YOUR = {
    "en": re.compile(r"(?<!\w)your(?!\w)", re.IGNORECASE),
    "es": re.compile(r"(?<!\w)tus?(?!\w)", re.IGNORECASE),
    "ru": re.compile(r"(?<!\w)тво(?:й|я|[её]|и|его|ей|ему|ю|их|им|ими|[её]м)(?!\w)", re.IGNORECASE),
}
# "sends you", "calls you": the reader as the one to whom it is done, when nothing follows that he is to do
TO_READER = re.compile(
    r"(?<!\w)(?:sends|shows|calls|writes(?: to)?|lures|tricks|contacts|reaches|messages|hands|waits for"
    r"|studies"
    r"|follows|leads) you(?= (?:a|an|the|on|in|at|by|with|from|through|as|for|into|onto|under|during|one"
    r"|his|and)"
    r"(?!\w)|[,.])",
    re.IGNORECASE,
)
ARTICLES_ES = prose.word_set(
    "media todo toda todos todas dos tres el la los las un una este esta ese esa cada su sus eso esto "
    "otro otra"
)
OF_IT = re.compile(r"\W*(?:they|it|its|se|es|son|está|están|они|она|оно|её|их)(?!\w)", re.IGNORECASE)
TO_HIM = re.compile(r"(?<!\w)([a-z]+) him(?!\w)", re.IGNORECASE)
# What may stand before "him": where to, and what those who are deceived and the thief's tools do for him.
_HELPS = (
    "give bring hand send show tell open let take lead put cost reach get offer lend grant sell believe "
    "pay call greet "
    "thank ask wish pass carry guide point earn buy help owe connect answer invite follow trust make walk "
    "read serve wait "
    "feed deliver win teach land move forward transfer issue supply leave mail text approve notify "
    "promise assign "
    "switch need interest ping alert save drop spare_time rush reward welcome admit accept allow verify "
    "recognize "
    "recognise remind slip slide throw assure do want know see inform transport transfers email wake "
    "surprise amuse please delight suit fit escort drive warn nudge join "
    "hire meet encourage cheer tempt direct"
)
HELPS = prose.word_set(
    "to for behind before from with of at by on in around through past under over near after against into "
    "onto beside "
    "between toward towards without like about and that than inside upon above below beyond gave brought "
    "handed sent "
    "across reaches passes teaches watches pushes push touches touch catches carries tries replies "
    "supplies searches " + " ".join(f"{verb} {verb}s" for verb in _HELPS.split())
)
MOST_ALONE = 2  # sentences of a story without a thief
# "Night after night", "paso a paso", "Back at his desk", before the one who acts.
OPENING = re.compile(
    r"(\w{1,12}) (?:by|after|to|a|por|tras|y otr[ao]) \1(?!\w)|back (?:at|in|on|home|from)(?!\w)",
    re.IGNORECASE,
)
NEXT = 2  # words behind "your" among which its noun is
# Behind a comma, a verb with its object and nobody in front tells the reader to do it.
TOLD = re.compile(
    r"\A\W*(?:(?:and|so|then|but|now|just|simply|first|always|better)\W+)*(?P<verb>[a-z]+) "
    r"(?:the|a|an|this|that|these|those|it|them|all|every|each|one|your|on|off|in|into|to|from|with"
    r"|about)(?!\w)",
    re.IGNORECASE,
)
TOLD_ES = re.compile(
    r"\A\W*(?!(?:hasta|para|entre|sobre|ante|durante|contra|cada|esta|donde|mediante|fuera|hacia|tras"
    r"|desde|cerca)\b)"
    r"(?:(?:y|pero|luego|entonces|ahora|así que|simplemente|solo|primero|siempre)\W+)*[a-zñáéíóú]{2,}[ae] "
    r"(?:el|la|los|las|lo|un|una|este|esta|esto|estas|estos|ese|esa|eso|tus?|sus?|todo|toda|todas|todos"
    r"|cada|en|a|con"
    r"|ahí|aquí|allí)(?!\w)",
    re.IGNORECASE,
)
ACTS_ES = re.compile(
    r"(?<!\w)(?:ladr\w+|él|ellos|atacantes?|delincuentes?|estafador\w*|intrusos?|quien|que)(?!\w)",
    re.IGNORECASE,
)
NO_VERB = prose.word_set(
    "because since as while when where which who what that with within in on at by from for of to into "
    "inside behind "
    "over under after before between through until about and or but then so there here he she they it "
    "this the a an "
    "his their thief once all each both half only even just up down out off back along across near like "
    "than one part "
    "access control somebody someone nobody everything something"
)


def of_a_thief(given: Given) -> gates.Gate:
    """Rejects a story with a sentence that is not about what a thief does now. Says which, counted from 1, and why."""
    voice = VOICES.get(given.lang)

    def gate(text: str) -> str | None:
        parts = [part for part in prose.read(text).parts if part.heading]
        if voice is None or not parts:
            return None
        told = prose.told(parts[0].text)
        for place, sentence in enumerate(told, start=1):
            if why := _wrong(sentence, voice, given):
                return f"sentence {place} of the story {why}"
        alone = [place for place, sentence in enumerate(told, start=1) if not _has_thief(sentence, voice)]
        return (
            f"sentence {alone[MOST_ALONE]} of the story names no thief" if len(alone) > MOST_ALONE else None
        )

    return gate


def _wrong(sentence: str, voice: Voice, given: Given) -> str | None:
    found = prose.words(sentence)
    if len(found) > MOST_WORDS:
        return "is too long"
    if MARKS.search(_without_asides(sentence)) or QUOTES.search(sentence):
        return "has marks that belong to another text"
    if _tells_private(sentence, voice, given.lang):
        return "says of the reader what no slot says"
    plain = TO_READER.sub(" ", voice.harmless.sub(" ", sentence))
    for why, pattern in voice.never.items():
        if pattern.search(plain):
            return why
    if given.planned:
        for why, pattern in voice.where_weak.items():
            if pattern.search(plain):
                return why
        if given.lang == "en" and _held_up(plain):
            return "lets the thief give up"
        reasons = [plain[match.end() :].split(",")[0] for match in voice.why.finditer(plain)]
        if any(
            FACT not in each and not voice.thief.search(each) and not OF_IT.match(each) for each in reasons
        ):
            return "gives a reason of its own"
    elif elsewhere.takes(sentence, given.lang):
        return "takes what no weakness gives away"
    if given.lang == "ru" and (wrong := _russian(plain)):
        return wrong
    if elsewhere.named(sentence, given.lang):
        return "leaves the thief's world"
    if elsewhere.acts_otherwise(sentence, given.lang):
        return "tells what others do"
    if not _has_thief(sentence, voice) and _lame(plain, voice, given.lang):
        return "names no thief"
    if given.lang == "ru":
        return None
    if not _starts(plain, voice, given.lang):
        return "begins otherwise than with the thief"
    return "tells the reader to do something" if _told(plain, given.lang) else None


def _held_up(sentence: str) -> bool:
    """Whether somebody or something does to the thief what no helper does: "stops him", "keeps him waiting"."""
    return any(match[1].lower() not in HELPS for match in TO_HIM.finditer(sentence))


def _has_thief(sentence: str, voice: Voice) -> bool:
    return FACT in sentence or voice.thief.search(sentence) is not None


def _lame(sentence: str, voice: Voice, lang: str) -> bool:
    """Whether a sentence without a thief does not tell what his tools do now."""
    if voice.lame.search(sentence):
        return True
    found = prose.words(sentence)
    if lang == "ru":
        return any(map(russian.infinitive, found)) or not any(map(russian.present, found))
    return lang == "es" and found[:1] != [] and found[0].lower() not in ARTICLES_ES


def _without_asides(sentence: str) -> str:
    """The sentence without slots in brackets or behind a dash or a colon."""
    return re.sub(rf"\(\s*{FACT}\s*\)|[:–—-]\s*{FACT}", FACT, sentence)


def _tells_private(sentence: str, voice: Voice, lang: str) -> bool:
    """Whether something stands behind "your" that thieves are not after."""
    for match in YOUR[lang].finditer(sentence):
        following = [word.lower() for word in prose.words(sentence[match.end() :])[:NEXT]]
        if lang == "ru":
            following = [russian.lemma(word) for word in following]
        if voice.private.intersection(following):
            return True
    return False


def _starts(sentence: str, voice: Voice, lang: str) -> bool:
    """Whether a sentence begins as a statement does: with a word of a closed class, behind an adverb with another."""
    tokens = [word.lower() for word in re.findall(rf"{FACT}|[^\W\d_]+(?:['-][^\W\d_]+)*", sentence)]
    while tokens and tokens[0] in voice.adverbs:
        tokens.pop(0)
    if not tokens:
        return False
    if OPENING.match(" ".join(tokens)):
        return True
    first = tokens[0]
    behind = sentence.partition(",")[2].split()[:3]
    if len(sentence.partition(",")[0].split()) <= (2, 4)[first.endswith("ed")] and any(
        voice.thief.fullmatch(word) for word in behind
    ):
        return True  # "Encouraged, the thief digs"
    if first == FACT or first in voice.starts or voice.thief.fullmatch(first) is not None:
        return True
    if lang == "en" and tokens[1:] and re.search(r"[a-z]{2}[^s']s\Z|\A(?:is|are|has)\Z", tokens[1]):
        return True  # "Time works for him"
    if lang == "en":
        return re.search(r"(?:ing|ly|[^s]s)\Z", first) is not None
    return re.search(r"(?:ndo|mente)\Z", first) is not None


def _told(sentence: str, lang: str) -> bool:
    """Whether a clause behind a comma begins with a verb that nobody before it can be doing."""
    for cut in CLAUSE.finditer(sentence):
        before, clause = sentence[: cut.start()], sentence[cut.end() :]
        if lang == "es":
            acts = ACTS_ES.search(before) or (
                prose.words(before)[:1] and prose.words(before)[0].lower() in ARTICLES_ES
            )
            if TOLD_ES.match(clause) and not acts:
                return True
            continue
        told = TOLD.match(clause)
        verb = told["verb"].lower() if told else "that"
        if verb not in NO_VERB and not verb.endswith(("s", "ing", "ed", "ly")):
            return True
    return False


def _russian(sentence: str) -> str | None:
    found = prose.words(sentence)
    if any(russian.spoken_to(word) for word in found):
        return "speaks to the reader"
    if any(map(russian.compares, found)):
        return "compares"
    if any(russian.past(word) for word in found) and not any(russian.present(word) for word in found):
        return "tells of the past"
    return "tells of others" if any(map(russian.another, found)) else None
