"""What a report must not claim: safety, a seller's offer, another standing of the reader, another end of a case."""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import FACT
from audit.report.gates.words.topics import topics
from audit.report.text import slots
from llm.chain import gates


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?!\w)", re.IGNORECASE)


DENIED = _any(
    r"not|never|no|\w+n't|nobody|nothing|neither|nor|cannot|without|не|нет|ни|никто|ничто|ничего|никогда|нельзя|без|nunca|nadie|nada|sin|ni"
    r"|jamás|tampoco|ningun\w{1,2}|ningún|whoever|anyone who|кто|quien"
)
NOT = _any(
    r"not|never|no|\w+n't|nobody|nothing|neither|nor|cannot|without|не|нет|ни|никто|ничто|ничего|никогда|нельзя|без|nunca|nadie|nada|sin|ni"
    r"|jamás|tampoco|ningun\w{1,2}|ningún|if|whoever|anyone who|если|кто|si|quien"
)
PROMISE = _any(
    r"(?:completely|totally|fully|absolutely|perfectly|entirely|permanently|forever|truly) (?:safe|secure|protected"
    r"|immune|risk-free)"
    r"|guarantee\w{0,2}|guaranteed|bulletproof|unhackable|(?:theft|robbery|loss) (?:becomes|is|gets) impossible"
    r"|краж\w{1,2} (?:становится|станет|будет) невозможн\w{1,3}|robo (?:se vuelve|será|es) imposible|unbreakable"
    r"|watertight|ironclad|risk-free|fool-?proof|hack-?proof"
    r"|(?:nobody|no one|no thief|nothing) (?:can|could|will) (?:ever )?(?:touch|reach|steal|take|rob|hurt|hack|break)(?! (?:the|a|any) (?:block|chain|crypt|math|code))"
    r"|never (?:be (?:hacked|robbed|stolen)|lose|have to worry|worry)|safe forever|impossible to (?:steal|hack|rob"
    r"|lose)"
    r"|we promise|i promise|you are safe|you're safe|you will be safe|you'll be safe"
    r"|(?:полностью|абсолютно|совершенно|навсегда|на все сто|стопроцентно|железно) (?:безопас\w{1,4}|защищ\w{2,5}"
    r"|неуязвим\w{0,3})|гаранти\w{1,8}"
    r"|неуязвим\w{0,3}|невозможно (?:украсть|взломать|потерять)|(?:никто|ничто|ни один вор)(?: уже| больше"
    r"| никогда)? не (?:сможет|украд[её]т|взломает|доберётся|доберется|тронет|страшно)"
    r"|обеща\w{2,5}|стопроцентн\w{2,3}|(?:ты|будешь|станешь) в (?:полной )?безопасности"
    r"|больше никогда не (?:потеряешь|придётся)"
    r"|(?:completamente|totalmente|absolutamente|del todo|para siempre) (?:segur\w{1,2}|protegid\w{1,2}|a salvo"
    r"|blindad\w{1,2})|garanti[zcí]\w{0,8}|invulnerables?"
    r"|imposible (?:de )?(?:robar|hackear|perder)|nadie (?:podrá|puede|podría) (?:jamás |nunca )?(?:robar\w{0,3}"
    r"|tocar\w{0,3}|quitar\w{0,4}|hackear\w{0,2})|prometemos|te prometo"
    r"|(?:estás|estarás|quedarás) (?:a salvo|segur[oa]|blindad[oa])|nunca (?:más )?(?:perderás|te robarán)"
    r"|riesgo cero|cero riesgos?|zero risk"
)
# That there is nothing left to fear. Said of a step, this is a promise whoever makes it.
SAFE = _any(
    r"(?:out of|beyond|outside) (?:the |any \w+ |every \w+ )?(?:reach|danger|harm|risk|range)|rest assured"
    r"|sleep (?:well|soundly|easy|easily|better|peacefully|at night|like)|nothing (?:more |left |else )?to (?:fear|worry about|lose)"
    r"|no (?:need|reason) to (?:worry|fear)|worry-free|peace of mind|immun(?:e|ity) (?:to|from|against)|невосприимчив\w{1,2}|иммунитет\w{0,2} (?:к|против)|inmun\w{1,6} (?:a|ante|frente|contra)|untouchable|in (?:safe|good) hands|nothing (?:\w+ ){0,2}happen\w*"
    r"|(?:don't|do not|never|no longer|won't) (?:have to |need to )?worry|can (?:relax|stop worrying)|(?:be|is|are|stay|remain)s? (?:\w+ )?(?:untouched"
    r"|unreachable|out of danger|invincible|immune)|once and for all|for good(?= ?(?:[.,;:!]|\Z))|no (?:\w+ )?(?:hackers?|thie(?:f|ves)|attackers?|criminals?|scammers?|burglars?|malware|virus\w{0,2})"
    r"|(?:any|every) (?:hacker|thief|attacker|criminal|scammer) (?:will|would) (?:fail|give up)|(?:be|is|are|stay|remain)s? (?:\w+ )?(?:safe|secure|protected|well protected) (?:now|from|against|afterwards|for)"
    r"|(?:вне|за пределами) (?:опасности|досягаемости|риска|угрозы)|спать (?:спокойно|крепко)|не о ч[её]м (?:волноваться|беспокоиться|переживать)"
    r"|(?:можно|можешь|сможешь|незачем|нечего) (?:\w+ )?(?:не волноваться|не беспокоиться|не переживать|расслабиться|забыть о|бояться)|недосягаем\w{0,3}|не страш(?:ен|на|ны)"
    r"|не (?:дотян|добер|подбер|доста|угрож|гроз)\w{1,5}|ничего (?:\w+ )?не (?:случится|произойд[её]т|будет|грозит|угрожает)|в надёжных руках|раз и навсегда|ничто не угрожает|(?:буд[уе]\w{1,2}|окаж[еу]тся|остан[еу]тся|станет|станут) (?:\w+ )?(?:в (?:\w+ )?безопасности|под (?:\w+ )?защитой|защищен\w)"
    r"|ни (?:один|одного|единого|одному) (?:\w+ )?(?:вор\w{0,2}|хакер\w{0,2}|взломщик\w{0,2}|мошенник\w{0,2}|шанс\w{0,2}|злоумышленник\w{0,2})|(?:ворам|вору|хакерам|мошенникам) (?:\w+ )?не (?:под силу|достан\w+|добра\w+|пробить\w*|по зубам)"
    r"|dorm\w{1,5} (?:tranquil\w{1,2}|en paz|a pierna suelta)|fuera de(?:l)? (?:alcance|peligro|riesgo)|no (?:corre|corren|correrán|correrá) (?:ningún )?(?:peligro|riesgo)"
    r"|no (?:les |te |le )?(?:pasará|ocurrirá|sucederá) nada|nada (?:les |te |le )?(?:pasará|ocurrirá)|intocables?|sin (?:preocupaciones|nada que temer)|nada que temer"
    r"|de una vez por todas|puedes (?:relajarte|olvidarte|estar tranquil[oa])|en buenas manos|ningún (?:hacker|ladrón|atacante|estafador|delincuente|malware|virus)|ni el mejor (?:hacker|ladrón)|(?:queda|quedan|quedará|quedarán|estarán?) (?:\w+ )?(?:a salvo|a buen recaudo|blindad[oa]s?)|no (?:tienes|tendrás) (?:que|de qué) preocupar\w{2}"
)
# Whoever speaks for a house speaks for one that the report does not know.
HOUSE = _any(
    r"our (?!list|plan|check|questions|words|story)\w+|we (?:can|will|could|would|may) (?!meet|see|look|talk|be|get|start|begin)\w+"
    r"|наш(?:[аеиу]|его|ей|ем|ему|ею|им|ими|их)?|мы (?:\w+ )?[а-яё]{2,}(?:ем|им|ём)|нам|мне|nuestr[oa]s?|te (?!v)\w{2,}[aei]mos"
    r"|así (?:\w+ )?\w{2,}mos (?:tu|te)|\w{2,}[áéí]\w{0,3}nos(?:l[aoe]s?)?"
)
COMMERCE = _any(
    r"(?:personal|private|one-on-one|free) (?:session|call|consultation|meeting|review)s?|(?:expert|extended|full|paid|deeper) review|portal|dashboard|verification page"
    r"|(?:личн|персональн|бесплатн)\w{2,3} (?:встреч|консультаци|сесси|разбор)\w{1,3}|(?:расширенн|экспертн|платн)\w{2,3} (?:разбор|проверк|отч[её]т)\w{0,2}|портал\w{0,2}|личн\w{2,3} кабинет\w{0,2}"
    r"|(?:sesión|consulta|llamada|reunión) (?:personal|privada|gratuita)|revisión (?:ampliada|experta|premium|completa)|portal|panel de control"
    r"|checkout|cheaper|costs? (?:you )?less|pays? for (?:itself|themselves)|professional (?:audit|review|help|service|check|advice)s?|(?<!this )(?<!the )audits?|purchases?|pricing|price tag|bargains?"
    r"|money back|invest(?:ing|ment)s? in|worth (?:its|the|every) (?:price|money|cent|penny)|brands?|manufacturers?|retailers?"
    r"|оформлени\w|дешевле|окуп\w{1,5} (?:себя|сам\w{0,2})|профессиональн\w{2,3} (?:разбор|проверк|помощ|услуг)\w{0,2}|аудит\w{0,2}|покупк\w{1,3}|цен[аеу] ниже|бренд\w{0,2}|производител\w{1,3}"
    r"|al pagar|(?:saldrá\w?|sale\w?|cuesta\w?) más barat[oa]s?|se pagan? sol[oa]s?|(?:ayuda|revisión|servicio) profesional|auditorías?|marcas? (?:de|como)|fabricantes?|precio"
)

RECOVERY = _any(
    r"(?:track|trace|bring|brought|claw|win|get)\w* (?:\w+ ){0,3}back|tracked down|(?:отслед\w+|верн\w+|возвра\w+) (?:\w+ ){0,2}(?:монет|деньг|средств)\w{0,3}|(?:монет|деньг|средств)\w{0,3} (?:(?!не )\w+ ){0,4}(?:отслед|верн|возвра)\w{2,6}"
    r"|(?:rastre\w+|recuper\w+) (?:\w+ ){0,3}(?:traer\w*|monedas|fondos|dinero)|traer(?:l[ao]s)? de vuelta"
    r"|return stolen \w+|верн[уёе]т? украденн\w{1,3}|devuelven? lo robado|recovery (?:services?|experts?|specialists?"
    r"|firms?|compan(?:y|ies)|agents?|teams?|hackers?)|(?:get|win"
    r"|bring) (?:your |the )?(?:coins|money|funds|crypto) back"
    r"|(?:сервис|служб|специалист|эксперт|компани|хакер|юрист)\w{0,4} по (?:возврат\w|восстановлени\w)"
    r"|верн[уёе]т? (?:тебе )?(?:монеты|деньги|средства)|возврат\w? (?:монет|денег|средств)"
    r"|(?:servicio|experto|empresa|especialista|agencia|equipo)s? de recuperación(?: de (?:fondos|cripto\w*"
    r"|monedas))?|recuperar(?:án|á|emos)? (?:tus|los) (?:fondos|monedas|criptos?)"
)
ADVERT = _any(
    r"promo(?:tion\w*| codes?)?|coupons?|discounts?|vouchers?|sponsor\w{0,4}|affiliate\w{0,1}|referrals?|partner (?:shop|store|offer|company|programme?|link)s?"
    r"|special offers?|limited offers?|premium|subscri\w{2,7}"
    r"|free trial|on sale|best deals?|buy now|order now|sign up|our (?:shop|store|product|service|offer|plan|course"
    r"|newsletter)|upgrade to|paid (?:plan|audit|service)"
    r"|промокод\w{0,3}|купон\w{0,3}|скидк\w{1,3}|спонсор\w{0,5}|наш\w{0,3} партн[её]р\w{0,6}|реферальн\w{1,4}"
    r"|реклам\w{1,7}|акци[яиюей]{1,2}|премиум\w{0,2}|подписк[аеуио]\w{0,2}|выгодн\w{1,4} (?:цен|услови|предложени)\w{1,3}"
    r"|бесплатн\w{1,4} период\w{0,2}|закажи|купи|приобрети|покупай|наш\w{0,3} (?:магазин\w{0,2}|сервис\w{0,2}"
    r"|продукт\w{0,2}|курс\w{0,2}|тариф\w{0,2})"
    r"|código promocional|promoci[oó]n\w{0,2}|cup[oó]n\w{0,2}|descuentos?|patrocin\w{2,6}|afiliad\w{1,2}"
    r"|referid\w{1,2}|nuestr[oa]s? soci[oa]s?|ofertas?|suscri\w{2,8}|prueba gratuita"
    r"|cómpra\w{0,4}|compra (?:ya|ahora|el|la|un|una|tu)|aprovecha la|nuestr[oa] (?:tienda|producto|servicio|curso"
    r"|plan)|rebaja\w?|recomienda a un amigo|invita a (?:un |tus )?amig\w{1,2}|invite a friend|пригласи друга"
)
SUPPOSED = _any(
    r"whoever|anyone who|if|кто|если|quien|si|pretend\w*|claim\w*|сул\w{1,4}|обеща\w{2,4}|promet\w{1,4}"
)
WARNS = _any(
    r"ignore|beware|scam\w{0,5}|fake|fraud\w{0,4}|thie(?:f|ves)|обман\w{0,3}|мошенни\w{1,5}|игнорируй|estafa\w{0,4}|falso\w?|ignora|ladr\w{2,4}|trampas?|phishing|adblock\w*|block\w{0,3}|блокир\w+|bloque\w+"
)

STANDING = _any(
    r"scores?|results?|rating|level|band|standing|overall|protection|setup|set-up|security|defen[cs]es?|you are"
    r"|you're|балл\w{0,2}|результат\w{0,2}|уров\w{2,4}|оценк\w{1,2}|защит\w{1,2}"
    r"|ты в зоне|puntuación|puntaje|resultado|nivel|protección|seguridad|defensas?|eres|estás"
)
WHOLE = _any(
    r"(?:your|the|this) (?:overall |current |whole |general )?(?:scores?|results?|rating|level|standing|protection|setup|set-up|security|defen[cs]es?|position)"
    r"|overall|you are doing|you're doing|on the whole"
    r"|(?:твой|твоя|твоего|твоей|твою|твои|у тебя) (?:общ\w{2,3} )?(?:балл|результат|уровень|оценка|защита|защиту|безопасность|положение)|в целом"
    r"|(?:tu|el) (?:puntuación|puntaje|resultado|nivel|protección|seguridad|defensa|posición|situación)(?: general| actual)?|en general|en conjunto"
)
BANDS = {
    "en": {"exposed": r"exposed", "fragile": r"fragile", "fair": r"fair", "solid": r"solid"},
    "ru": {
        "exposed": r"открыт[оа]? (?:для )?атак\w{0,2}|уязвим\w{1,2}",
        "fragile": r"хрупк\w{1,3}",
        "fair": r"неплох\w{1,3}|средн\w{1,3}",
        "solid": r"над[её]жн\w{1,3}|крепк\w{1,3}|прочн\w{1,3}",
    },
    "es": {
        "exposed": r"expuest[oa]s?",
        "fragile": r"frágil(?:es)?",
        "fair": r"aceptables?|pasables?|razonables?",
        "solid": r"sólid[oa]s?",
    },
}

LOSS = _any(
    r"lost|was robbed|were robbed|was drained|were drained|was hacked|were hacked|was emptied|stole|was stolen"
    r"|got hacked|was tricked|were tricked|fell for|was scammed|were scammed|got robbed"
    r"|потерял\w{0,2}|лишил\w{1,4}|украли|украл|обокрали|ограбили|увели|взломали|обчистили|обманули|попал\w{0,2}ся"
    r"|остал\w{1,3} без"
    r"|perdió|perdieron|robaron|robó|vació|vaciaron|engañaron|hackearon|estafaron|cayó|cayeron|se quedó sin"
)
READER = _any(r"you|your|ты|тебя|тебе|твои|твоя|твоё|твой|tú|tus?|te|perdiste|perderías|потеряешь")
SOMEBODY = _any(
    r"another|neighbou?rs?|colleagues?|cousins?|friends?|brother|uncle|acquaintances?|clients?|customers?|pensioners?|retirees?|couple|students?|nurses?|doctors?|teachers?|developers?|founders?"
    r"|investors?|traders?|employees?|engineers?|musicians?|celebrit\w+|influencers?|streamers?|bank|company|firm|hospital|exchange|widow|grandmother|family|politician|businessman|businesswoman|artist|dao|fund|man|woman|guy"
    r"|друг\w{0,4}|сосед\w{0,3}|коллег\w{1,2}|знаком\w{2,4}|клиент\w{0,3}|пенсионер\w{0,3}|студент\w{0,3}|врач\w{0,2}|учител\w{1,4}|разработчик\w{0,3}|основател\w{1,3}|инвестор\w{0,3}|трейдер\w{0,3}|сотрудник\w{0,3}"
    r"|инженер\w{0,3}|музыкант\w{0,3}|блогер\w{0,3}|стример\w{0,3}|банк\w{0,2}|компани\w{1,2}|фирм\w{1,2}|больниц\w{1,2}|бирж\w{1,2}|вдов\w{1,2}|бабушк\w{1,2}|семь\w{1,2}|политик\w{0,2}|бизнесмен\w{0,2}|художни\w{1,3}|фонд\w{0,2}|мужчин\w{1,2}|женщин\w{1,2}|пар[аеуы]"
    r"|otr[oa]s?|vecin[oa]s?|colegas?|compañer[oa]s?|prim[oa]s?|amig[oa]s?|conocid[oa]s?|clientes?|jubilad[oa]s?|pareja|estudiantes?|enfermer[oa]s?|médic[oa]s?|maestr[oa]s?|desarrollador\w{0,2}|fundador\w{0,2}"
    r"|inversor\w{0,2}|inversionistas?|emplead[oa]s?|ingenier[oa]s?|músic[oa]s?|famos[oa]s?|banco|empresa|hospital|viuda|abuela|familia|polític[oa]|empresari[oa]|artista|fondo|hombre|mujer"
)
ENDS = {
    "returned": _any(
        r"(?:was|were|got|is|been|has|had|all|everything|money|coins|funds) (?:\w+ )?(?:returned|refunded|recovered"
        r"|reimbursed|compensated|given back|repaid)|got (?:\w+ ){0,3}back|gave (?:\w+ ){0,3}back"
        r"|(?:returned|refunded|recovered|reimbursed|compensated|repaid) (?:\w+ ){0,3}(?:money|coins|funds"
        r"|everything|all|victims?|loss(?:es)?|him|her|them)|came back|paid back|made whole|insurance paid"
        r"|вернул\w{0,4}|возвратил\w{0,4}|возместил\w{0,2}|компенсировал\w{0,2}|страхов\w{2,4} (?:вы|за)плати\w{1,3}"
        r"|получил\w{0,2} (?:\w+ )?(?:назад|обратно)|(?:деньги|монеты|вс[её]) (?:\w+ )?(?:назад|обратно)"
        r"|recuperó|recuperaron|devolvió|devolvieron|devuelt[oa]s?|reembols\w{1,5}|compens[oó]\w{0,4}"
        r"|indemniz\w{1,5}|el seguro pagó"
    ),
    "caught": _any(
        r"arrested|caught|convicted|jailed|sentenced|in prison|behind bars|арестова\w{1,4}|пойма\w{1,4}"
        r"|задержа\w{1,4}|осужд\w{1,4}|посади\w{1,4}|за решётк\w{1,2}|в тюрьм\w{1,2}"
        r"|arrest(?:ó|aron|ad[oa]s?)|detuv\w{2,5}|detenid[oa]s?|condenad[oa]s?|encarcelad[oa]s?|en la cárcel"
        r"|atrap(?:ó|aron)"
    ),
    "unharmed": _any(
        r"lost nothing|no loss|without (?:any )?loss|stopped it in time|at the last (?:moment|second|minute)"
        r"|noticed in time|ничего не потерял\w{0,2}|без потерь|вовремя заметил\w{0,2}|в последний момент|обош\w{1,4}"
        r"|no perdió nada|sin pérdidas|a tiempo|en el último (?:momento|segundo)|se dio cuenta a tiempo"
    ),
}  # fmt: skip
ENDS_IN_FACTS = {
    "returned": re.compile(r"return|refund|recover|reimburs|compensat|came back|gave "
    "back|repaid|вернул(?!ся|ись|ас)|возврат|возмещ|компенс|recuper|devol|devuel|reembols|volvió", re.I),
    "caught": re.compile(
        r"arrest|caught|convict|jail|sentenc|charge|plead|guilty|арест|пойма|задерж|осужд|обвин|признал"
        r"|detuv|detenid|conden|acus|culpab",
        re.I,
    ),
    "unharmed": re.compile(r"lost nothing|no loss|not a net loss|без потерь|ничего не потер|no perdió nada|не чистая "
    "потеря|pérdida neta", re.I),
}  # fmt: skip

# How good a standing is, in words: the score and its band say it, in slots.
GRADES = {
    "good": _any(
        r"excellent|perfect|ideal|outstanding|great|superb|exemplary|flawless|top[- ]notch|impressive|strong|rock[- ]solid|very good|quite good|pretty good|good"
        r"|отличн\w{1,3}|идеальн\w{1,2}|превосходн\w{1,2}|прекрасн\w{1,2}|безупречн\w{1,2}|образцов\w{1,2}|сильн\w{1,2}|хорош\w{1,3}|мощн\w{1,2}|на высоте"
        r"|excelen\w{2,4}|perfect[oa]s?|ideal\w{0,2}|impecables?|ejemplar\w{0,2}|fuertes?|muy buen[oa]s?|buen[oa]s?|extraordinari[oa]s?|magnífic[oa]s?|sobresalientes?"
    ),
    "bad": _any(
        r"terrible|poor|disastrous|catastrophic|hopeless|dreadful|awful|very low|alarming|dismal"
        r"|ужасн\w{1,3}|катастрофическ\w{2,3}|плох\w{1,2}|очень низк\w{2,3}|безнадёжн\w{1,3}|никуд\w+|провальн\w{1,3}|удручающ\w{2,3}"
        r"|terribles?|pésim[oa]s?|desastros[oa]s?|catastrófic[oa]s?|muy baj[oa]s?|mal[oa]s?|alarmantes?|lamentables?"
    ),
}
PRAISE = _any(
    r"you already|you have already|well done|you (?:do|handle|manage|keep|use|have) (?:this|that|it|your|the"
    r"|an?)?[^,.]{0,40} (?:well|right|correctly|safely|properly|perfectly)|good job|great job|nice work"
    r"|already (?:strong|safe|good|excellent|solid|in order|perfect|protected|secure|right)|(?:is|are) (?:strong"
    r"|excellent|solid|in order|perfect|exemplary|impeccable|in good shape|in great shape|well protected|top)"
    r"|(?:good|great|glad|excellent|nice) that you|keep (?:using )?(?:your|the) (?:\w+ )?|congratulations"
    r"|you can be proud|your strength|exemplary"
    r"|ты уже|молодец|отлично|прекрасно|здорово|безупречн\w{1,3}|образцов\w{1,3}|в порядке|(?:уже|вполне|хорошо"
    r"|отлично|над[её]жно) (?:защищ\w{2,4}|настро\w{2,5}|устро\w{2,4}|храни\w{1,4})|правильно дела\w{1,4}"
    r"|хорошо, что|можешь гордиться|сильн\w{2} сторон\w{1,3}|продолжай (?:хранить|пользоваться|использовать|держать)"
    r"|ya (?:tienes|usas|guardas|haces|proteges|cuentas)|bien hecho|muy bien|excelente|impecable|ejemplar"
    r"|perfect[oa]s?|en orden|(?:está|están) (?:muy )?(?:bien|perfect|protegid|en orden|segur)\w{0,3}|qué bien que"
    r"|es bueno que|puedes estar orgullos[oa]|tu punto fuerte|sigue (?:usando|guardando|así)"
)
BLAME = _any(
    r"you (?:still |also )?(?:(?:don't|do not|never) (?:\w+ )?(?:use|have|keep|check|lock|test|protect|update|own"
    r"|back|change|revoke|read|set|plan)|have no|lack|reuse|ignore|neglect|keep no|use no)|you're missing"
    r"|you are missing|your [^,.]{0,30} (?:is|are) (?:weak|missing|old|reused|unprotected|outdated|exposed|careless"
    r"|unlocked|untested|a weak spot|the weakest\w*|wide open)"
    r"|missing|no (?:backup|hardware|second factor|plan|lock)|у тебя нет|ты (?:до сих пор |всё ещё |совсем "
    r"|вообще )?(?:не |никогда не )\w+|не хватает|слаб\w{1,4}|без(?:защит\w{1,4})|устаре\w{1,5}|отсутству\w{2,4}"
    r"|под угрозой|хромает"
    r"|(?:tú )?no (?:tienes|usas|haces|guardas|revisas|proteges|compruebas)|te falta\w?|careces|débil(?:es)?"
    r"|descuidad[oa]s?|desprotegid[oa]s?|sin (?:copia|respaldo|bloqueo|plan|proteger)|obsolet[oa]s?|reutilizas"
    r"|repites"
)


def nothing_promised(given: Given) -> gates.Gate:
    """Rejects promises of safety or of lost coins, and whatever sells something; warnings of them pass."""

    def gate(text: str) -> str | None:
        for sentence in prose.read(text).sentences:
            if WARNS.search(sentence):
                continue
            for match in PROMISE.finditer(sentence):
                if not _denied(sentence, match):
                    return "a promise"
            if _unless_denied(RECOVERY, sentence) or (
                SAFE.search(sentence) and not SUPPOSED.search(sentence)
            ):
                return "a promise"
            if (
                HOUSE.search(sentence)
                or _unless_denied(ADVERT, sentence)
                or _unless_denied(COMMERCE, sentence)
            ):
                return "an advert"
        return None

    return gate


def true_of_reader(given: Given) -> gates.Gate:
    """Rejects another band than the reader's, praise for a weakness, and blame for an answer that is right."""
    bands = BANDS.get(given.lang, {})
    wrong = [
        _any(words)
        for words in bands.values()
        if given.band and not re.search(words, given.band, re.IGNORECASE)
    ]

    solid = re.search(bands.get("solid", "(?!)"), given.band, re.IGNORECASE) is not None
    grade = GRADES["bad" if solid else "good"]

    def gate(text: str) -> str | None:
        for sentence in prose.read(text).sentences:
            if given.band and FACT not in sentence and _graded(sentence, grade):
                return "another standing"
            if STANDING.search(sentence):
                found = [match for band in wrong for match in band.finditer(sentence)]
                if any(
                    not NOT.search(sentence[: match.start()]) and _stands(sentence, match) for match in found
                ):
                    return "another band"
            if not given.weak or FACT in sentence:
                continue
            named = topics(sentence, given.lang)
            if named and named <= given.weak and _unless_denied(PRAISE, sentence):
                return "praise for a weakness"
            if named and named <= given.passed and BLAME.search(sentence):
                return "blame for a right answer"
        return None

    return gate


def true_of_cases(given: Given) -> gates.Gate:
    """Rejects thefts that no slot stands for, and an end or a victim of a case that its facts do not have."""

    def gate(text: str) -> str | None:
        facts = " ".join(given.cases[key] for key in slots.keys(text) if key in given.cases).lower()
        known = {match[0].lower() for match in SOMEBODY.finditer(facts)}
        for line in prose.read(text).lines:
            sentences = prose.SENTENCE.split(line)
            for place, sentence in enumerate(sentences):
                for name, end in ENDS.items():
                    if (match := end.search(sentence)) and not (
                        ENDS_IN_FACTS[name].search(facts)
                        or NOT.search(sentence[: match.start()])
                        or _is_readers(sentence)
                    ):
                        return "an end that the case did not have"
                if LOSS.search(sentence) and not _is_readers(sentence):
                    near = " ".join(sentences[max(0, place - 1) : place + 1])
                    if FACT not in near:
                        return "a theft that was not given"
                    if {match[0].lower() for match in SOMEBODY.finditer(sentence)} - known:
                        return "a victim that was not given"
        return None

    return gate


def _graded(sentence: str, grade: re.Pattern[str]) -> bool:
    """Whether a clause calls the whole of the reader's protection so."""
    return any(
        WHOLE.search(clause) and grade.search(clause) and not NOT.search(clause)
        for clause in prose.clauses(sentence)
    )


def _is_readers(sentence: str) -> bool:
    return READER.search(sentence) is not None and FACT not in sentence


def _denied(sentence: str, match: re.Match[str]) -> bool:
    return DENIED.search(sentence[max(0, match.start() - 60) : match.start()]) is not None


def _unless_denied(pattern: re.Pattern[str], sentence: str) -> bool:
    return any(not _denied(sentence, match) for match in pattern.finditer(sentence))


def _stands(sentence: str, match: re.Match[str]) -> bool:
    """Whether a band's word says how the reader stands: after a standing's noun, not as a word of something else."""
    before = sentence[max(0, match.start() - 40) : match.start()]
    return STANDING.search(before) is not None
