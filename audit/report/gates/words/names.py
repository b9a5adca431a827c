"""Names of people, places, companies and products: only those that the facts have, and the words of the field."""

import re
from collections.abc import Iterator, Set

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import word_set
from audit.report.gates.words import russian
from llm.chain import gates

# Written with a capital, or in Latin letters in a Russian text, and no name of anybody.
GLOSSARY = word_set(
    "guardlabs i i'm i'd i'll i've bitcoin ethereum crypto defi nft nfts dapp dapps web3 seed sim "
    "esim sms pin pins 2fa u2f totp otp "
    "fido passkey passkeys qr usb nfc wi-fi wifi vpn ip id ok ai ia kyc url pdf os pc tv internet permit web email "
    "e-mail "
    "dns ens sos atm monday tuesday wednesday thursday friday saturday sunday ledger phishing wallet token tokens "
    "dex cex dao p2p mail backup hardware exchange app apps "
    "фишинг биткоин эфириум интернет ии"
)
IN_A_STORY = GLOSSARY - {"ledger"}  # a story names nobody, not even whom the facts name
WORD = re.compile(r"(?<![\w-])[^\W\d_][\w'-]*")
LATIN = re.compile(r"(?<![\w-])[A-Za-z][\w'-]+")
SPEAKING = re.compile(
    r"\A([^\W\d_]+), (?:your|you|ты|тебе|твой|твоя|твои|тебя|можешь"
    r"|tu|tus|tienes|has|puedes|estás|eres|debes|deberías)\b",
    re.IGNORECASE,
)
ADVERBS = word_set(
    "today tomorrow now first then next later finally remember overall together yes no so still also "
    "afterwards meanwhile "
    "сегодня завтра сейчас сначала потом затем итак значит наконец вместе пока помни да нет hoy mañana ahora primero "
    "luego "
    "después así además entonces juntos recuerda sí no aquí finalmente"
)
AFTER_POINT = re.compile(r"(?:\A|[.!?…:;\"'«“„(¿¡–—/-]\s{0,2})\Z")


def only_given(given: Given) -> gates.Gate:
    """Rejects capitalised words within sentences, Latin words in a Russian text, and whoever is spoken to by name."""
    known = {word.lower() for word in re.findall(r"[\w'-]+", given.words)} | GLOSSARY

    def unknown(word: str, known: Set[str] = known) -> bool:
        parts = [word, *re.split(r"[-']", word)]
        return not any(part.lower().rstrip("s") in known or part.lower() in known for part in parts if part)

    def named(sentence: str) -> bool:
        """Whether a sentence of the story has a name, or a Latin word in Russian, that is no word of the field."""
        latin = LATIN.findall(sentence) if given.lang == "ru" else []
        inside = [
            match[0] for match in _capitals(sentence) if not AFTER_POINT.search(sentence[: match.start()])
        ]
        return any(unknown(word, IN_A_STORY) for word in (*latin, *inside))

    def gate(text: str) -> str | None:
        parts = [part for part in prose.read(text).parts if part.heading]
        if given.headings and parts and any(map(named, prose.told(parts[0].text))):
            return "a name in the story"
        for line in prose.read(text).lines:
            if any(
                unknown(match[0]) and (not AFTER_POINT.search(line[: match.start()]) or _odd(match[0]))
                for match in _capitals(line)
            ):
                return "a name that was not given"
            if given.lang == "ru" and any(unknown(word) for word in LATIN.findall(line)):
                return "a name that was not given"
            if given.lang == "ru" and any(
                unknown(match[0]) and russian.name(match[0]) for match in _capitals(line)
            ):
                return "a name that was not given"
            for sentence in prose.SENTENCE.split(line):
                if given.lang == "ru" and _foreign(sentence):
                    return "a sentence in another language"
                spoken = SPEAKING.match(sentence)
                if spoken and spoken[1].lower() not in ADVERBS | known:
                    return "somebody spoken to by name"
        return None

    return gate


def _foreign(sentence: str) -> bool:
    """Whether a sentence in Russian letters is none: a third of its words are in no dictionary (Bulgarian, Serbian)."""
    words = re.findall(r"[а-яё]{3,}", sentence.lower())
    return len(words) > 3 and 3 * sum(not russian.known(word) for word in words) > len(words)


def _capitals(line: str) -> Iterator[re.Match[str]]:
    return (match for match in WORD.finditer(line) if match[0][0].isupper())


def _odd(word: str) -> bool:
    """Whether a word has capitals inside, as products have."""
    return any(char.isupper() for char in word[1:]) and not word.isupper()
