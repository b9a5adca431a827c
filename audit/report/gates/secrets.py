"""A report never asks for a seed phrase, a key or a password; it may well advise never to give them away.

Read clause by clause: words for a secret, a verb that hands it over, and somebody or some place that gets it,
without a word that turns
the sense around ("never" before it, "nobody" behind it, "whoever asks"). Three languages, and English in all of them.
"""

import re
import unicodedata

from llm.chain import gates

# Words of a wallet: whoever has them has the coins. No site, form or person ever needs them.
_WORDS = (
    r"seed(?:[ -]?(?:phrase|words?))?s?|(?:recovery|secret|mnemonic|backup|wallet|restore) (?:phrase"
    r"|words?|seed|sheet|card)s?|mnemonics?"
    r"|private keys?|secret keys?|(?:12|24|twelve|twenty-four)(?:[ -]|, )?(?:\w+ )?words?|(?:your|the|all"
    r"|first|last) (?:\w+ )?(?:secret )?words"
    r"|25th word|passphrase|(?:the|your|that|whole|full) phrase"
    r"|(?:сид|seed)[ -]?(?:фраз\w*|слов\w*)?|фраз\w+ (?:восстановления|из \d+)|фраз[уы]"
    r"|слов\w* восстановления|мнемоник\w*"
    r"|мнемоническ\w+ фраз\w+"
    r"|(?:приватн|секретн|закрыт)\w+ ключ\w*|(?:12|24|двенадцать|двадцать четыре) (?:\w+ )?слов\w*"
    r"|(?:сво[ийх]+|секретн\w+|все|эти) слова"
    r"|frases? (?:semilla|de recuperación|secreta|mnemotécnica|de respaldo)|semillas?|(?:la|tu|esa) frase"
    r"|palabras? (?:semilla"
    r"|secretas?|de recuperación)"
    r"|(?:12|24|doce|veinticuatro) palabras|(?:tus|las) palabras|(?:claves?|llaves?) (?:privadas?|secretas?)"
)
# Secrets that are typed into the right place every day.
_CODES = (
    r"passwords?|master password|PIN|PIN[ -]?codes?|(?:2FA|SMS|one-time|backup|verification|authenticator"
    r"|login) codes?|credentials"
    r"|пароль|пароли|пароля|паролей|ПИН(?:-код\w*)?|код\w* (?:из (?:СМС|SMS)|2FA|подтверждения)"
    r"|резервн\w+ код\w*"
    r"|contraseñas?|código(?:s)? (?:2FA|SMS|por SMS|de respaldo|de verificación)"
)
_GIVE = (
    r"send|share|enter|type|paste|submit|provide|give|tell|reply|respond|upload|input|insert"
    r"|import|disclose|reveal"
    r"|confirm|verify|validate|fill|photograph|attach|drop|put|write|copy|forward"
    r"|dictate|read|show|supply|need|require"
    r"|отправ(?:ь|ьте|ить)|пришли(?:те)?|прислать|введи(?:те)?|ввести|вставь(?:те)?|вставить"
    r"|скопируй(?:те)?|напиши(?:те)?|написать|запиши"
    r"|укажи(?:те)?|указать|сообщи(?:те|ть)?|назови(?:те)?|назвать|передай(?:те)?|передать"
    r"|продиктуй(?:те)?|загрузи(?:те|ть)?|поделись"
    r"|поделиться|подтверди(?:те|ть)?|заполни(?:те|ть)?|импортируй(?:те)?|сфотографируй|приложи|дай(?:те)?"
    r"|ответь(?:те)?|перечисли(?:те)?"
    r"|внеси|раскрой|покажи|проверь|проверить|нужн[аыо]|понадоб\w+|требу\w+|перешли|перешлите|впиши|набери"
    r"|envía(?:nos|me|la|las|los)?|enviar(?:nos|me|la|las)?|manda(?:nos|me|la|las)?|mandar(?:nos)?"
    r"|comparte(?:la|las|nos)?|compartir|introduce|introducir"
    r"|ingresa|ingresar|escribe(?:la|las|nos)?|escribir|pega|pegar|copia|dinos|dime|decirnos|indica(?:nos"
    r"|me)?|facilita(?:nos)?|proporciona(?:nos)?"
    r"|proporcionar|teclea|confirma|confirmar|valida|validar|verifica|verificar|sube|subir|responde"
    r"|responder|rellena|completa|adjunta|importa|revela|pon"
    r"|pásanos|pásame|danos|dame|muéstranos|necesit(?:o|amos)|requier\w+|reenvía"
)
# Who is writing: nobody may hand them anything.
_US = (
    r"us|me|(?:to|into|with|at|for) our|(?:an?|the) (?:analyst|advis[eo]r|agent|operator)s?"
    r"|our (?:\w+ )?(?:team|support|staff|experts?|specialists?|engineers?|system|form|server|checker"
    r"|tool|service|auditors?)|guardlabs|(?:we|I)(?:'ll|'d)? (?:\w+ )?(?:need|require|ask|can|will|check"
    r"|verify|must)"
    r"|support team|technical support|security team|auditors?|your reply|reply|chat|this (?:chat|form|box"
    r"|conversation|report|window|page|site|field|assistant)"
    r"|(?:form|field|box|space|line|link|button|window) below|below|in the comments?"
    r"|нам|мне|нас|(?:в|во|на) наш\w*|(?:аналитик|оператор|специалист)[уа]?|наш\w* (?:\w+ )?(?:команд\w+"
    r"|поддержк\w+|специалист\w+|эксперт\w+|форм\w+|сервис\w*"
    r"|бот\w*|сервер\w*|инструмент\w*)|в ответ\w*|ответным|чат\w*"
    r"|(?:нижe|ниже)|в (?:этом|этой|эту|это) (?:\w+ )?(?:чат\w*|форм\w+|пол\w+|окн\w+|отч[её]т\w*"
    r"|страниц\w+)|(?:форм|пол|окн)\w+ ниже|(?:служб\w+|технич\w+) поддержк\w+|мы (?:\w+ )?(?:провери\w+"
    r"|проверя\w+|просим|попросим)"
    r"|nos|nosotros|me|(?:a|en|con) nuestr\w+|nuestr[oa]s? (?:\w+ )?(?:equipo|soporte|formulario|expertos?"
    r"|especialistas?|sistema"
    r"|herramienta|servicio|servidor)|tu respuesta|respondiendo|responde|chat"
    r"|(?:abajo|más abajo|a continuación|aquí abajo)|est[ea] (?:\w+ )?(?:chat|formulario|campo|cuadro"
    r"|página|informe|sitio)|soporte técnico|(?:envía|manda|di|da|pása|facilita|proporciona|indica"
    r"|muéstra)(?:nos|me)|dinos|dime|danos|dame|necesit(?:o|amos)"
    r"|equipo de (?:soporte|seguridad|verificación)"
)
# Places that want something typed in.
_FIELD = (
    r"forms?|fields?|box|chat|bots?|portal|checker|validator|verifier|questionnaire|dialog|pop-?up|input"
    r"|форм[уеы]|формой|поле|пол[яе] ввода|бот\w*|портал\w*|анкет\w+|окн[оеа]"
    r"|formularios?|campos?|cuadro|bots?|portal|verificador|cuestionario|ventana emergente"
)
# Places where the words of a wallet are never typed, whoever owns them. (A device's own screen is another thing.)
_PLACE = (
    r"here|there|into it|online|web ?(?:site|page)|site|page|link|url|qr(?: code)?|e-?mail|telegram"
    r"|whatsapp|discord|app"
    r"|extension|browser|tool|cloud|server|dashboard"
    r"|здесь|сюда|туда|ему|ей|тут|онлайн|сайт\w*|страниц\w+|ссылк\w+|почт\w+|телеграм\w*|расширени\w+"
    r"|браузер\w*"
    r"|приложени\w+|сервис\w*|облак\w*"
    r"|aquí|ahí|allí|en línea|sitio|página|enlace|correo|extensión|navegador|aplicación|herramienta|nube"
)
_ENTER = (
    r"send|share|enter|type|paste|submit|provide|upload|input|insert|import|disclose|reveal"
    r"|confirm|verify|validate|fill|drop|forward|check|test"
    r"|отправ(?:ь|ьте|ить)|пришли(?:те)?|введи(?:те)?|ввести|вставь(?:те)?|вставить|напиши(?:те)?"
    r"|укажи(?:те)?|указать|загрузи(?:те|ть)?|подтверди(?:те|ть)?|импортируй(?:те)?|проверь(?:те)?"
    r"|проверить|впиши|набери"
    r"|envía|enviar|manda|mandar|comparte|introduce|introducir|ingresa|ingresar|escribe|pega|pegar|teclea"
    r"|confirma|confirmar|valida|validar|verifica|verificar|sube|subir|importa|comprueba"
)
# Before the verb, these turn its sense around …
_NOT = (
    r"never|not|\w+n't|no one|nobody|none|no \w+ (?:should|will|may|can|needs? to|has to)|ever|nor|neither"
    r"|cannot|refuse to"
    r"|не|ни|никогда|никому|никто|нельзя|нигде|no|nunca|jamás|nadie|ningun\w*|ningún|ni|sin|tampoco"
)
# … and anywhere in the clause, these say that it is about somebody dishonest, or about what was wrong.
_OTHERS = (
    r"asks?|asked (?:you|him|her|them|for)|asking|requests? for|scam\w*|fake\w*|fraud\w*|phish\w*|thie\w+"
    r"|attacker\w*|malware"
    r"|whoever|anyone who|anybody who|if (?:some|any)\w+|pretend\w*|impostor\w*|impersonat\w*|victims?"
    r"|steal\w*"
    r"|прос[ия]т|попрос[ия]т|спрос[ия]т|спрашивает|мошенник\w*|фейк\w*|фишинг\w*|поддельн\w*|вор\w{0,3}"
    r"|кто бы|если кто\w*|стилер\w*|злоумышленник\w*|жертв\w+"
    r"|pid[ae]n?|solicit[ae]n?|estafa\w*|fals[oa]s?|fraude\w*|phishing|ladr\w+|quien|si alguien|atacantes?"
    r"|víctimas?"
)
_HIM = r"it|them|these|those|её|ее|их|la|las|los|lo|эту|это"
# Ways to hand over a wallet's words that are wrong whoever listens or looks.
_ALWAYS = (
    r"read (?:\w+ ){0,4}(?:out|aloud)|dictate|upload|photograph|(?:take|send|make) a (?:photo|picture"
    r"|screenshot)"
    r"|продиктуй(?:те)?|зачитай(?:те)?|загрузи(?:те)?|сфотографируй(?:те)?|сделай (?:фото|снимок|скриншот)"
    r"|díct\w+|dicta|lee en voz alta|sube|fotografía|haz una (?:foto|captura)"
)
_DEVICE = (
    r"hardware wallet|device(?:'s)?|trezor|ledger|keystone|coldcard|bitbox\w*|paper|steel|metal|hand"
    r"|аппаратн\w+|устройств\w+|бумаг\w+|от руки|сталь\w*|металл\w*|wallet física|billetera física"
    r"|dispositivo|papel|a mano|metal|acero|placa"
)
_ASIDE = (
    r"except|unless|other than|apart from|only (?:to|with)|but (?:us|our)"
    r"|кроме|разве что|только|salvo|excepto|menos|solo (?:a|con)"
)


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


_ALSO = (
    # nouns, unless something is done with them
    r"(?:e-?mail|post|message|text|list|state) (?:us|me|it|them|the|your|those|all)"
    # with the pronoun at its end: pégala, envíanoslas
    r"|(?:pég|escríb|enví|mánd|ingrés|introdúc|compárt|súb|tecléa|cópia|dín|dím|pás|indíc"
    r"|facilít)\w{0,3}(?:la|las|lo|los)"
)
WORDS, SECRET, HIM = _any(_WORDS), _any(_WORDS, _CODES), _any(_HIM, _ALSO)
ALWAYS = _any(_ALWAYS)
GIVE, ENTER, US, FIELD, PLACE = _any(_GIVE, _ALSO), _any(_ENTER, _ALSO), _any(_US), _any(_FIELD), _any(_PLACE)
NOT, OTHERS, DEVICE, ASIDE = _any(_NOT), _any(_OTHERS), _any(_DEVICE), _any(_ASIDE)
NEAR = 45  # characters before a verb in which a "never" belongs to it
NOBODY = _any(r"nobody|no one|none|никому|никаким?|nadie|ningún|ninguna|ninguno")  # behind the verb
QUESTION = re.compile(
    r"(?<!\w)(?:what (?:is|are)|which are|(?:could|can|would|will) you|tell us|какая|какой|какие|назовёшь"
    r"|можешь"
    rf"|cuál(?:es)? (?:es|son)|puedes|podrías)\b[^.!?]{{0,60}}(?:{_WORDS}|{_CODES})[^.!?]{{0,80}}\?",
    re.IGNORECASE,
)
WE_ASK = _any(
    r"our (?:\w+ )?(?:team|staff|support|engineers?|experts?|specialists?|agents?) (?:\w+ )?(?:ask|need"
    r"|request|require)s?",
    r"наш\w* (?:\w+ )?(?:команда|поддержка|специалисты?|эксперты?|инженеры?) (?:\w+ )?(?:попрос|запрос"
    r"|прос)[ия]т",
    r"nuestr[oa]s? (?:\w+ )?(?:equipo|soporte|expertos?|especialistas?) te (?:pedirán?|piden?|solicitarán?)",
    r"(?:we|I|мы|я) (?:\w+ ){0,2}(?:ask|need|require|request|invite|просим|прошу|попросим|запрашиваем)",
    r"te (?:pedimos|pido|pediremos)|(?:nos|me) (?:hace falta|hacen falta)|necesit(?:amos|o)|solicitamos"
    r"|(?:нам|мне) (?:\w+ )?(?:нужн\w+|понадоб\w+)",
)
PART = re.compile(r"[^,]+")
CLAUSE = re.compile(
    r"[.!?;:\n|]+|\s[–—-]\s|,\s+(?:but|just|simply|then|so|and then|instead|но|а|просто|затем|потом|pero"
    r"|sino|solo"
    r"|luego|simplemente)\b",
    re.IGNORECASE,
)


def not_asked_for() -> gates.Gate:
    """Rejects a text that asks its reader for a secret, in plain or in clever words."""

    def gate(text: str) -> str | None:
        plain = unicodedata.normalize("NFKC", text).replace("’", "'").replace("*", "").replace("`", "")
        if QUESTION.search(plain):
            return "asks for a secret"
        told = ""  # the clause that "it" is about
        for clause in CLAUSE.split(plain):
            own = SECRET.search(clause)
            if (own or (told and HIM.search(clause))) and _asks(clause, clause if own else told):
                return "asks for a secret"
            told = clause if own else told if HIM.search(clause) else ""
        return None

    return gate


def _asks(clause: str, about: str) -> bool:
    """Whether a clause hands over the secret that `about`, this clause or one before it, names."""
    if ASIDE.search(clause) and US.search(clause):
        return True  # "to nobody but our team"
    if WE_ASK.search(clause) and not NOT.search(clause):
        return True
    if OTHERS.search(clause):
        return False
    if WORDS.search(about) and _does(ALWAYS, clause):
        return True
    if (US.search(clause) or FIELD.search(clause)) and _does(GIVE, clause):
        return True
    return any(
        PLACE.search(part[0])
        and not DEVICE.search(clause)
        and (WORDS.search(part[0]) or (HIM.search(part[0]) and WORDS.search(about)))
        and _does(ENTER, clause, part.start(), part.end())
        for part in PART.finditer(
            clause
        )  # "check the address, open the app, and write the seed down" is a list
    )


def _does(verbs: re.Pattern[str], clause: str, start: int = 0, end: int | None = None) -> bool:
    """Whether the clause, between `start` and `end`, has such a verb that no "never" belongs to."""
    found = verbs.finditer(clause, start, len(clause) if end is None else end)
    return any(
        not NOT.search(clause[max(0, verb.start() - NEAR) : verb.start()])
        and not NOBODY.search(clause[verb.end() :])
        for verb in found
    )
