"""What a thief's work is not about, and what those whom he deceives may do in it.

A story happens among accounts, devices, shops and the thief's own tools. Kin, feelings, looks, homes, trades, fame and
wealth have no place in it: what is said of them guesses about the reader, frightens, blames or invents. The words are
held by their dictionary form, so that no inflection slips through. Who is deceived copies, clicks and signs; he wakes
up poor, keeps or locks nothing.
"""

import re
from collections.abc import Iterator

from audit.report.gates.prose import word_set
from audit.report.gates.words import russian

FIELDS = {
    "en": word_set(
        # kin
        "wife husband spouse son daughter child children kid mother father mom dad parent sister brother uncle aunt "
        "cousin grandmother grandfather grandson granddaughter family marriage wedding divorce baby widow widower "
        "girlfriend boyfriend fiance fiancee "
        # feelings
        "fear panic shame despair tear misery guilt sorrow "
        "grief nightmare terror horror dread nervous nervously pale "
        "anxious afraid scared scary ashamed regret mourn weep cry sob heartbreak humiliation disgrace devastated "
        "devastation jealous envy hatred sadness anger fury joy "
        # looks and age
        "aged handsome hair clothes skin orange yellow purple pink logo brand "
        # fame
        "news headline magazine famous infamous movie novel podcast television celebrity legendary notorious "
        # homes
        "neighbour neighbor neighbourhood neighborhood village suburb downtown villa yacht mansion "
        "mortgage pension postcode "
        # wealth
        "salary income rich wealthy fortune luxury loan debt insurance "
        # trades and those who are looked down on
        "dentist doctor actor singer lawyer teacher footballer player athlete politician priest farmer "
        "fool idiot amateur clown beginner novice newbie naive greedy clumsy dumb silly incompetent ignorant "
        # how often more
        "double triple tenfold twofold "
        # instructions
        "visitor reader instruction poem prompt"
    ),
    "ru": word_set(
        "жена муж сын дочь ребёнок мать отец мама папа родитель сестра брат дядя тётя бабушка дедушка внук внучка "
        "семья брак свадьба развод вдова вдовец невеста жених "
        "паника страх стыд слеза отчаяние разорение ужас кошмар тоска бледнеть побледнеть бояться нервничать плакать "
        "рыдать сожаление ненависть зависть завидовать позор унижение горе радость злость "
        "оранжевый жёлтый фиолетовый розовый логотип бренд "
        "новость журналист знаменитый роман подкаст телевидение "
        "соседство деревня посёлок дача вилла яхта особняк ипотека пенсия "
        "зарплата богатый роскошь состоятельный долг страховка квартира этаж "
        "дурак глупец дилетант растяпа лопух простак глупость неуклюжий жадный наивный "
        "вдвое втрое вчетверо вдесятеро половина "
        "указание посетитель читатель инструкция стих"
    ),
    "es": word_set(
        "esposo marido mujer hijo niño madre padre mamá papá "
        "hermano tío abuelo nieto familia matrimonio boda divorcio "
        "viudo novio "
        "pánico miedo vergüenza lágrima desesperación ruina terror "
        "horror pesadilla palidece palidecer llora llorar culpa "
        "envidia odio tristeza pena angustia humillación alegría rabia "
        "naranja amarillo morado rosa logo logotipo "
        "noticia famoso película novela televisión célebre "
        "vecindario barrio pueblo aldea suburbio chalet yate mansión hipoteca pensión piso "
        "sueldo salario rico fortuna lujo préstamo deuda "
        "dentista médico actor cantante abogado profesor futbolista político cura granjero "
        "tonto idiota aficionado novato torpe torpeza ingenuo avaro payaso ignorante incompetente "
        "doble triple mitad "
        "visitante lector instrucción poema"
    ),
}
# The text points at itself, or at what it was asked: "checks like this", "the rules above". Not "this page": the thief
# has pages of his own.
ITSELF = {
    "en": re.compile(
        r"(?<!\w)(?:this (?:very )?(?:report|text|check|test|service|audit|advice|survey)"
        r"|(?:reports?|checks?|tests?|lists?) like this|(?:rules?|lines?|words?|texts?|orders) (?:above|below)"
        r"|questionnaire|next door|pays? (?:for )?the loss(?:es)?)(?!\w)",
        re.IGNORECASE,
    ),
    "ru": re.compile(
        r"(?<!\w)(?:эт(?:ой|ом|от|ого|ому|у|а|и|их) (?:отч[её]т|текст|тест|сервис|провер|аудит|анкет)\w*"
        r"|(?:правил|строк|слов|указан|текст)\w*,?(?: котор\w+| что)?(?: сто\w+| написан\w*)? (?:выше|ниже))(?!\w)",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"(?<!\w)(?:est(?:a|e|as|os) (?:informe|texto|prueba|chequeo|servicio|auditoría|encuesta)s?"
        r"|(?:reglas?|líneas?|palabras?|textos?|órdenes) de (?:arriba|abajo)|cuestionario|de al lado"
        r"|(?:pagan?|cubren?) la pérdida|reembolsan?|indemnizan?)(?!\w)",
        re.IGNORECASE,
    ),
}
# Small words of English in a sentence of another language.
ENGLISH = re.compile(
    r"(?<!\w)(?:the|and|of|with|from|his|into|that|for|then|opens|reads)(?!\w)", re.IGNORECASE
)


# Whoever is deceived, and what may follow: what people do who are deceived, and words that are no verb.
DECEIVED = {
    "en": re.compile(
        r"(?<!\w)(?:owners?|victims?|users?|holders?|whoever|people|those who|somebody|someone|anyone|everyone)"
        r"(?: \w+ly| then| soon| never)? (?:to )?(\w+)",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"(?<!\w)(?:dueñ[oa]s?|víctimas?|usuari[oa]s?|titular(?:es)?|gente|quien(?:es)?|alguien)"
        r"(?: que| luego| pronto| después)?(?: (?:se|lo|la|le|les|los|las))? (\w+)",
        re.IGNORECASE,
    ),
    "ru": re.compile(
        r"(?<!\w)(?:хозя(?:ин|ева|йка)|владел(?:ец|ьцы|ица)|жертв[аы]|люди|человек|кто|кто-то)"
        r"(?: (?:потом|сам[аи]?|снова|тут|там|уже|быстро|обычно))? ([\w-]+)",
        re.IGNORECASE,
    ),
}
ACTS = {
    "en": word_set(
        "copy copies pick picks land lands open opens click "
        "clicks type types enter enters sign signs confirm confirms "
        "approve approves tap taps scan scans read reads answer answers "
        "log logs pay pays paste pastes send sends hand "
        "hands give gives believe believes install installs download "
        "downloads look looks search searches write writes "
        "leave leaves move moves ask asks trust trusts sleep sleeps call calls see sees visit visits check checks "
        "complain complains follow follows connect connects press presses fall falls come comes use uses "
        "of in with and or at on from for by as a an "
        "the name names while until before after behind who that into is are else"
    ),
    "es": word_set(
        "copia copian elige abre abren pulsa toca escribe escriben mete introduce confirma aprueba lee leen contesta "
        "responde paga pega envía manda entrega cree instala descarga "
        "busca mira duerme confía entra pica cae caen quejan "
        "queja mueve mueven firma firman llama llaman ve visita sigue conecta pregunta usa usan hace clic acude "
        "de del y o en con a al por para que ante tras desde sobre sin cuando mientras hasta el la los las un una"
    ),
    "ru": word_set(
        "подписывать вводить копировать писать открывать нажимать кликать подтверждать сканировать читать отвечать "
        "платить вставлять отправлять отдавать верить ставить скачивать "
        "искать смотреть спать доверять попадать входить "
        "выбирать брать спрашивать видеть переходить звонить пользоваться жаловаться переводить называть одобрять "
        "заходить подключать диктовать устанавливать передавать двигать"
    ),
}


# What a thief does at his goal. Nobody without a weakness is told such a story: it would deny the answers.
TAKES = {
    "en": re.compile(
        r"(?<!\w)(?:moves?|sends?|takes?|drains?|empt(?:y|ies)|withdraws?|transfers?|steals?|sweeps?|pockets?|routes?"
        r"|passes) (?:\w+ ){0,3}(?:coins?|funds|savings|wallets?|tokens?|money)(?!\w)",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"(?<!\w)(?:mueve|envía|saca|vacía|roba|transfiere|retira|se lleva|se queda con) (?:\w+ ){0,3}"
        r"(?:monedas?|fondos|ahorros|wallets?|tokens?|dinero)(?!\w)",
        re.IGNORECASE,
    ),
    "ru": re.compile(
        r"(?<!\w)(?:перевод|забира|вывод|опустоша|увод|крад|унос|слива)\w{0,4} (?:\w+ ){0,3}"
        r"(?:монет|деньг|деньги|средств|кошел|токен|накоплен)\w{0,5}(?!\w)",
        re.IGNORECASE,
    ),
}


def takes(sentence: str, lang: str) -> bool:
    """Whether the thief gets at the coins."""
    return TAKES[lang].search(sentence) is not None


def acts_otherwise(sentence: str, lang: str) -> bool:
    """Whether somebody whom the thief deceives does what no deceived person does."""
    for match in DECEIVED[lang].finditer(sentence):
        word = match[1].lower()
        if lang == "ru":
            if russian.present(word) and russian.lemma(word) not in ACTS["ru"]:
                return True
        elif word not in ACTS[lang]:
            return True
    return False


def named(sentence: str, lang: str) -> bool:
    """Whether a sentence of the story leaves a thief's world."""
    if ITSELF[lang].search(sentence) or (lang != "en" and ENGLISH.search(sentence)):
        return True
    fields = FIELDS[lang]
    return any(
        not fields.isdisjoint(_forms(word.lower(), lang)) for word in re.findall(r"[^\W\d_]+", sentence)
    )


def _forms(word: str, lang: str) -> Iterator[str]:
    """The forms under which a dictionary may have the word."""
    yield word
    if lang == "ru":
        yield russian.lemma(word)
        return
    for ending, instead in ENDINGS[lang]:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            yield word[: -len(ending)] + instead


ENDINGS = {
    "en": (
        ("s", ""),
        ("es", ""),
        ("ies", "y"),
        ("ed", ""),
        ("ed", "e"),
        ("ied", "y"),
        ("ing", ""),
        ("ing", "e"),
    ),
    "es": (("s", ""), ("es", ""), ("a", "o"), ("as", "o"), ("os", "o"), ("ones", "ón")),
}
