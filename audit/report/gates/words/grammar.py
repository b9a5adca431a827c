"""How a sentence says what it says, in three languages: who acts in it, what it weighs, what it denies. Data only.

These are small classes of words, most of them closed: modal verbs, persons, denials. What a sentence is about is in
`lexicon` and `topics`.
"""

import re
from dataclasses import dataclass


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Patterns of one language.

    matter: things of which a report's own words neither recommend nor report anything; threat: who or what acts
    against the reader, and what then happens; weighs: what makes a recommendation of a clause without an imperative;
    idea: of a sentence, whatever else is in it; refuses: what makes a warning of it; claims, owned: that the reader
    does or has something, and what became of it; supposed: that he may, or that it is a question; past, someone: that
    something has happened, and to whom; told_of: what the past of a report may be about, but for cases; compared: with
    other people; person: who he is.
    """

    matter: re.Pattern[str]
    threat: re.Pattern[str]
    weighs: re.Pattern[str]
    idea: re.Pattern[str]
    refuses: re.Pattern[str]
    claims: re.Pattern[str]
    owned: re.Pattern[str]
    supposed: re.Pattern[str]
    past: re.Pattern[str]
    someone: re.Pattern[str]
    told_of: re.Pattern[str]
    compared: re.Pattern[str]
    person: re.Pattern[str]


EN = Grammar(
    matter=_any(
        r"(?<!plain )(?<!own )(?<!few )(?<!simple )words|seeds?|phrases?|mnemonics?|keys?|passphrases?"
        r"|passwords?"
        r"|pins?|codes?|plates?|backups?|cop(?:y|ies)|photos?|pictures?|screenshots?|albums?|notes"
        r"|secrets?|coins?"
        r"|crypto|funds|savings|balances?|holdings|wallets?|tokens?|transactions?|transfers?|approvals?"
        r"|permissions?"
        r"|allowances?|signatures?|address(?:es)?|second factors?|2fa|authenticators?|passkeys?|antivirus"
        r"|updates?"
        r"|blockers?|extensions?|apps?|software|links?|qr|bots?|accounts?|sim|cards?|exchanges?|e-?mails?"
        r"|mailbox(?:es)?"
        r"|inbox|clouds?|browsers?|devices?|laptops?|phones?|computers?|drives?|hardware|multisig|vaults?"
        r"|firms?"
        r"|services?|support|screens?|agents?|specialists?|experts?|professionals?|lawyers?|checkers?|scanners?"
    ),
    threat=_any(
        r"thie(?:f|ves)|attack\w*|somebody|someone|anyone|anybody|whoever|strangers?|malware|stealers?|robbers?"
        r"|criminals?|scam\w*|fraud\w*|burglars?|intruders?|impost[eo]rs?|he|she|they|him|his|victims?|hackers?"
        r"|drainers?|enem(?:y|ies)|opponents?|steal\w*|stole\w*|rob\w*|drain\w*|hijack\w*|intercept\w*"
        r"|trick\w*|fak\w+|phish\w*"
        r"|leak\w*|copied|lost|lose|loss|gone|vanish\w*|empt(?:y|ied|ies)|fall\w*|fell|reset\w*|brok\w+"
        r"|break\w*|taken over"
        r"|follow|weak\w*|risk\w*|danger\w*|expos\w+|bad|wrong|malicious|mistakes?|door|chain|path|route"
        r"|road|way in"
    ),
    weighs=_any(
        r"should|must|needs?|needn't|ought|has to|have to|had better|(?:can|could|may|might) (?:\w+ )?be"
        r"(?! (?:read|guessed|reached|seen|taken|used against|undone|reversed|opened))"
        r"|(?:you|one) (?:can|could|may|might)"
        r"|best|better|simplest|easiest|sensible|wise|smart|reasonable|fine|handy|practical|ideal\w*"
        r"|natural|worth|recommended"
        r"|recommend\w*|suggest\w*|useful|helpful|helps?|enough|suffic\w+|safest?|okay|ok|advisable"
        r"|convenient|clever"
        r"|fallback|option|choice|solution|trick is|alternative|can wait|no harm|no problem|great idea"
        r"|good idea|spare|consider"
    ),
    idea=_any(
        r"(?:good|great|fine|nice|clever|smart|neat|not a bad|no bad|decent|helpful|useful) (?:idea|trick"
        r"|hack|tip|move)"
        r"|as an? (?:backup|spare|fallback|reserve)|(?:ignore|skip|dismiss) (?:the|any|that"
        r"|those) (?:[\w']+ ){0,2}"
        r"(?:warning|alert|notice|prompt)s?"
    ),
    refuses=_any(
        r"never|nobody|no one|none|neither|nor|no|not (?:even|ask)|without (?:any )?secrets?|don't|do not"
        r"|isn't|aren't|cannot|can't|not|refuse\w*|resist|honest|legitimate|genuine|real"
    ),
    claims=_any(
        r"(?:(?<=\A)|(?<=, )|(?<=and )|(?<=but )|(?<=since )|(?<=because )|(?<=as )|(?<=so )|(?<=now )"
        r"|(?<=today )|(?<=yet ))"
        r"(?:you|you've|you have|you had)(?: (?:already|still|also|always|never|now|only|just|currently"
        r"|sadly|luckily"
        r"|wisely|often|rarely|sometimes|even))*"
        r" (?!can|could|will|would|should|might|may|must|need|want|have to|are|were|see|know|think"
        r"|believe|notice|read|trust|forget|have no|no|never (?:forget|notice|know|meet|met|see|saw"
        r"|expect)|don't"
        r"|do not|expect"
        r"|answered|said|asked|get|find|feel|hear|look|do not need|don't need)\w+"
    ),
    owned=_any(r"your (?:\w+ ){1,4}(?:came|was|were|has been|have been|got|had)"),
    supposed=_any(
        r"if|when|whenever|once|before|after|until|unless|while|imagine|suppose|as soon as|what|how|which"
        r"|whether"
        r"|so that|where|than|would|could|might|who|that you|let's|let us"
    ),
    past=_any(
        r"was|were|had|got|took|went|came|paid|found|stole|saw|said|told|made|gave|fell|kept|knew|met|ran|sent"
        r"|thought|woke|wrote|spent|won|did|happened|watched|noticed|arrived"
        r"|\w{3,}ed (?:the|a|an|his|her|their|its|it|him|them|everyone|everything|everybody|all|every)"
    ),
    someone=_any(
        r"he|she|who|whose|whom|everyone|everybody|someone|somebody|police|court|judge|authorities"
        r"|investigators?|exchange|bank|insurance|insurer"
        r"|thie(?:f|ves)|victims?|culprits?|attackers?|criminals?|gang|reporters?|journalists?|press"
        r"|person|people|users?|owners?"
        r"|holders?|investors?|traders?|founders?"
        r"|developers?|men|man|woman|women|couple|family|teachers?|doctors?|nurses?|students?|retirees?"
        r"|pensioners?|friends?|neighbou?rs?"
        r"|colleagues?|brother|sister|uncle|aunt|cousin|grandmother|grandfather|company|firm|team"
        r"|influencer|celebrity|musician|artist|engineer"
    ),
    told_of=_any(
        r"answers?|questions?|check|test|list|plan|score|you|your|yours|yourself|if|as if|imagine|would"
        r"|could|might|once"
        r"|so that|whoever|like|page|story|chapter|others?"
    ),
    compared=_any(
        r"(?:better|worse|safer|ahead|higher|lower|above|below|stronger|weaker|more (?:careful|secure"
        r"|protected|cautious))"
        r" (?:\w+ ){0,2}(?:than|of) (?:most|many|the average|others?|the rest|everyone|people"
        r"|the majority|almost)"
        r"|(?:top|upper|bottom|lower|better|worse) (?:third|half|quarter|tier|end|range|part|bracket)"
        r"|percentile"
        r"|above[ -]average|below[ -]average|on average|the average \w+|(?:score|mark|result|grade) (?:in"
        r"|of|around|near) (?!※)\w+|(?:worse|better) than you"
    ),
    person=_any(
        r"(?:(?<=\A)|(?<=, ))as an? (?!result|rule|whole|start|consequence|habit|first|last|reminder"
        r"|bonus|precaution|test|check|matter"
        r"|side|copy|small|second|single|simple|separate|group|set|general|new|final|next|step|way|chain"
        r"|story)\w+"
        r"|(?:father|mother|parent|dad|mom) of|with (?:your )?(?:\w+ )?(?:kids|children|wife|husband)"
        r"|your (?:wife|husband|kids|children|sons?|daughters?|business|company|employees?|salary)"
        r"|your family (?:already|knows|has|can)|(?:you|who) (?:works?|lives?) (?:in|as|for|at)"
        r"|at your age|in your (?:city|town|country|industry|profession)|you live in|your years"
    ),
)

RU = Grammar(
    matter=_any(
        r"(?<!простыми )(?<!своими )слов[аом]?\b|слова(?:м|ми|х)|сид\w{0,8}"
        r"|(?<!одна )(?<!одну )фраз\w{1,3}|ключ\w{0,3}|парол\w{1,4}|пин\w{0,8}|код\w{0,3}"
        r"|пластин\w{1,3}|бэкап\w{0,3}|копи[яиюей]\w{0,3}|фото\w{0,9}|снимк\w{1,3}|скриншот\w{0,3}"
        r"|альбом\w{0,3}|заметк\w{1,3}|секрет\w{0,3}"
        r"|монет\w{0,3}|крипт\w{1,8}|средств\w{0,3}|деньг\w{0,3}|денег|сбережени\w{1,3}|накоплени\w{1,3}"
        r"|баланс\w{0,3}|кошел\w{1,5}"
        r"|токен\w{0,3}|транзакци\w{1,3}|перевод\w{0,3}|апрув\w{0,3}|разрешени\w{1,3}|подпис\w{1,3}"
        r"|адрес\w{0,3}|фактор\w{0,3}|2fa"
        r"|аутентификатор\w{0,3}|антивирус\w{0,3}|обновлени\w{1,3}|расширени\w{1,3}|приложени\w{1,3}"
        r"|программ\w{0,3}|ссылк\w{1,3}|qr\w{0,6}"
        r"|бот\w{0,3}|аккаунт\w{0,3}|сим-карт\w{1,3}|биржа\w{0,3}|бирж[уеией]\w{0,2}|почт(?:[аеуы]|ой"
        r"|ов\w{2,3})|ящик\w{0,3}|облак\w{1,3}|браузер\w{0,3}"
        r"|устройств\w{1,3}|ноутбук\w{0,3}|телефон\w{0,3}|компьютер\w{0,3}|диск\w{0,3}|мультисиг\w{0,3}"
        r"|хранилищ\w{1,3}|фирм\w{1,3}|сервис\w{0,3}"
        r"|поддержк\w|экран\w{0,3}|сотрудник\w{0,3}|специалист\w{0,3}|эксперт\w{0,3}|юрист\w{0,3}"
        r"|нотариус\w{0,3}"
    ),
    threat=_any(
        r"вор\w{0,4}|злоумышленник\w{0,3}|мошенни\w{1,5}|взлом\w{1,7}|грабител\w{0,3}|кто\w*|тот|того"
        r"|тому|любо\w{1,3}|стилер\w{0,3}"
        r"|вредонос\w{0,5}|он|она|они|его|ему|им|их|ей|её|у него|чуж\w{1,4}|прос[ия]т"
        r"|посторонн\w{1,4}|преступник\w{0,3}|хакер\w{0,3}"
        r"|напада\w{1,6}|атак\w{1,5}|незнаком\w{2,5}|противник\w{0,3}|соперник\w{0,3}|краж\w{1,2}"
        r"|крад\w{2,5}|укра\w{2,7}|увед\w{2,4}|увел\w?|увод\w{1,3}"
        r"|поддельн\w{1,4}|подме\w{2,6}|фейк\w{0,5}|перехва\w{2,7}|утеч\w{1,4}|утек\w{1,6}|потер\w{1,6}"
        r"|исчез\w{2,5}|пропа\w{1,5}|опусте\w{2,4}"
        r"|сброс\w{0,4}|скопирова\w{1,4}|подбира\w{2,3}|взламыва\w{2,3}|сбрасыва\w{2,4}|обман\w{0,6}"
        r"|слаб\w{1,4}|риск\w{0,4}|опас\w{2,6}|ошибк\w{1,3}|дверь|двер\w{1,3}|цеп\w{1,7}|дорог\w{1,2}"
        r"|пут[ьиейём]{1,3}"
        r"|пад[аеу]\w{1,4}|упад\w{2,3}|плох\w{2,3}|бед[аыуе]|жертв\w{1,3}|доста[её]т\w{0,2}|руках"
    ),
    weighs=_any(
        r"нужн\w{1,2}|надо|стоит (?:\w+ )?\w+(?:ть|ти|чь|ться)|следует|можно|можешь|достаточно|лучше"
        r"|лучш\w{2,4}|рекоменд\w{3,6}|совет\w{2,6}|полезн\w{1,3}|удобн\w{1,3}"
        r"|прощ\w{1,3}|легче|необходим\w{1,2}|прид[её]тся|долж\w{2,3}|разумн\w{1,3}|здорово|имеет смысл"
        r"|вариант\w{0,2}"
        r"|страховк\w{1,3}|пусть|подойд[её]т|подойдут|сойд[её]т|хват(?:ит|ает|ило)|помож\w{2,3}|помога\w{2,3}"
        r"|идеальн\w{1,4}|естественн\w{2,4}|надёжн\w{1,4}|практичн\w{1,4}"
        r"|годится|годятся|безопасн(?:ее|ей)|не помешает|не повредит|послужит|заменит|подожд[её]т"
        r"|подождут|неплох\w{1,3}"
    ),
    idea=_any(
        r"(?:хорош|неплох|отличн|удачн|полезн|умн|разумн)\w{2,3} (?:иде\w|мысль|приём|ход|вариант|способ"
        r"|трюк)|запасн\w{2,3} (?:вход|способ|копи|вариант)\w{0,2}|про запас"
        r"|не обращай внимания на (?:\w+ ){0,2}предупрежд\w{3,5}|будет (?:здорово|хорошо|отлично|полезно|лучше)"
    ),
    refuses=_any(
        r"никогда|никому|никто|ничто|ни один|ни одна|ни одному|нельзя|не (?:проси\w+|спрос\w+|спраш\w+"
        r"|нуж\w+|надо|стоит|подтверждай|дове\w+)"
        r"|без секретов|нигде|не|честн\w{1,3}|настоящ\w{2,3}"
    ),
    claims=_any(r"ты|у тебя"),
    owned=_any(r"тво(?:й|я|ё|и)"),
    supposed=_any(
        r"если|когда|прежде чем|перед|после|пока|представ\w+|допустим|что|как|котор\w{1,3}|ли|чтобы|где"
        r"|чем|бы|кто|пусть|куда|откуда|так же|настолько|столько"
    ),
    past=_any(r"(?!)"),
    someone=_any(
        r"все|всем|кто-то|кого-то|полици\w|суд|власти|следств\w{1,2}|журналист\w{0,3}|биржа|банк|страхов\w{2,4}"
        r"|пострадавш\w{2,3}|компания|фирма|семья|пара"
    ),
    told_of=_any(
        r"ответ\w{0,3}|вопрос\w{0,3}|проверк\w{1,3}|спис\w{2,4}|план\w{0,2}|балл\w{0,3}|ты|тебя|тебе"
        r"|тобой|тво\w{1,3}|если|бы|чтобы|будто|представ\w+"
        r"|страниц\w{1,3}|истори\w{1,3}|глав\w{1,3}|кто|другие|другим"
    ),
    compared=_any(
        r"(?:лучше|хуже|безопаснее|выше|ниже|надёжнее|осторожнее|впереди|крепче"
        r"|слабее),? (?:\w+,? ){0,2}(?:(?:чем )?(?:у )?большинств\w|многих|средн\w{2,3}|остальных|других)"
        r"|(?:верхн|нижн|лучш|худш)\w{2,3} (?:трет|половин|четверт|част)\w{1,3}|в среднем|выше среднего"
        r"|ниже среднего|(?:лучше|хуже),? чем у тебя|средн\w{2,3} (?:человек|пользовател|результат"
        r"|держател)\w{0,3}"
    ),
    person=_any(
        r"у тебя (?:\w+ )?(?:дет\w+|сын\w*|доч\w+|жен\w|муж|бизнес\w*|компани\w|ребён\w+|семья|внук\w*)"
        r"|тво\w{1,3} (?:жен\w|муж\w{0,2}|дет\w{1,3}|сын\w{0,2}|дочь|дочери|бизнес\w{0,2}|компани\w|зарплат\w)"
        r"|в тво[её]м (?:возрасте|городе|деле)|как (?:отец|мать|врач\w*|учител\w*|программист\w*"
        r"|предпринимател\w*|пенсионер\w*|студент\w*)|ты (?:живёшь|работаешь) (?:в|на)|твоя семья"
    ),
)

ES = Grammar(
    matter=_any(
        r"(?<!pocas )(?<!propias )palabras|frases?|semillas?|mnemónic\w{1,3}|claves?|llaves?|contraseñas?"
        r"|passphrase|pin|códigos?|placas?|copias?"
        r"|respaldos?|secretos?|backups?|fotos?|imágen\w{0,2}|capturas?|álbum\w{0,2}|notas|monedas?"
        r"|criptos?|criptomonedas?|fondos|dinero|ahorros|saldos?"
        r"|wallets?|billeteras?|carteras?|monederos?|tokens?|transacci\w{2,5}|transferencias?"
        r"|aprobaci\w{2,5}|permisos|firmas?|direcci\w{2,5}|factor\w{0,2}|2fa"
        r"|autenticador\w{0,2}|passkeys?|antivirus|actualizaci\w{2,5}|extensi\w{2,5}|aplicaci\w{2,5}"
        r"|apps?|programas?|enlaces?|qr|bots?|cuentas?|sim|tarjetas?"
        r"|exchanges?|correos?|buz[oó]n\w{0,2}|nubes?|navegador\w{0,2}|dispositivos?|portátil\w{0,2}"
        r"|teléfonos?|ordenador\w{0,2}|computadoras?|discos?|multifirma"
        r"|bóvedas?|empresas?|servicios?|soporte|pantallas?|agentes?|asesor\w{0,3}|especialistas?"
        r"|expert[oa]s?|abogad[oa]s?|notari[oa]s?"
    ),
    threat=_any(
        r"ladr\w{2,5}|ataca\w{1,5}|alguien|quien|quienes|cualquiera|desconocid[oa]s?|extrañ[oa]s?|malware"
        r"|estaf\w{1,6}|delincuentes?|él|ella|ellos"
        r"|víctimas?|intrus[oa]s?|rater[oa]s?|criminal\w{0,2}|hacker\w{0,2}|manos|rob\w{1,5}|hurt\w{1,4}"
        r"|vac[ií]\w{1,4}|secuestr\w{1,4}|intercept\w{1,4}|desv[ií]\w{1,5}"
        r"|engañ\w{1,4}|fals[oa]s?|phishing|filtr\w{2,7}|copiad[oa]s?|perdid\w{1,2}|pérdidas?|perd\w{2,5}"
        r"|pierd\w{1,3}|desaparec\w{1,4}|ca[ey]\w{0,4}|restablec\w{1,6}|romp\w{1,4}"
        r"|débil\w{0,2}|riesgos?|peligro\w{0,3}|mal\w{0,2}|error\w{0,2}|puertas?|cadena|camino|ruta|daño"
    ),
    weighs=_any(
        r"debes|debe|deben|deberías?|deberían|tienes que|tiene que|hay que|conviene\w{0,2}|basta\w{0,2}"
        r"|puedes|podrías|puede[n]? (?:\w+ )?(?:ser|estar|quedar\w{0,3})"
        r"|mejor\w{0,3}|recom\w{3,8}|suger\w{2,5}|sugier\w{1,4}|aconsej\w{1,5}|sensat[oa]s?|prudentes?"
        r"|razonables?|prácti\w{2,4}|útil\w{0,2}|ideal\w{0,2}|natural\w{0,2}|suficientes?"
        r"|sencill[oa]s?|fácil\w{0,2}|cómod[oa]s?|ayuda\w{0,2}|hace falta|plan b|opci[oó]n\w{0,2}"
        r"|solución|alternativas?|buena idea|vale la pena|sirve\w{0,2}|plantéate|considera"
    ),
    idea=_any(
        r"(?:buena|no es mala|gran|excelente|útil) (?:idea|opción|jugada)|de reserva|como (?:respaldo"
        r"|reserva)|ignora (?:el|los|ese|esos) (?:\w+ ){0,2}(?:aviso|alerta|advertencia)|buen (?:truco"
        r"|consejo|plan)"
        r"|(?:ayuda|ayudaría|viene) (?:mucho|bien)"
    ),
    refuses=_any(
        r"nunca|jamás|nadie|ningun\w{1,2}|ningún|tampoco|sin secretos|sin ningún|no|honest[oa]s?"
        r"|legítim[oa]s?|de verdad"
    ),
    claims=_any(
        r"(?:tienes|guardas|usas|haces|llevas|conservas|mantienes|proteges|revisas|compruebas|cambias"
        r"|almacenas|escribes|anotas|firmas|apruebas|compras"
        r"|dejas|repites|reutilizas|pones|probaste|guardaste|hiciste|usaste|cambiaste|compartes"
        r"|\w{3,}(?:aste|[^s]iste)|has \w+(?:ado|ido|cho|sto|to))"
    ),
    owned=_any(r"tus? (?:\w+ ){1,4}(?:viene|vienen|fue|fueron|era|eran|ha sido|han sido)"),
    supposed=_any(
        r"si|cuando|antes de|después de|hasta|mientras|imagina|supón|porque|qué|que|cómo|quien|dónde"
        r"|donde|para que|aunque|podrí\w+"
    ),
    past=_any(
        r"\w{2,}(?:ó|aron|ieron|eron)|fue|fueron|hizo|dijo|vio|dio|tuvo|pudo|puso|trajo|supo|quiso|vino|hubo"
    ),
    someone=_any(
        r"a una? \w+|le|les|él|ella|ellos|todos|a todos|policía|prensa|tribunal|juez|autoridades"
        r"|investigador\w{0,2}|exchange|banco|seguro|aseguradora|ladr\w{2,5}|víctimas?"
        r"|culpables?|atacantes?|delincuentes?|banda|persona|usuari[oa]s?|dueñ[oa]s?|inversor\w{0,2}"
        r"|inversionistas?|fundador\w{0,2}|hombres?|mujer\w{0,2}"
        r"|pareja|familia|maestr[oa]s?|médic[oa]s?|enfermer[oa]s?|estudiantes?|jubilad[oa]s?|amig[oa]s?"
        r"|vecin[oa]s?|colegas?|herman[oa]s?|tí[oa]s?|prim[oa]s?"
        r"|abuel[oa]s?|empresa|equipo|famos[oa]s?|músic[oa]s?|artistas?|ingenier[oa]s?|profesor\w{0,2}"
    ),
    told_of=_any(
        r"respuestas?|preguntas?|chequeo|lista|plan|puntos|tú|tus?|te|ti|si|como si|imagina|página"
        r"|historia|capítulo|quien|otros"
    ),
    compared=_any(
        r"(?:mejor|peor|más segur[oa]|más protegid[oa]|por encima|por debajo"
        r"|por delante) (?:\w+ ){0,2}(?:que|de) (?:la mayoría|muchos|la media|los demás|el resto"
        r"|el promedio|otros|casi)"
        r"|(?:tercio|mitad|cuarto|parte|tramo) (?:superior|inferior|alt[oa]|baj[oa])|(?:mejor"
        r"|peor) que tú|de media|en promedio|percentil"
    ),
    person=_any(
        r"con (?:\w+ )?(?:hij[oa]s|niños)|tus? (?:espos[oa]|marido|mujer|hij[oa]s?|negocio|empresa"
        r"|sueldo)|como (?:padre|madre|médic[oa]|profesor\w?|estudiante|empresari[oa]|jubilad[oa])"
        r"|a tu edad|en tu (?:ciudad|país|profesión|sector)|(?:vives|trabajas) (?:en|como|para)|tu familia"
    ),
)
GRAMMARS = {"en": EN, "ru": RU, "es": ES}
