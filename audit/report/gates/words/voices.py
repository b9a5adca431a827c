"""The closed words of a report's form, by language: who may act in a story, how its sentences may begin, and what none
of them holds. Only closed classes (pronouns, auxiliaries, negations, judgements) are listed; nouns and verbs are free.
"""

import re
from dataclasses import dataclass

from audit.report.gates.prose import word_set


@dataclass(frozen=True, slots=True)
class Voice:
    """The story's sentences: each names the `thief` and begins with a `start`, none holds any of `never`.

    gives_up: how a thief would fail; harmless: what may be denied; lame: what a sentence without a thief does not hold;
    why: what a reason begins with; adverbs: starts behind which the one who acts must follow; private: what no story
    tells of the reader; order: all the words between the fixes of a plan; kept: all those beside an answer that is
    right; lead: all those beside a case.
    """

    thief: re.Pattern[str]
    starts: frozenset[str]
    adverbs: frozenset[str]
    never: dict[str, re.Pattern[str]]
    gives_up: re.Pattern[str]
    harmless: re.Pattern[str]
    lame: re.Pattern[str]
    why: re.Pattern[str]
    private: frozenset[str]
    order: frozenset[str]
    kept: frozenset[str]
    lead: frozenset[str]


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w])", re.IGNORECASE)


EN = Voice(
    thief=_any(
        r"thie(?:f|ves)(?:'s?)?|he|him|his|himself|attackers?(?:'s?)?|criminals?(?:'s?)?|scammers?(?:'s?)?"
        r"|intruders?(?:'s?)?|burglars?(?:'s?)?|strangers?(?:'s?)?|she|her|they|them|their"
    ),
    harmless=_any(
        r"(?:in )?no (?:hurry|rush|need|trace|sound|noise|alarm|warning|time|more|longer)"
        r"|no ?(?:one|body) (?:notices|sees"
        r"|looks|hears|watches|asks)|(?:does not|doesn't|not|need not) (?:need|even|far|long|only|just|have to"
        r"|hurry|rush)"
        r"|nothing (?:more|else)"
        r"|without (?:a (?:sound|trace|word|fight|hurry|single)|any|haste|noise|alarm|hurry|effort)"
        r"|as if|so far|no (?:password|code|alert|force|luck needed)"
    ),
    lame=_any(
        r"is|are|can|could|may|might|would|your|got|came|gave|made|ran|paid|took|went|stole"
        r"|\w+ed (?:the|a|an|his|her|to|by|for|it|them|that|from)"
    ),
    why=_any(r"because|since|(?<=, )as (?=he|the|it|they|his|your)"),
    starts=word_set(
        "a an the this that these those it its your he his she her they their one another each every all both some "
        "thief thieves attackers "
        "in on at by from for of to with within into inside behind over under after before between during through "
        "along across around near past until till beyond beside besides among against about as like "
        "because since while when where once "
        "then next now first second third finally later soon afterwards meanwhile here there so also still even "
        "thus therefore again only just already instead eventually quickly quietly slowly often usually "
        "and but or what whoever whatever everything minutes hours days"
    ),
    adverbs=word_set(
        "then next now first second third finally later soon afterwards meanwhile here there so also still even "
        "thus therefore again only just already instead eventually quickly quietly slowly often usually and but or"
    ),
    never={
        "speaks to the reader": _any(r"you(?:'\w+)?|yours|yourself|please|dear|let's|let us|remember"),
        "speaks for somebody": _any(r"we(?:'\w+)?|us|our|ours|i|i'm|i'd|i've|i'll|me|my|mine"),
        "says what ought to be": _any(
            r"should|must|ought|shall|will|\w+'ll|supposed to|better off|had better|(?:is|are) to"
            r"|worth|advisable|recommend\w*|advis\w+|suggest\w*|sensible|wise|make sure|tips?"
        ),
        "says what is not": _any(
            r"no|not|\w+n't|cannot|never|nothing|nobody|none|nowhere|neither|nor|without|hardly|barely|unable"
            r"|unless|if|otherwise|no one|instead of|except|refuses?|impossible"
        ),
        "tells of the past": _any(
            r"ago|(?:since|last|this) (?:spring|summer|autumn|winter|fall)"
            r"|last (?:year|month|week|spring|summer|winter|autumn|fall)|yesterday|recently|once upon"
            r"|(?<!as )(?<!that )(?:he|she|they|thief|thieves|who|attackers?|criminals?|it|this|there) (?:\w+ly )?"
            r"(?:(?!need|feed|speed|proceed|succeed|exceed)\w+ed|found|lost|sent|made|bought|paid|caught"
            r"|kept|left|met"
            r"|went|came|took|stole|saw|gave|wrote|knew|began|became|fell|got|said|told|spent|ran"
            r")|(?<!as it )(?<!as )(?<!that )(?<!which )(?<!what )(?:was|were|had|did)"
        ),
        "judges": _any(
            r"safe|safer|safest|safely|safety|secure[sd]?|secur(?:ely|er|est)|protect\w*|better|best"
            r"|harmless|reliabl\w+"
            r"|trustworthy|ideal|okay|guarant\w+|excellent|impressive|careless|stupid|foolish|lazy|risk-free"
            r"|premium|discounts?|coupons?|sponsor\w*|refund\w*|affordable|average|percent|majority"
            r"|insured|insurance"
            r"|compensat\w+|prisons?|jail|police|courts?|trial|sentenced|arrest\w*|caught|convicted"
            r"|(?:this|that) case"
            r"|wife|husband|children|kids|famil(?:y|ies)|mother|father|sister|brother|dentist|doctor|teacher"
            r"|pensioner"
            r"|(?:knows|sees|learns|hears|remembers) (?:that )?(?:the|your) (?:owner|victim)|checks? like this"
            r"|habit of|a grade|envies|admires|detests|dislikes|flawless|impeccable"
            r"|(?:pays?|paid|gives?|gave) (?:\w+ ){0,3}back|good idea|good enough|hard time|no match|scores?"
        ),
    },
    gives_up=_any(
        r"gives? (?:up|back|in)|giving up|fails?|failing|stops|stopped|stuck|loses|avoids?|skips?|spares|ignores"
        r"|passes? (?:by|over)|turns? (?:away|back|around)|moves? on|goes home|walks? (?:away|off|past|by)"
        r"|empty(?:-handed)?|leaves? (?:alone|\w+ (?:alone|be)|a \w+ alone)|in vain"
        r"|(?:is|are|gets) (?:blocked|locked out)"
        r"|returns? (?:the|all|every)|pays? back|retreats?|withdraws? (?:from|himself)|backs? (?:off|away|out)|wall"
        r"|dead end|looks? elsewhere|stays? (?:out|outside|away)|shrugs|curses|hates|despairs|has to (?:stop|leave)"
        r"|bounces|no luck|sends? back|beyond (?:his|their) reach|out of (?:his|their) (?:reach|hands)"
        r"|powerless|helpless"
        r"|hold there|likes (?:such|this|the|your)|immune|fears|(?:stays?|stands?|remains?) outside"
        r"|is history|no chance|out of (?:\w+ ){0,2}reach|worthless|dies|resists?|withstands?|bring(?:s)? them back"
    ),
    private=word_set(
        "score scores band rating level grade result results answer answers report audit check "
        "plan test city town "
        "country job boss salary age wife husband partner brother sister mother father son "
        "daughter children family "
        "parents girlfriend boyfriend lawyer accountant adviser advisor habit habits mistake mistakes"
    ),
    order=word_set(
        "and then after that first next last finally also followed by in this order with lastly "
        "plus before at the "
        "end"
    ),
    kept=word_set(
        "keep already right and stays stay as it is this these good worth keeping also too in place"
    ),
    lead=word_set(
        "it this that has have happened happens happen before like so in real life is was what how "
        "way the same a case "
        "case exactly just it's went looks looked see read for example and really recently similar here"
    ),
)

_VERBS_2SG = (
    r"eres|estás|tienes|has|puedes|debes|quieres|vas|haces|sabes|guardas|usas|entras|abres|confías|necesitas|dejas"
    r"|pones|crees|recibes|ves|dices|das|pierdes|mantienes|podrás|tendrás|serás|estarás|perderás|deberías|podrías"
    r"|tendrías|conservas|cambias|sigues|hagas|tengas|seas|dejes|guardes|uses|olvides|compartas"
    r"|pierdas|quieras|puedas"
    r"|\w{2,}(?:aste|iste)"
)
ES = Voice(
    thief=_any(
        r"ladr[oó]n(?:es)?|él|ellos|le|les|su|sus|suy[oa]s?|atacantes?|delincuentes?|estafador(?:es)?|intrusos?"
        r"|criminal(?:es)?|desconocidos?"
    ),
    harmless=_any(
        r"no (?:tiene prisa|tienen prisa|necesita|le hace falta|hace ruido|nota|ve|tarda|solo|espera|deja rastro)"
        r"|sin (?:prisa|ruido|esfuerzo|dejar|que nadie|una sola|más|rastro|forzar|saberlo|hacer ruido)"
        r"|nadie (?:nota|ve|mira|oye|se da cuenta)|nada más"
    ),
    lame=_any(r"es|son|está|están|sería|puede|pueden|podría|tus?|hay|sirven?|valen?"),
    why=_any(r"porque|pues|ya que|puesto que|dado que|debido a"),
    starts=word_set(
        "el la los las un una unos unas este esta estos estas ese esa esos esas eso esto aquel "
        "aquella él ellos su sus "
        "cada todo toda todos todas otro otra ambos ambas uno lo se le les "
        "tu tus en con de del antes minutos horas días semanas segundos meses debajo encima cerca lejos "
        "fuera desde al a por para sin tras hasta entre sobre bajo ante contra hacia según durante "
        "mediante "
        "dentro detrás junto "
        "porque como cuando mientras donde aunque pues ya "
        "luego después entonces ahora primero segundo tercero finalmente así también allí ahí aquí además incluso "
        "pronto enseguida más mientras por solo apenas poco y pero o quien lo ladrón ladrones"
    ),
    adverbs=word_set(
        "luego después entonces ahora primero segundo tercero finalmente así también allí ahí aquí "
        "además incluso pronto "
        "enseguida ya solo y pero o pues"
    ),
    never={
        "speaks to the reader": _any(
            rf"tú|te|ti|contigo|tuy[oa]s?|usted(?:es)?|vos|vosotr[oa]s|os|vuestr[oa]s?|{_VERBS_2SG}|por favor"
            r"|recuerda|\w{0,8}[áéíóú]\w{0,5}[ae](?:l[aoe]s?|mel[ao]s?|sel[ao]s?|nosl[ao]s?|te)"
        ),
        "speaks for somebody": _any(
            r"yo|me|mí|mi|mis|conmigo|nos|nosotr[oa]s|nuestr[oa]s?"
            r"|(?!extremos|supremos|tramos|gramos|(?:últ|próx|mín|máx|ínt|anón|legít)imos)\w{2,}(?:amos|emos|imos)"
        ),
        "says what ought to be": _any(
            r"deb(?:e|en|er\w*|ía\w*)|conviene\w*|convendría|hay que|habría que|tiene que|basta|bastaría|recom\w+"
            r"|aconsej\w+|suger\w+|sugier\w+|vale la pena|es hora|hace falta|sería|lo mejor|asegúr\w+|procur\w+"
            r"|evit[ae]r?|consejos?|\w{3,}ir?emos"
        ),
        "says what is not": _any(
            r"no|nunca|jamás|nada|nadie|ningun[oa]s?|ningún|ni|sin|tampoco|(?<!como )si|salvo|excepto|imposible"
            r"|a menos que|en vez de|en lugar de|rechaz\w+|incapaz"
        ),
        "tells of the past": _any(
            r"fue|fueron|era|eran|había|habían|hizo|hicieron|dijo|tuvo|pudo|puso|vino|quiso|supo|dio|vio"
            r"|estuvo|estaba|estaban|tenía|tenían|(?!acaba|graba|alaba|traba)\w{2,}(?:ió|aron|ieron|aba"
            r"|aban)|(?!\w*(?:ací|alg)ó)\w{2,}[b-df-hj-np-tv-zñ]ó"
            r"|desde (?:la primavera|el verano|el otoño|el invierno)|ayer|anoche|el año pasado|recientemente"
            r"|hace (?:un|una|dos|tres|varios|unos|poco|años|meses)"
        ),
        "judges": _any(
            r"segur[oa]s?|a salvo|proteg\w+|protecci\w+|mejor(?:es)?|fiables?|confiables?|ideal(?:es)?"
            r"|inofensiv\w+"
            r"|garant\w+|excelentes?|impresionante|descuid\w+|tont[oa]s?|premium|descuentos?|cup[oó]n(?:es)?"
            r"|patrocin\w+|reembols\w+|promedio|porcentaje|mayoría|indemniz\w+|fuera del alcance|cárcel|prisión"
            r"|policía|tribunal|juez|juicio"
            r"|detenid\w+|arrest\w+|condenad\w+|(?:este|ese|aquel) caso|esposa|marido|hijos?|hijas?|familias?"
            r"|madre|padre"
            r"|hermana|hermano|dentista|médic[oa]|jubilad[oa]|que (?:el|la) (?:dueñ[oa]|víctima|propietari[oa])"
            r"|al (?:dueño|propietario)"
            r"|costumbre del|envidia|admira|detesta|impecables?|aprobado|suspenso|buena idea|puntuación"
            r"|puntaje|puntos"
        ),
    },
    gives_up=_any(
        r"se (?:rinde|retira|detiene|va|marcha|aleja|cansa|atasca|estrella|queda (?:fuera|ante|sin))|desiste|fracasa"
        r"|renuncia|pasa de largo|evita|esquiva|ignora|maldice|odia|abandona|falla|en vano"
        r"|(?:queda|está|es) bloquead[oa]s?|devuelven?"
        r"|deja (?:en paz|la frase|las monedas)|pierde|da media vuelta|retrocede|muro|pared|callejón"
        r"|manos vacías|de vacío"
        r"|to[pc]a con|choca|tropieza|impotente|inmune|teme|pasa por alto|es pasado|muere|resiste"
        r"|traen? de vuelta|otra parte|queda ante|le gusta"
    ),
    private=word_set(
        "puntuación puntaje nota nivel resultado resultados respuesta respuestas informe auditoría "
        "plan test prueba ciudad "
        "pueblo país trabajo jefe sueldo edad esposa esposo mujer marido pareja hermano hermana "
        "madre padre hijo hija "
        "hijos familia padres novia novio abogado asesor hábito hábitos error errores"
    ),
    order=word_set(
        "y luego después primero por último además también en este orden seguido seguida de con "
        "más antes finalmente al "
        "final a continuación e"
    ),
    kept=word_set(
        "conserva ya está bien y así esto estas estos sigue lo que es correcto también vale mantén mantener"
    ),
    lead=word_set(
        "ya ha pasado ocurrió ha ocurrido sucedió ha sucedido pasó esto así lo mismo como en el un "
        "caso real caso de esto "
        "es fue que este eso exactamente por ejemplo y muy parecido hay le la historia"
    ),
)

RU = Voice(
    thief=_any(
        r"вор\w{0,4}|он|его|ему|им|н[её]м|него|нему|ним|сво\w{1,4}|себ[яе]|собой"
        r"|злоумышленник\w{0,3}|мошенник\w{0,3}"
        r"|преступник\w{0,3}|они|их|чужак\w{0,3}|чужой человек|незнаком\w{2,4}|взломщик\w{0,3}"
    ),
    harmless=_any(
        r"(?:никуда |никогда |совсем )?не (?:торопится|спешит|нуж\w{2,3}|замечает|видит|спит|привлекая|вызывая"
        r"|дожидаясь|только|сразу|глядя|смотрит|тратит|спрашивает|ломает|шумит)|(?:никто"
        r"|хозяин) (?:ничего )?не (?:замечает|видит"
        r"|смотрит|слышит|знает)|без (?:шума|спешки|следов|следа|труда|лишн\w+|помех|стука|единого|всякого"
        r"|усилий|звука)"
        r"|как если бы|будто бы|как бы"
    ),
    lame=_any(r"тво\w{1,3}|есть"),
    why=_any(r"потому что|ведь|поскольку|так как|из-за того"),
    starts=frozenset(),  # word forms tell it
    adverbs=frozenset(),
    never={
        "speaks to the reader": _any(
            r"ты|тебя|тебе|тобой|вы|вас|вам|вами|ваш\w{0,3}|пожалуйста|давай|пусть|помни|запомни"
        ),
        "speaks for somebody": _any(r"мы|нас|нам|нами|наш\w{0,3}|я|меня|мне|мной|мо[йяеёюи]\w{0,2}"),
        "says what ought to be": _any(
            r"(?:нужно|надо|необходимо|следует|можно|достаточно|стоит|пора) (?:\w+ )?\w+(?:ть|ти|чь)(?:ся)?|лучше"
            r"|рекоменд\w+|совет\w+|должн?\w{1,2}|должен"
            r"|желательно|разумн(?:о|ее|ы)|полезн(?:о|ее|ы)|удобн(?:о|ее|ы)|важно|придётся|бы|имеет смысл"
            r"|не помешает"
            r"|проще всего|лучший"
            r"|лучшая|лучшее|вариант\w{0,2}|выгодн\w+|буд(?:ет|ут)"
        ),
        "says what is not": _any(
            r"не|ни|нет|нельзя|никогда|никто|никого|никому|ничего|ничто|ничем|нигде|никак\w{0,3}|без|если|иначе"
            r"|невозможн\w+|кроме|вместо|разве"
        ),
        "tells of the past": _any(r"был\w?|с (?:весны|лета|осени|зимы)|вчера|недавно|назад|в прошлом"),
        "judges": _any(
            r"безопасн(?!ост)\w+|в безопасности|над[её]жн\w+|защит\w+|защищ\w+|отличн\w+|правильн\w+|нормальн\w+"
            r"|гарант\w+|глуп\w+"
            r"|беспечн\w+|премиум\w*|скидк\w+|купон\w*|промокод\w*|спонсор\w*|возмещ\w+|страховк\w+"
            r"|среднем|процент\w*"
            r"|большинств\w+|безвредн\w+|спокоен|молодец|балл\w{0,3}|тюрьм\w+|полици\w+|суд(?:а|ом|е|у)?"
            r"|арест\w+|пойма\w+|задерж\w+|осужд\w+"
            r"|(?:этого|того|этом|том) (?:случа\w+|дел\w+)|жен[аыуе]|муж\w?|дет(?:и|ей|ям)|семь[яиюе]\w?|мать"
            r"|отец|сестр\w|брат\w?"
            r"|врач\w{0,3}|учител\w+|пенсионер\w*|что (?:хозя\w+|владел\w+|жертв\w+)|привычк\w+ (?:хозя|владел)\w+"
            r"|завиду\w+|восхища\w+|безупречн\w+|оценк\w+|тройк\w+|двойк\w+|экономи\w+|подход(?:ит|ят)|год[ия]тся"
            r"|вне опасности|недосягаем\w*"
        ),
    },
    gives_up=_any(
        r"сда[её]тся|уходит (?:ни|с пуст|прочь|восвояси)|отступа\w+|останавлива\w+|бросает|терпит"
        r"|(?:про|ид[её]т )мимо"
        r"|проходит мимо|теряет|обходит|возвраща\w+|зря|впустую|заблокирован[аоы]?|оставляет в покое|разворачива\w+"
        r"|поворачива\w+|отста[её]т|отказыва\w+|пропускает|боится|терпеть|пусто|лишает силы|гибнет|умирает"
        r"|снаружи|за дверью|стен[аыуой]{1,2}|тупик\w*|упирается|натыка\w+|застрева\w+|бессил\w+"
        r"|ругает|проклина\w+|ненавидит|не по зубам|пустыми руками|устойчив\w+|нравится|мимо"
    ),
    private=word_set(
        "балл счёт оценка уровень результат ответ отчёт аудит проверка план тест город страна "
        "работа начальник зарплата "
        "возраст жена муж партнёр брат сестра мать отец мама папа сын дочь дети ребёнок семья "
        "родитель девушка парень "
        "юрист бухгалтер консультант привычка ошибка"
    ),
    order=word_set(
        "и потом затем после этого сначала далее наконец также следом за ними в таком порядке а ещё плюс"
    ),
    kept=word_set(
        "оставь как есть и уже верно правильно так это сохрани тоже по-прежнему пусть остаётся в силе"
    ),
    lead=word_set(
        "это уже было так бывало случалось случилось произошло происходило бывает и именно в жизни "
        "реальный случай вот "
        "похожий похожая история так же как точно например настоящий такое с на деле"
    ),
)

VOICES = {"en": EN, "es": ES, "ru": RU}
