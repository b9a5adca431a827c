"""Figures, dates, shares and sums belong to the slots: a story's own words count to twelve, in words."""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from llm.chain import gates

_SMALL_WORDS = (
    r"zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|ноль|один|два|три|четыре|пять"
    r"|шесть|семь|восемь"
    r"|девять|десять|одиннадцать|двенадцать|cero|un|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez"
    r"|once|doce|дв(?:е|ух|ум|умя)|тр(?:[её]х|[её]м|емя)|четыр(?:[её]х|[её]м|ьмя)|(?:пят|шест|сем|восьм"
    r"|восем|девят|десят)(?:и|ью)"
    r"|одн(?:ом|ого)"
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
    rf"(?<!\w)(?:(?:{_SMALL_WORDS}) (?:\w+ ){{0,2}}(?:out of|de cada|из|in every) (?:\w+ )?(?:{_SMALL_WORDS})"
    r"|(?:dozens?|tens|scores|hundreds|thousands|decenas|docenas|cientos|miles|десят\w{2,3}|сот\w{1,3}"
    r"|тысяч\w?) (?:of |de )?(?:\w+ )?"
    r"(?:coins|bitcoins?|ether|tokens|monedas|монет\w{0,2}|токен\w{0,3})"
    rf"|(?:two|three|four|five|six|seven|eight|nine) of (?:{_SMALL_WORDS})"
    rf"|(?:{_SMALL_WORDS}) in (?:{_SMALL_WORDS})|(?:{_SMALL_WORDS}) (?:third|quarter|fifth|tenth)s"
    r"|every (?:second|third|fourth|fifth|tenth)(?= (?!time|day|hour|minute|night|week|message|word|code))"
    r"|half of (?:the |his |your |all )?(?:savings|stash|money|funds|wallets)|(?:half|third|quarter|fifth"
    r"|tenth|tenths|thirds|halves)(?: of)?(?: an?| the| his| your"
    r"| all)? (?:bit)?coins?"
    r"|half (?:an? |of )?(?:ether|token|stash|savings)|(?:medio|media|cuarto de|tercio de) (?:bitcoin"
    r"|ether|moneda)"
    r"|пол(?:овин\w{1,2} |тор\w |)биткоин\w*|половин\w{1,2} эфира|(?:треть|четверть"
    r"|половин\w{1,2}) (?:монет|сбережен\w+)"
    r"|трет(?:ь|и|ей|ями)(?! (?:сторон|лиц|групп))"
    r"|(?:a|one|two|roughly|about|nearly|almost|over) (?:third|quarter|fifth|tenth)s?(?! (?:time|wallet"
    r"|device|account|address|code|card|phone|page|try)s?(?!\w))"
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
    rf"[$€£₽]|%|(?<!\w)(?:\d[\d.,]{{0,12}}|{_SMALL_WORDS}) (?:and a half |\w+ )?(?:{_UNITS})(?!\w)",
    re.IGNORECASE,
)
_MONTHS = (
    r"(?i:january|february|april|june|july|september|october|november|december)|(?-i:March|May|August)"
    r"|(?i:январ|феврал|апрел|июн|июл|август|сентябр|октябр|ноябр|декабр)(?i:[ьяеюём]{1,3}|)"
    r"|(?i:март[аеу]?|ма[йяею])"
    r"|(?i:enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre"
    r"|diciembre)"
)
MONTH = re.compile(rf"(?<!\w)(?:{_MONTHS})(?!\w)")
TOKEN = re.compile(r"[\w-]++")
U2F = re.compile(r"u?2fa?", re.IGNORECASE)


def only_counts(given: Given) -> gates.Gate:
    """Rejects figures, sums, shares and months in a story's own words, but for names with a figure that were given."""
    named = {word for word in TOKEN.findall(given.words) if _mixed(word)}

    def gate(text: str) -> str | None:
        parts = [part for part in prose.read(text).parts if part.heading]
        for sentence in prose.told(parts[0].text) if parts else ():
            if MONTH.search(sentence):
                return "a date"
            if SUM.search(sentence):
                return "a sum"
            if BIG.search(sentence) or SHARE.search(sentence):
                return "a number or a share"
            if any(
                any(char.isdigit() for char in word) and not (word in named or U2F.fullmatch(word))
                for word in TOKEN.findall(sentence)
            ):
                return "a figure"
        return None

    return gate


def _mixed(word: str) -> bool:
    """Whether a word has letters and digits, as names of products have."""
    return any(char.isdigit() for char in word) and any(char.isalpha() for char in word)
