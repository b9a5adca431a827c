"""What a report's own words may say of the matter itself: what a thief does with it, and what nobody ever asks for.

Whatever is known of the reader, and whatever he should do, stands in slots. So a clause without one that is about a
secret, coins or a way in is rejected when it weighs options ("is a sensible spare", "should know"), says what the
reader does or has, or tells what has happened, unless it is about a thief or says what never to do.
"""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import FACT
from audit.report.gates.words import russian
from audit.report.gates.words.grammar import GRAMMARS, Grammar
from llm.chain import gates

HABIT = re.compile(r"(?<!\w)(?:rule|habit|правил|привычк|costumbre|regla)\w{0,3}(?!\w)", re.IGNORECASE)
IN_CASE = re.compile(r"(?<!\w)(?:in case|на случай|на всякий случай|por si)(?!\w).*", re.IGNORECASE)
SAYS_WHY = re.compile(
    rf",\s*(?:since|because|as|for|ведь|потому что|так как|поскольку|раз|porque|ya que|pues|como)\s+{FACT}",
    re.IGNORECASE,
)
YEAR = re.compile(r"(?:19|20)\d\d")
READER = re.compile(
    r"(?<!\w)(?:you\w*|ты|теб[яе]|тво\w{1,3}|tú|tus?|te|estás|eres|tienes|vas)(?!\w)", re.IGNORECASE
)
HARMLESS = prose.word_set(
    "доверять мочь знать видеть думать верить хотеть замечать читать понимать узнать увидеть понять"
)


def in_slots(given: Given) -> gates.Gate:
    """Rejects a text that recommends, reports of the reader, or tells of others, where only slots may."""
    rules = [nothing_recommended(given), nothing_known(given), nothing_told(given)]

    def gate(text: str) -> str | None:
        return next((reason for rule in rules if (reason := rule(text))), None)

    return gate


def nothing_recommended(given: Given) -> gates.Gate:
    """Rejects recommendations that are no imperatives: what is best, enough, or ought to be done with it."""
    grammar = GRAMMARS.get(given.lang)

    def gate(text: str) -> str | None:
        if grammar is None:
            return None
        read = prose.read(text)
        story = next((part for part in read.parts if part.heading), None)
        for part in read.parts:
            for line in prose.bare_lines(part.text):
                sentences = prose.SENTENCE.split(line)
                if any(_recommends(each, grammar, told=part is story) for each in sentences):
                    return "a recommendation in words of its own"
        return None

    return gate


def _recommends(sentence: str, grammar: Grammar, *, told: bool) -> bool:
    """Whether a sentence recommends; `told`: in the story, where what can be done is what a thief can do."""
    if FACT not in sentence and grammar.idea.search(sentence) and grammar.matter.search(sentence):
        return True
    return not told and any(
        FACT not in clause
        and grammar.matter.search(clause)
        and grammar.weighs.search(clause)
        and not (grammar.threat.search(clause) or grammar.refuses.search(clause) or HABIT.search(clause))
        for clause in (IN_CASE.sub("", each) for each in prose.clauses(sentence))
    )


def nothing_known(given: Given) -> gates.Gate:
    """Rejects what is said of the reader: what he does or has, who he is, and how he stands beside others."""
    grammar = GRAMMARS.get(given.lang)

    def gate(text: str) -> str | None:
        if grammar is None:
            return None
        for sentence in prose.read(text).sentences:
            if READER.search(sentence) and grammar.compared.search(sentence):
                return "the reader beside others"
            if grammar.person.search(sentence):
                return "something about the reader that nobody told"
            for clause in prose.clauses(SAYS_WHY.sub(FACT, sentence)):
                if FACT not in clause and (
                    _claims(clause, grammar, given.lang) or _owned(clause, grammar, given.lang)
                ):
                    return "something about the reader without a slot"
        return None

    return gate


def _claims(clause: str, grammar: Grammar, lang: str) -> bool:
    for match in grammar.claims.finditer(clause):
        rest = clause if lang == "ru" else clause[match.start() :]
        if grammar.supposed.search(clause[: match.start()][-40:]):
            continue
        if lang == "ru" and match[0].lower() == "ты" and not _said_of_reader(rest):
            continue
        if grammar.matter.search(rest) and not grammar.threat.search(rest):
            return True
    return False


def _owned(clause: str, grammar: Grammar, lang: str) -> bool:
    """Whether a clause says what became of something of the reader's: "your wallet came from a reseller"."""
    if not grammar.owned.search(clause) or not grammar.matter.search(clause) or grammar.threat.search(clause):
        return False
    if grammar.supposed.search(clause):
        return False
    return lang != "ru" or any(russian.past(word) or russian.undergone(word) for word in prose.words(clause))


def _said_of_reader(clause: str) -> bool:
    return any(
        russian.of_reader(word) and russian.lemma(word) not in HARMLESS for word in prose.words(clause)
    )


def nothing_told(given: Given) -> gates.Gate:
    """Rejects what has happened to others, but for what a slot of the same sentence tells."""
    grammar = GRAMMARS.get(given.lang)

    def gate(text: str) -> str | None:
        if grammar is None:
            return None
        for sentence in prose.read(text).sentences:
            if FACT in sentence or grammar.told_of.search(sentence):
                continue
            if YEAR.search(sentence) or grammar.refuses.search(sentence):
                continue
            if _happened(sentence, grammar, given.lang):
                return "something that happened, without a slot"
        return None

    return gate


def _happened(sentence: str, grammar: Grammar, lang: str) -> bool:
    someone = grammar.someone.search(sentence) is not None
    if lang != "ru":
        return someone and grammar.past.search(sentence) is not None
    words = prose.words(sentence)
    return any(map(russian.past, words)) and (someone or any(map(russian.actor, words)))
