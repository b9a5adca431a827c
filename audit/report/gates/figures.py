"""Figures, dates and sums belong to the slots: a report's own words count steps and weeks, and nothing else."""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import FACT
from llm.chain import gates

SMALL = 12  # up to here a number counts things; beyond it is a fact
WHOLE_TEXT = {12, 24, 25}  # the words of a seed phrase, the passphrase
DAYS = {30, 60, 90, 100, 180}  # until the next look
_SMALL_WORDS = (
    r"zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|ноль|один|два|три|четыре|пять"
    r"|шесть|семь|восемь"
    r"|девять|десять|одиннадцать|двенадцать|cero|un|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez"
    r"|once|doce"
)
_BIG_WORDS = (
    # thirteen … a billion
    r"thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty"
    r"|ninety)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|millions?|billions?"
    r"|(?!одиннадцат|двенадцат)\w{2,9}надцат\w{1,3}|двадцат\w{1,3}|тридцат\w{1,3}|сорок[а]?|пятьдесят"
    r"|шестьдесят|семьдесят|восемьдесят|девяност[оа]"
    r"|(?:пяти|шести|семи|восьми)десяти|сорока|девяноста|двести|триста|\w{3,6}сот|миллион\w{0,3}"
    r"|миллиард\w{0,3}|млн|млрд"
    r"|trece|catorce|quince|dieci\w{4,6}|veint\w{1,8}|(?:treinta|cuarenta|cincuenta|sesenta|setenta"
    r"|ochenta|noventa)"
    r"|\w{3,6}cient[oa]s|mill[oó]n(?:es)?"
    # hundreds and thousands only when they are counted
    rf"|(?:{_SMALL_WORDS}|several|a few|несколько|varios|varias) (?:hundred|thousand|сотен|сотни|тысяч\w?"
    rf"|mil|cientos)"
)
# A share of people, thefts or money is a figure as well, and so is a decade of points.
SHARE = re.compile(
    r"(?<!\w)(?:(?:a|one|two|roughly|about|nearly|almost|over) (?:third|quarter|fifth|tenth)s?(?! time)"
    r"|half of (?:all|what (?:he|she|they|people)|his|their|those|every\w+|the (?:thefts|victims|cases"
    r"|losses|attacks))"
    r"|(?:most|the majority|the bulk|many) (?:of )?(?:all )?(?:thefts|attacks|cases|incidents)|(?:one|two"
    r"|three|four|nine|eight|seven) (?:in|out of)"
    r" (?:two|three|four|five|ten|every)|(?:thir|for|fif|six|seven|eigh|nine|twen)ties|(?:has"
    r"|have) (?:doubled|tripled|risen|grown)|twice as (?:likely"
    r"|often|many)|(?:two|three|ten|five)(?:fold| times)"
    r" (?:as|more|less|safer|likelier)"
    r"|(?:треть|трети|четверть|четверти|пят\w{2}|десят\w{2}) (?:всех |таких |подобных )?(?:краж|атак"
    r"|людей|случа\w{1,3}|потер\w|взломов|жертв|пользовател\w{1,3}|владельцев)"
    r"|(?:половин\w{1,2}|большинств\w{1,2}) (?:всех |таких |подобных )?(?:краж|атак|случаев|потерь"
    r"|взломов|жертв|инцидентов)|теря\w{2,4} половину"
    r"|(?:кажд\w{2,3}) (?:втор|треть|четв[её]рт|пят|десят)\w{2,3}|(?:вдвое|втрое|в (?:два|три|пять"
    r"|десять) раза?) (?:чаще|больше|реже|безопаснее|меньше)"
    r"|(?:un|dos) (?:tercio|cuarto|quinto|décimo)s? de|la mitad de (?:los|las|todos|todas|lo que)"
    r"|perder la mitad|la mayoría de (?:los robos|los ataques|los casos|las víctimas)"
    r"|(?:uno|una|dos|tres|nueve|ocho) de cada|el doble de|multiplicad\w+ por|(?:dos|tres"
    r"|diez) veces más)(?!\w)",
    re.IGNORECASE,
)
BIG = re.compile(rf"(?<!\w)(?:{_BIG_WORDS})(?!\w)", re.IGNORECASE)
_UNITS = (
    r"[$€£₽]|usdt?|dollars?|bucks|euros?|bitcoins?|btc|eth|ether|coins|sats|percent|per cent|%"
    r"|доллар\w{0,3}|евро|рубл\w{1,3}|биткоин\w{0,3}|эфир\w{0,2}|монет\w{0,2}|процент\w{0,3}"
    r"|dólares|pesos|monedas|por ciento"
)
SUM = re.compile(
    rf"[$€£₽]|%|(?<!\w)(?:\d[\d.,]{{0,12}}|{_SMALL_WORDS}) (?:and a half )?(?:{_UNITS})(?!\w)", re.IGNORECASE
)
_SCORES = (
    r"scores?|(?<!starting )(?<!weak )points(?! (?:in|to|at|out|of (?:view|entry)|towards?)(?!\w))"
    r"|балл\w{0,3}|очк\w{1,3}|puntos?(?! (?:débil|flaco|ciego|crítico|fuerte|de (?:partida|entrada"
    r"|vista)))|puntuación|puntaje|nota"
)
SCORE = re.compile(rf"(?<!\w)(?:{_SCORES})(?!\w)", re.IGNORECASE)
NUMBER_WORD = re.compile(rf"(?<!\w)(?:{_SMALL_WORDS})(?!\w)", re.IGNORECASE)
TIMES = re.compile(
    rf"(?<!\w)(?:{_SMALL_WORDS}|\d{{1,2}}) (?:days?|weeks?|months?|evenings?|дн\w{{1,3}}|недел\w{{1,2}}"
    rf"|месяц\w{{0,3}}|вечер\w{{0,2}}"
    r"|d[ií]as?|semanas?|mes(?:es)?|tardes?)(?!\w)",
    re.IGNORECASE,
)
NOT_COUNTS = {"un", "uno", "one", "один", "once"}  # also articles, and an English adverb
DIGITS = re.compile(r"(?<![\w.,])\d(?:[\d.,  ]{0,14}\d)?(?!\w)")
YEAR = re.compile(r"(?:19|20)\d\d")
VAGUE_YEAR = re.compile(
    r"(?:(?:mid|early|late)-|(?:mid|early|late|since|середин\w|начал\w|конц\w|mediados de|principios de"
    r"|finales de) )"
    r"(?:the |of )?\Z|(?:19|20)\d\d ?[-–—/] ?\Z",
    re.IGNORECASE,
)
VAGUE = re.compile(r"(?:19|20)\d\d")
RANGE = re.compile(r"\A ?[-–—/] ?(?:19|20)\d\d")
WORDS_AFTER = re.compile(
    r"\A[ -](?:secret |recovery |backup )?(?:words?|слов\w{0,2}|palabras?)\b", re.IGNORECASE
)
DAYS_AFTER = re.compile(r"\A[ -](?:days?|minutes? or|дн\w{1,3}|день|días?)(?!\w)", re.IGNORECASE)
HALF_HOUR = re.compile(r"\A[ -](?:minutes?|min|минут\w?|минуты?|minutos?)(?!\w)", re.IGNORECASE)
_MONTHS = (
    r"(?i:january|february|april|june|july|september|october|november|december)|(?-i:March|May|August)"
    r"|(?i:январ|феврал|апрел|июн|июл|август|сентябр|октябр|ноябр|декабр)(?i:[ьяеюём]{1,3}|)"
    r"|(?i:март[аеу]?|ма[йяею])"
    r"|(?i:enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre)"
)
MONTH = re.compile(rf"(?<!\w)(?:{_MONTHS})(?!\w)")
TOKEN = re.compile(r"[\w-]++")
PRODUCT = re.compile(r"(?<!\w)[A-ZА-ЯЁ]\w{1,20}(?: [A-ZА-ЯЁ]\w{1,20})? \d{1,2}(?!\d)")
ORDINAL = re.compile(r"\d{1,2}-?(?:st|nd|rd|th|го|й|я|е|х|ю|м|[оаыя])|u?2fa", re.IGNORECASE)
CLOCK = re.compile(r"(?<!\d)\d{1,2}:\d\d(?!\d)")


def only_counts(given: Given) -> gates.Gate:
    """Rejects scores, sums, shares, dates, times and every number above twelve in a report's own words.

    Names that hold a figure (2FA, Trezor Safe 3) pass where they were given, and so do a year that one of the given
    cases has or that is only hinted at ("mid-2025"), the words of a seed phrase, and the days until the next look.
    """
    named = {word for word in TOKEN.findall(given.words) if _mixed(word)}
    products = PRODUCT.findall(given.words)
    years = {year for facts in given.cases.values() for year in YEAR.findall(facts)}

    def gate(text: str) -> str | None:
        for line in prose.read(text).lines:
            for product in products:
                line = line.replace(product, FACT)
            if MONTH.search(line) or CLOCK.search(line):
                return "a date"
            if SUM.search(line) or any(
                SHARE.search(each) and not VAGUE.search(each) for each in prose.SENTENCE.split(line)
            ):
                return "a sum or a share"
            for sentence in prose.SENTENCE.split(line):
                if (SCORE.search(sentence) and _counts(sentence)) or any(
                    not WORDS_AFTER.match(sentence[match.end() :])
                    and not DAYS_AFTER.match(sentence[match.end() :])
                    for match in BIG.finditer(sentence)
                ):
                    return "a figure in words"
            if any(_is_fact(match, line, years) for match in DIGITS.finditer(line)):
                return "a figure"
            if any(
                _mixed(part) and not {part, word} & named and not ORDINAL.fullmatch(part)
                for word in TOKEN.findall(line)
                for part in word.split("-")
            ):
                return "a name or figure that was not given"
        return None

    return gate


def _counts(sentence: str) -> bool:
    """Whether a number stands in a sentence about the score, but for "of 100" behind the slot."""
    bare = re.sub(rf"{FACT}\W{{0,3}}(?:(?:out )?of|из|de|sobre|/)\s?100", FACT, sentence)
    bare = TIMES.sub(" ", bare)
    found = [word.lower() for word in NUMBER_WORD.findall(bare)]
    return bool(DIGITS.search(bare) or BIG.search(bare) or [word for word in found if word not in NOT_COUNTS])


def _mixed(word: str) -> bool:
    """Whether a word has letters and digits, as names of products have."""
    return any(char.isdigit() for char in word) and any(char.isalpha() for char in word)


def _is_fact(match: re.Match[str], line: str, years: set[str]) -> bool:
    number, before, after = match[0].strip(), line[: match.start()], line[match.end() :]
    if YEAR.fullmatch(number):
        return not (number in years or VAGUE_YEAR.search(before) or RANGE.match(after))
    if number == "24" and after.startswith("/7"):
        return False
    if number == "7" and before.endswith("24/"):
        return False
    if not number.isdigit():
        return True
    if int(number) in WHOLE_TEXT and WORDS_AFTER.match(after):
        return False
    if int(number) in DAYS and (DAYS_AFTER.match(after) or (number == "30" and HALF_HOUR.match(after))):
        return False
    if number == "100" and re.search(rf"{FACT}\W{{0,3}}(?:(?:out )?of |из |de |sobre |/ ?)\Z", before):
        return False
    return int(number) > SMALL
