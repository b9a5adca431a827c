"""The words by which `claims` tells promises, adverts, standings, losses, praise and blame. Data only."""

import re


def any_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?!\w)", re.IGNORECASE)


DENIED = any_of(
    r"not|never|no|\w+n't|nobody|nothing|neither|nor|cannot|without|не|нет|ни|никто|ничто|ничего|никогда"
    r"|нельзя|без|nunca|nadie|nada|sin|ni"
    r"|jamás|tampoco|ningun\w{1,2}|ningún|whoever|anyone who|кто|quien"
)
NOT = any_of(
    r"not|never|no|\w+n't|nobody|nothing|neither|nor|cannot|without|не|нет|ни|никто|ничто|ничего|никогда"
    r"|нельзя|без|nunca|nadie|nada|sin|ni"
    r"|jamás|tampoco|ningun\w{1,2}|ningún|if|whoever|anyone who|если|кто|si|quien"
)
PROMISE = any_of(
    r"(?:completely|totally|fully|absolutely|perfectly|entirely|permanently|forever|truly) (?:safe|secure"
    r"|protected"
    r"|immune|risk-free)"
    r"|guarantee\w{0,2}|guaranteed|bulletproof|unhackable|(?:theft|robbery|loss) (?:becomes|is|gets) impossible"
    r"|краж\w{1,2} (?:становится|станет|будет) невозможн\w{1,3}|robo (?:se vuelve|será|es) imposible"
    r"|unbreakable"
    r"|watertight|ironclad|risk-free|fool-?proof|hack-?proof"
    r"|(?:nobody|no one|no thief|nothing) (?:can|could|will) (?:ever )?(?:touch|reach|steal|take|rob|hurt"
    r"|hack|break)(?! (?:the|a|any) (?:block|chain|crypt|math|code))"
    r"|never (?:be (?:hacked|robbed|stolen)|lose|have to worry|worry)|safe forever|impossible to (?:steal"
    r"|hack|rob"
    r"|lose)"
    r"|we promise|i promise|you are safe|you're safe|you will be safe|you'll be safe"
    r"|(?:полностью|абсолютно|совершенно|навсегда|на все сто|стопроцентно|железно) (?:безопас\w{1,4}"
    r"|защищ\w{2,5}"
    r"|неуязвим\w{0,3})|гаранти\w{1,8}"
    r"|неуязвим\w{0,3}|невозможно (?:украсть|взломать|потерять)|(?:никто|ничто|ни один вор)(?: уже| больше"
    r"| никогда)? не (?:сможет|украд[её]т|взломает|доберётся|доберется|тронет|страшно)"
    r"|(?<!себе )(?<!одно )обеща\w{2,5}|стопроцентн\w{2,3}|(?:ты|будешь|станешь) в (?:полной )?безопасности"
    r"|больше никогда не (?:потеряешь|придётся)"
    r"|(?:completamente|totalmente|absolutamente|del todo|para siempre) (?:segur\w{1,2}|protegid\w{1,2}|a salvo"
    r"|blindad\w{1,2})|garanti[zcí]\w{0,8}|invulnerables?"
    r"|imposible (?:de )?(?:robar|hackear|perder)|nadie (?:podrá|puede|podría) (?:jamás "
    r"|nunca )?(?:robar\w{0,3}"
    r"|tocar\w{0,3}|quitar\w{0,4}|hackear\w{0,2})|prometemos|te prometo"
    r"|(?:estás|estarás|quedarás) (?:a salvo|segur[oa]|blindad[oa])|nunca (?:más )?(?:perderás|te robarán)"
    r"|riesgo cero|cero riesgos?|zero risk"
)
# That there is nothing left to fear. Said of a step, this is a promise whoever makes it.
SAFE = any_of(
    r"(?<!phone )(?:out of|beyond|outside) (?:the |any \w+ |every \w+ )?(?:reach|danger|harm|risk|range)"
    r"|(?:coins|funds|savings|money|words|keys) (?:are|is|stay|stays) (?!as )(?:\w+ )?(?:safe|secure)"
    r"|never (?:\w+ )?failed|rest assured"
    r"|sleep (?:well|soundly|easy|easily|better|peacefully|at night|like)|nothing (?:more |left "
    r"|else )?to (?:fear|worry about|lose)"
    r"|no (?:need|reason) to (?:worry|fear)|worry-free|peace of mind|immun(?:e|ity) (?:to|from|against)"
    r"|невосприимчив\w{1,2}|иммунитет\w{0,2} (?:к|против)|inmun\w{1,6} (?:a|ante|frente|contra)"
    r"|untouchable|in (?:safe|good) hands|nothing (?:\w+ ){0,2}happen\w*"
    r"|(?:don't|do not|never|no longer|won't) (?:have to |need to )?(?:worry|(?:think|hear) (?:about"
    r"|of) (?:theft|thieves|hackers|security|crime|any))|can (?:relax|stop worrying)|(?:be|is|are|stay"
    r"|remain)s? (?:\w+ )?(?:untouched"
    r"|unreachable|out of danger|invincible|immune)|once and for all|for good(?= ?(?:[.,;:!]|\Z))"
    r"|no (?:\w+ )?(?:hackers?|thie(?:f|ves)|attackers?|criminals?|scammers?|burglars?)"
    r"|(?:any|every) (?:hacker|thief|attacker|criminal|scammer) (?:will|would) (?:fail|give up)|(?:be|is"
    r"|are|stay|remain)s? (?:\w+ )?(?:safe|secure|protected|well protected) (?:now|from|against|afterwards|for)"
    r"|(?:вне|за пределами) (?:опасности|досягаемости|риска|угрозы)|спать (?:спокойно|крепко)"
    r"|не о ч[её]м (?:волноваться|беспокоиться|переживать)"
    r"|(?:можно|можешь|сможешь|незачем|нечего) (?:\w+ )?(?:не волноваться|не беспокоиться|не переживать"
    r"|расслабиться|забыть о|бояться)|недосягаем\w{0,3}|(?:монет|средств|деньг|слов"
    r"|ключ)\w{0,2} (?:\w+ )?в безопасности|никого (?:\w+ )?не подв\w{2,5}|nunca (?:le |les )?ha fallado"
    r"|не страш(?:ен|на|ны)"
    r"|не прид[её]тся (?:\w+ )?(?:волноваться|беспокоиться|бояться)|(?:думать|волноваться"
    r"|беспокоиться) о (?:краж|вор|хакер|безопасност)\w{0,3} (?:\w+ ){0,2}не"
    r"|не (?:дотян|добер|подбер|доста|угрож|гроз)\w{1,5}|ничего (?:\w+ )?не (?:случится|произойд[её]т"
    r"|будет|грозит|угрожает)|в надёжных руках|раз и навсегда|ничто не угрожает|(?:буд[уе]\w{1,2}"
    r"|окаж[еу]тся|остан[еу]тся|станет|станут) (?:\w+ )?(?:в (?:\w+ )?безопасности|под (?:\w+ )?защитой"
    r"|защищен\w)"
    r"|ни (?:один|одного|единого|одному) (?:\w+ )?(?:вор\w{0,2}|хакер\w{0,2}|взломщик\w{0,2}"
    r"|мошенник\w{0,2}|шанс\w{0,2}|злоумышленник\w{0,2})|(?:ворам|вору|хакерам"
    r"|мошенникам) (?:\w+ )?не (?:под силу|достан\w+|добра\w+|пробить\w*|по зубам)"
    r"|dorm\w{1,5} (?:tranquil\w{1,2}|en paz|a pierna suelta)|fuera de(?:l)? (?:alcance|peligro|riesgo)"
    r"|no (?:corre|corren|correrán|correrá) (?:ningún )?(?:peligro|riesgo)"
    r"|no (?:les |te |le )?(?:pasará|ocurrirá|sucederá) nada|nada (?:les |te |le )?(?:pasará|ocurrirá)"
    r"|intocables?|sin (?:preocupaciones|no (?:tendrás|tienes) que (?:volver a )?(?:pensar en (?:robos"
    r"|ladrones|hackers)|preocuparte)|nada que temer)|no (?:tendrás"
    r"|tienes) que (?:volver a )?(?:pensar en (?:robos|ladrones|hackers)|preocuparte)|nada que temer"
    r"|de una vez por todas|puedes (?:relajarte|olvidarte|estar tranquil[oa])|en buenas manos"
    r"|ningún (?:hacker|ladrón|atacante|estafador|delincuente|malware|virus)|ni el mejor (?:hacker"
    r"|ladrón)|(?:queda|quedan|quedará|quedarán|estarán?) (?:\w+ )?(?:a salvo|a buen recaudo"
    r"|blindad[oa]s?)|no (?:tienes|tendrás) (?:que|de qué) preocupar\w{2}"
)
# Whoever speaks for a house speaks for one that the report does not know.
HOUSE = any_of(
    r"our (?!list|plan|check|questions|words|story)\w+|we (?:can|will|could|would|may) (?!meet|see|look"
    r"|talk|be|get|start|begin)\w+"
    r"|наш(?:[аеиу]|его|ей|ем|ему|ею|им|ими|их)?|мы (?:\w+ )?[а-яё]{2,}(?:ем|им|ём)|нам|мне|nuestr[oa]s?"
    r"|te (?!v)\w{2,}[aei]mos"
    r"|así (?:\w+ )?\w{2,}mos (?:tu|te)|\w{2,}[áéí]\w{0,3}nos(?:l[aoe]s?)?"
)
COMMERCE = any_of(
    r"(?:personal|private|one-on-one|free) (?:session|call|consultation|meeting|review)s?|(?:expert"
    r"|extended|full|paid|deeper) review|first (?:search )?results?|search (?:for|engine|online)"
    r"|перв\w{2,3} результат\w{0,2}|в поиске|поисковик\w{0,2}|primer resultado|buscador|portal|dashboard"
    r"|verification page"
    r"|(?:личн|персональн|бесплатн)\w{2,3} (?:встреч|консультаци|сесси|разбор)\w{1,3}|(?:расширенн"
    r"|экспертн|платн)\w{2,3} (?:разбор|проверк|отч[её]т)\w{0,2}|портал\w{0,2}|личн\w{2,3} кабинет\w{0,2}"
    r"|(?:sesión|consulta|llamada|reunión) (?:personal|privada|gratuita)|revisión (?:ampliada|experta"
    r"|premium|completa)|portal|panel de control"
    r"|checkout|cheaper (?:for|with|here|today)|costs? (?:you )?less|pays? for (?:itself|themselves)"
    r"|professional (?:audit|review|help|service|check|advice)s?|(?<!this )(?<!the )audits?|purchases?"
    r"|pricing|price tag|bargains?"
    r"|money back|invest(?:ing|ment)s? in|worth (?:its|the|every) (?:price|money|cent|penny)|brands?"
    r"|manufacturers?|retailers?"
    r"|оформлени\w|(?:обойд\w+|выйд\w+|станет|стоит) дешевле|окуп\w{1,5} (?:себя|сам\w{0,2})"
    r"|профессиональн\w{2,3} (?:разбор|проверк|помощ|услуг)\w{0,2}|аудит\w{0,2}|покупк\w{1,3}"
    r"|цен[аеу] ниже|бренд\w{0,2}|производител\w{1,3}"
    r"|al pagar|(?:saldrá\w?|sale\w?|cuesta\w?) más barat[oa]s?|se pagan? sol[oa]s?|(?:ayuda|revisión"
    r"|servicio) profesional|auditorías?|marcas? (?:de|como)|fabricantes?|precio"
)

RECOVERY = any_of(
    r"(?:track|trace|bring|brought|claw|win|get)\w* (?:\w+ ){0,2}(?:coins|money|funds|crypto|bitcoin"
    r"|losses|everything) back|(?:brought|traced|won) back|tracked down|(?:отслед\w+|верн\w+"
    r"|возвра\w+) (?:\w+ ){0,2}(?:монет|деньг|средств)\w{0,3}|(?:монет|деньг"
    r"|средств)\w{0,3} (?:(?!не )\w+ ){0,4}(?:отслед|верн|возвра)\w{2,6}"
    r"|(?:rastre\w+|recuper\w+) (?:\w+ ){0,3}(?:traer\w*|monedas|fondos|dinero)|traer(?:l[ao]s)? de vuelta"
    r"|return stolen \w+|верн[уёе]т? украденн\w{1,3}|devuelven? lo robado|recovery (?:services?|experts?"
    r"|specialists?"
    r"|firms?|compan(?:y|ies)|agents?|teams?|hackers?)|(?:get|win"
    r"|bring) (?:your |the )?(?:coins|money|funds|crypto) back"
    r"|(?:сервис|служб|специалист|эксперт|компани|хакер|юрист)\w{0,4} по (?:возврат\w|восстановлени\w)"
    r"|верн[уёе]т? (?:тебе )?(?:монеты|деньги|средства)|возврат\w? (?:монет|денег|средств)"
    r"|(?:servicio|experto|empresa|especialista|agencia|equipo)s? de recuperación(?: de (?:fondos|cripto\w*"
    r"|monedas))?|recuperar(?:án|á|emos)? (?:tus|los) (?:fondos|monedas|criptos?)"
)
ADVERT = any_of(
    r"promo(?:tion\w*| codes?)?|coupons?|discounts?|vouchers?|sponsor\w{0,4}|affiliate\w{0,1}|referrals?"
    r"|partner (?:shop|store|offer|company|programme?|link)s?"
    r"|special offers?|limited offers?|premium|subscri\w{2,7}"
    r"|free trial|on sale|best deals?|buy now|order now|sign up|our (?:shop|store|product|service|offer"
    r"|plan|course"
    r"|newsletter)|upgrade to|paid (?:plan|audit|service)"
    r"|промокод\w{0,3}|купон\w{0,3}|скидк\w{1,3}|спонсор\w{0,5}|наш\w{0,3} партн[её]р\w{0,6}|реферальн\w{1,4}"
    r"|реклам\w{1,7}|акци[яиюей]{1,2}|премиум\w{0,2}|подписк[аеуио]\w{0,2}|выгодн\w{1,4} (?:цен|услови"
    r"|предложени)\w{1,3}"
    r"|бесплатн\w{1,4} период\w{0,2}|закажи|купи|приобрети|покупай|наш\w{0,3} (?:магазин\w{0,2}|сервис\w{0,2}"
    r"|продукт\w{0,2}|курс\w{0,2}|тариф\w{0,2})"
    r"|código promocional|promoci[oó]n\w{0,2}|cup[oó]n\w{0,2}|descuentos?|patrocin\w{2,6}|afiliad\w{1,2}"
    r"|referid\w{1,2}|nuestr[oa]s? soci[oa]s?|ofertas?|suscri\w{2,8}|prueba gratuita"
    r"|cómpra\w{0,4}|compra (?:ya|ahora|el|la|un|una|tu)|aprovecha la|nuestr[oa] (?:tienda|producto"
    r"|servicio|curso"
    r"|plan)|rebaja\w?|recomienda a un amigo|invita a (?:un |tus )?amig\w{1,2}|invite a friend|пригласи друга"
)
LATER = any_of(
    r"will|'ll|after\w*|once|then|never|forever|for good|буд\w{1,3}|после|тогда|никогда|навсегда"
    r"|\w+rá[sn]?|después|nunca|siempre"
)
SUPPOSED = any_of(
    r"whoever|anyone who|if|кто|если|quien|si|pretend\w*|claim\w*|сул\w{1,4}|обеща\w{2,4}|promet\w{1,4}"
)
WARNS = any_of(
    r"ignore|beware|scam\w{0,5}|fake|fraud\w{0,4}|thie(?:f|ves)|обман\w{0,3}|мошенни\w{1,5}|игнорируй"
    r"|estafa\w{0,4}|falso\w?|ignora|ladr\w{2,4}|trampas?|phishing|adblock\w*|block\w{0,3}|блокир\w+|bloque\w+"
)

STANDING = any_of(
    r"scores?|results?|rating|level|band|standing|overall|protection|setup|set-up|security|defen[cs]es?|you are"
    r"|you're|балл\w{0,2}|результат\w{0,2}|уров\w{2,4}|оценк\w{1,2}|защит\w{1,2}"
    r"|ты в|puntuación|puntaje|resultado|nivel|protección|seguridad|defensas?|eres|estás"
)
WHOLE = any_of(
    r"(?:your|the|this) (?:overall |current |whole |general )?(?:scores?|results?|rating|level|standing"
    r"|protection|setup|set-up|security|defen[cs]es?|position)"
    r"|overall|you are doing|you're doing|on the whole"
    r"|(?:твой|твоя|твоего|твоей|твою|твои|у тебя) (?:общ\w{2,3} )?(?:балл|результат|уровень|оценка"
    r"|защита|защиту|безопасность|положение)|в целом"
    r"|(?:tu|el) (?:puntuación|puntaje|resultado|nivel|protección|seguridad|defensa|posición"
    r"|situación)(?: general| actual)?|en general|en conjunto"
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

LOSS = any_of(
    r"lost|was robbed|were robbed|was drained|were drained|was hacked|were hacked|was emptied|stole|was stolen"
    r"|got hacked|was tricked|were tricked|fell for|was scammed|were scammed|got robbed"
    r"|потерял\w{0,2}|лишил\w{1,4}|украли|украл|обокрали|ограбили|увели|взломали|обчистили|обманули"
    r"|попал\w{0,2}ся"
    r"|остал\w{1,3} без"
    r"|perdió|perdieron|robaron|robó|vació|vaciaron|engañaron|hackearon|estafaron|cayó|cayeron|se quedó sin"
)
READER = any_of(r"you|your|ты|тебя|тебе|твои|твоя|твоё|твой|tú|tus?|te|perdiste|perderías|потеряешь")
SOMEBODY = any_of(
    r"another|neighbou?rs?|colleagues?|cousins?|friends?|brother|uncle|acquaintances?|clients?|customers?"
    r"|pensioners?|retirees?|couple|students?|nurses?|doctors?|teachers?|developers?|founders?"
    r"|investors?|traders?|employees?|engineers?|musicians?|celebrit\w+|influencers?|streamers?|bank"
    r"|company|firm|hospital|exchange|widow|grandmother|family|politician|businessman|businesswoman"
    r"|artist|dao|fund|man|woman|guy"
    r"|друг\w{0,4}|сосед\w{0,3}|коллег\w{1,2}|знаком\w{2,4}|клиент\w{0,3}|пенсионер\w{0,3}|студент\w{0,3}"
    r"|врач\w{0,2}|учител\w{1,4}|разработчик\w{0,3}|основател\w{1,3}|инвестор\w{0,3}|трейдер\w{0,3}"
    r"|сотрудник\w{0,3}"
    r"|инженер\w{0,3}|музыкант\w{0,3}|блогер\w{0,3}|стример\w{0,3}|банк\w{0,2}|компани\w{1,2}|фирм\w{1,2}"
    r"|больниц\w{1,2}|бирж\w{1,2}|вдов\w{1,2}|бабушк\w{1,2}|семь\w{1,2}|политик\w{0,2}|бизнесмен\w{0,2}"
    r"|художни\w{1,3}|фонд\w{0,2}|мужчин\w{1,2}|женщин\w{1,2}|пар[аеуы]"
    r"|otr[oa]s?|vecin[oa]s?|colegas?|compañer[oa]s?|prim[oa]s?|amig[oa]s?|conocid[oa]s?|clientes?"
    r"|jubilad[oa]s?|pareja|estudiantes?|enfermer[oa]s?|médic[oa]s?|maestr[oa]s?|desarrollador\w{0,2}"
    r"|fundador\w{0,2}"
    r"|inversor\w{0,2}|inversionistas?|emplead[oa]s?|ingenier[oa]s?|músic[oa]s?|famos[oa]s?|banco|empresa"
    r"|hospital|viuda|abuela|familia|polític[oa]|empresari[oa]|artista|fondo|hombre|mujer"
)
ENDS = {
    "returned": any_of(
        r"(?:was|were|got|is|been|has|had|all|everything|money|coins|funds) (?:\w+ )?(?:returned|refunded"
        r"|recovered"
        r"|reimbursed|compensated|given back|repaid)|got (?:\w+ ){0,3}back|gave (?:\w+ ){0,3}back"
        r"|(?:returned|refunded|recovered|reimbursed|compensated|repaid) (?:\w+ ){0,3}(?:money|coins|funds"
        r"|everything|all|victims?|loss(?:es)?|him|her|them)|came back|paid back|made whole|insurance paid"
        r"|вернул\w{0,4}|возвратил\w{0,4}|возместил\w{0,2}|компенсировал\w{0,2}|страхов\w{2,4} (?:вы"
        r"|за)плати\w{1,3}"
        r"|получил\w{0,2} (?:\w+ )?(?:назад|обратно)|(?:деньги|монеты|вс[её]) (?:\w+ )?(?:назад|обратно)"
        r"|recuperó|recuperaron|devolvió|devolvieron|devuelt[oa]s?|reembols\w{1,5}|compens[oó]\w{0,4}"
        r"|indemniz\w{1,5}|el seguro pagó"
    ),
    "caught": any_of(
        r"arrested|caught|convicted|jailed|sentenced|in prison|behind bars|арестова\w{1,4}|пойма\w{1,4}"
        r"|задержа\w{1,4}|осужд\w{1,4}|посади\w{1,4}|за решётк\w{1,2}|в тюрьм\w{1,2}"
        r"|arrest(?:ó|aron|ad[oa]s?)|detuv\w{2,5}|detenid[oa]s?|condenad[oa]s?|encarcelad[oa]s?|en la cárcel"
        r"|atrap(?:ó|aron)"
    ),
    "unharmed": any_of(
        r"lost nothing|no loss|without (?:any )?loss|stopped it in time|at the last (?:moment|second|minute)"
        r"|noticed in time|ничего не потерял\w{0,2}|без потерь|вовремя заметил\w{0,2}|в последний момент"
        r"|обош\w{1,4}"
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
    "good": any_of(
        r"excellent|perfect|ideal|outstanding|great|superb|exemplary|flawless|top[- ]notch|impressive"
        r"|strong|rock[- ]solid|very good|quite good|pretty good|good"
        r"|отличн\w{1,3}|идеальн\w{1,2}|превосходн\w{1,2}|прекрасн\w{1,2}|безупречн\w{1,2}"
        r"|образцов\w{1,2}|сильн\w{1,2}|хорош\w{1,3}|мощн\w{1,2}|на высоте"
        r"|excelen\w{2,4}|perfect[oa]s?|ideal\w{0,2}|impecables?|ejemplar\w{0,2}|fuertes?|muy buen[oa]s?"
        r"|buen[oa]s?|extraordinari[oa]s?|magnífic[oa]s?|sobresalientes?"
    ),
    "bad": any_of(
        r"terrible|poor|disastrous|catastrophic|hopeless|dreadful|awful|very low|alarming|dismal"
        r"|ужасн\w{1,3}|катастрофическ\w{2,3}|плох\w{1,2}|очень низк\w{2,3}|безнадёжн\w{1,3}|никуд\w+"
        r"|провальн\w{1,3}|удручающ\w{2,3}"
        r"|terribles?|pésim[oa]s?|desastros[oa]s?|catastrófic[oa]s?|muy baj[oa]s?|mal[oa]s?|alarmantes?"
        r"|lamentables?"
    ),
}
PRAISE = any_of(
    r"you already|you have already|well done|you (?:do|handle|manage|keep|use|have) (?:this|that|it|your|the"
    r"|an?)?[^,.]{0,40} (?:well|right|correctly|safely|properly|perfectly)|good job|great job|nice work"
    r"|already (?:strong|safe|good|excellent|solid|in order|perfect|protected|secure|right)|(?:is"
    r"|are) (?:strong"
    r"|excellent|solid|in order|perfect|exemplary|impeccable|in good shape|in great shape|well protected|top)"
    r"|(?:good|great|glad|excellent|nice) that you|keep (?:using )?(?:your|the) (?:\w+ )?|congratulations"
    r"|you can be proud|your strength|exemplary"
    r"|ты уже|молодец|отлично|прекрасно|здорово|безупречн\w{1,3}|образцов\w{1,3}|в порядке|(?:уже|вполне|хорошо"
    r"|отлично|над[её]жно) (?:защищ\w{2,4}|настро\w{2,5}|устро\w{2,4}|храни\w{1,4})|правильно дела\w{1,4}"
    r"|хорошо, что|можешь гордиться|сильн\w{2} сторон\w{1,3}|продолжай (?:хранить|пользоваться"
    r"|использовать|держать)"
    r"|ya (?:tienes|usas|guardas|haces|proteges|cuentas)|bien hecho|muy bien|excelente|impecable|ejemplar"
    r"|perfect[oa]s?|en orden|(?:está|están) (?:muy )?(?:bien|perfect|protegid|en orden|segur)\w{0,3}"
    r"|qué bien que"
    r"|es bueno que|puedes estar orgullos[oa]|tu punto fuerte|sigue (?:usando|guardando|así)"
)
BLAME = any_of(
    r"you (?:still |also )?(?:(?:don't|do not|never) (?:\w+ )?(?:use|have|keep|check|lock|test|protect"
    r"|update|own"
    r"|back|change|revoke|read|set|plan)|have no|lack|reuse|ignore|neglect|keep no|use no)|you're missing"
    r"|you are missing|your [^,.]{0,30} (?:is|are) (?:weak|missing|old|reused|unprotected|outdated"
    r"|exposed|careless"
    r"|unlocked|untested|a weak spot|the weakest\w*|wide open)"
    r"|missing|no (?:backup|hardware|second factor|plan|lock)|у тебя нет|ты (?:до сих пор |всё ещё |совсем "
    r"|вообще )?(?:не |никогда не )\w+|не хватает|слаб(?!ее|ейш)\w{1,4}|без(?:защит\w{1,4})|устаре\w{1,5}"
    r"|отсутству\w{2,4}"
    r"|под угрозой|хромает|настежь|нараспашку|нет"
    r"|(?:tú )?no (?:tienes|usas|haces|guardas|revisas|proteges|compruebas)|te falta\w?|careces"
    r"|(?<!más )débil(?:es)?"
    r"|descuidad[oa]s?|desprotegid[oa]s?|de par en par|sin (?:copia|respaldo|bloqueo|plan|proteger)"
    r"|obsolet[oa]s?|reutilizas"
    r"|repites"
)
