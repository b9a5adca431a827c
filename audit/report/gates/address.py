"""How the reader is spoken to: «ты» and «tú», never «Вы», usted, vos or vosotros."""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import word_set
from audit.report.gates.words import russian
from llm.chain import gates

VY = re.compile(r"(?<!\w)(?:вы|вас|вам|вами|ваш\w{0,3})(?!\w)", re.IGNORECASE)
USTED = re.compile(
    r"(?<!\w)(?:usted(?:es)?|vos|vosotr[oa]s|vuestr[oa]s?|sois|tenéis|podéis|debéis|habéis)(?!\w)",
    re.IGNORECASE,
)
# Verbs of «usted» where a sentence begins; of «vos» anywhere, by their stressed end.
FORMAL_START = re.compile(
    r"\A\W*(?:(?:hoy|luego|después|primero|ahora|también|y|esta semana|este mes)[,:]? )?(?:guarde|revise"
    r"|haga|ponga"
    r"|cambie|"
    r"mueva|cree|use|active|compruebe|verifique|empiece|comience|mantenga|repita|deje|elija|dedique|tenga"
    r"|recuerde|siga|"
    r"evite|lea|compre|anote|escriba|borre|pida|considere|proteja|piense|vuelva|no (?:deje|olvide|tenga"
    r"|comparta"
    r"|haga))\b",
    re.IGNORECASE,
)
VOSEO = re.compile(
    r"(?<!\w)(?:sos|\w{2,12}(?:[^r]ás|[^r]és|[^r]ís|[^rt]á|[^rt]é|[dnrc]í))(?!\w)", re.IGNORECASE
)
# «Tomate», «fijate»: what is «tómate», «fíjate» to a «tú»; and what wishes something to a «usted».
UNSTRESSED = re.compile(
    r"(?:\A|[.;:¡,] |\by )\W*(?!trate|desate|remate|rescate|debate|combate|date|delate"
    r"|mate)[a-zñ]{2,10}ate(?!\w)",
    re.IGNORECASE,
)
WISHED = re.compile(
    r"(?<!\w)(?:le|les) (?:ayud|sirv|serv|result|permit|recom|invit|aconsej|dese|sugier|quede|dar[áé]"
    r"|ser[áé])\w{0,8}(?!\w)",
    re.IGNORECASE,
)
ACCENTED = word_set("estés más además atrás jamás detrás estás quizás demás das después través revés interés inglés "
    "estrés francés cortés "
    "ataúd país esté café así aquí allí ahí allá acá está ojalá quizá mamá papá sofá porqué qué sé dé té esté compás "
    "mes ayer esté veintitrés entremés marqués también según tesis crisis casí sí mí ti jamás vez")  # fmt: skip


def informal(given: Given) -> gates.Gate:
    """Rejects a text that is formal, or in a regional plural or voseo, in Russian or Spanish."""

    def gate(text: str) -> str | None:
        read = prose.read(text)
        if given.lang == "ru":
            plain = " ".join(read.lines)
            if VY.search(plain) or any(russian.formal(word) for word in set(prose.words(plain))):
                return "the reader is «Вы»"
        if given.lang == "es":
            for line in read.lines:
                if (
                    USTED.search(line)
                    or WISHED.search(line)
                    or any(UNSTRESSED.search(each) for each in prose.SENTENCE.split(line))
                    or any(FORMAL_START.match(each) for each in prose.SENTENCE.split(line))
                ):
                    return "the reader is usted or vos"
                if any(match[0].lower() not in ACCENTED for match in VOSEO.finditer(line)):
                    return "the reader is usted or vos"
        return None

    return gate
