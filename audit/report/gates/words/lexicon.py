"""The words by which `advice` and `claims` tell what a clause is about, in three languages. Data only.

`objects` are what a report's own words give no advice on: secrets, value, protection, and ways in. `gentle`: verbs
that do no harm with them ("keep", "remember", "start"). Everything else that is told to be done with one of them is a
step, and steps come from the fixes.
"""

import re
from dataclasses import dataclass

from audit.report.gates.prose import word_set


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tongue:
    """Patterns of one language.

    secrets: what is never given away; objects: these and all else that only a fix may touch; places: where a secret
    never belongs, and what takes protection away; harm: verbs as they follow "you can" or "to"; gentle: verbs that may
    begin a clause; may: what makes advice of the verb that follows; fine: what calls a risk none; before, after: words
    that turn a verb's sense around, by their side of it; hedges: those that only seem to; but_us: who is left out of a
    "nobody"; others: who acts when the reader does not; determiners: what follows a verb and no noun.
    """

    secrets: re.Pattern[str]
    objects: re.Pattern[str]
    places: re.Pattern[str]
    harm: re.Pattern[str]
    gentle: frozenset[str]
    may: re.Pattern[str]
    fine: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    hedges: re.Pattern[str]
    but_us: re.Pattern[str]
    others: re.Pattern[str]
    determiners: frozenset[str]
    fillers: frozenset[str]


_EN_SECRETS = (
    r"words|seed(?: phrase| words?)?s?|phrase|mnemonics?|(?:private |secret )?keys?|passphrase|passwords?"
    r"|pins?|codes?"
    r"|plates?|backups?|recovery (?:card|sheet)s?|secrets?|digits"
)
_EN_OBJECTS = (
    r"coins?|crypto|funds|money|savings|balances?|holdings|wallets?|tokens?|transactions?|transfers?|approvals?"
    r"|permissions?|allowances?|signatures?|address(?:es)?|second factor|2fa|authenticator|two-step"
    r"|protections?|locks?"
    r"|antivirus|updates?|warnings?|blockers?|limits?|screens?|remote|desktop|support|callers?"
    r"|consultants?|agents?"
    r"|specialists?|services?|extensions?|apps?|software|programs?|links?|qr(?: codes?)?|bots?|accounts?"
    r"|sim(?: card)?s?|copy|copies|photos?|selfies?|access|prompts?"
)
EN = Tongue(
    secrets=_any(_EN_SECRETS),
    objects=_any(f"{_EN_SECRETS}|{_EN_OBJECTS}"),
    places=_any(
        r"clouds?|icloud|drive|drafts?|e-?mails?|mailbox|inbox|photos?|pictures?|screenshots?|gallery"
        r"|chats?|messengers?"
        r"|online|here|websites?|sites?|forms?|fields?|boxes below|below|browsers?|notes app|cloud notes?"
        r"|encrypted notes?|(?:encrypted |text |word )?(?:files?|documents?)|laptops?|us"
        r"|our|off|aloud|out loud|consultants?|support|callers?|agents?|specialists?|experts?|analysts?"
        r"|advis[eo]rs?"
        r"|test"
    ),
    harm=_any(
        r"share|send|type|enter|paste|submit|upload|photograph|scan|screenshot|email|e-mail|text|message"
        r"|post|forward"
        r"|dictate|read|recite|spell|tell|give|hand|pass|show|reveal|disclose|connect|link|sign|approve"
        r"|authori[sz]e"
        r"|confirm|verify|validate|prove|install|download|run|click|disable|deactivate|turn|switch|pause"
        r"|skip|lift|relax"
        r"|uninstall|delete|erase|destroy|burn|move|transfer|deposit|swap|pay|hire|contact|import|restore"
        r"|export|sync"
        r"|store|save|write|copy|enable|allow|grant|accept|let|join|reply|fill|insert|provide|supply|drop"
        r"|put|mail|input"
        r"|record|film|place|plug|leave|keep|back up|note|register|log in|sign in|buy|order|use"
        r"|entering|typing|sending|sharing|connecting|signing|photographing|uploading|pasting|installing"
        r"|disabling"
        r"|submitting|scanning|reading out|reading|storing|saving|importing|granting|approving"
        r"|transferring|moving"
        r"|(?:be|is|are|gets?|get) (?:then )?(?:entered|typed|sent|shared|connected|signed|photographed"
        r"|uploaded|pasted"
        r"|installed|disabled|submitted|scanned|read|stored|saved|imported|granted|approved|transferred"
        r"|moved|switched"
        r"|turned|deleted|given|shown|written|confirmed|verified)"
    ),
    gentle=word_set(
        "keep protect guard remember start begin do finish leave know think treat hold plan look see "
        "note watch repeat "
        "take set put make go come give wait stop pause stay stick trust ask mark pick choose reserve book block "
        "schedule spend find work try aim notice consider imagine picture expect count use check read tell talk "
        "suppose "
        "say mind follow tackle close handle get have be feel write print open call discuss enjoy celebrate thank "
        "avoid refuse ignore distrust doubt question resist fear forget"
    ),
    may=_any(
        r"(?:you|one|we)(?: (?:now|then|also|only|just|simply|may|first))?(?: ?'ll| should| can| could"
        r"| may| might"
        r"| must| need to| have to| ought to"
        r"| will| are going to| want to| are welcome to)?|please|just|simply|best to|safe to|enough to|easy to"
        r"|easier to"
        r"|fine to|okay to|ok to|time to|wise to|(?:is|it's|be) \w+ to|helps to|recommended to|sure to"
        r"|remember to"
        r"|free to|step is to|need is to"
        r"|recommend|suggest|try|consider|start by|begin by|by|must|should|has to|have to|needs to|let us|let's"
        r"|to do is"
        r"|and|then|or|now|first|next|before|after"
    ),
    fine=_any(
        r"(?:is|are|be|'s) (?:perfectly |completely |quite |absolutely |totally )?(?:fine|okay|ok"
        r"|harmless|no problem"
        r"|acceptable|safe enough|good enough|unnecessary|overkill|not needed|practical|handy)"
        r"|makes? an? (?:practical|handy|good|perfect) (?:spare|copy|backup)|can (?:safely )?(?:stay"
        r"|be ignored)"
        r"|does no harm|do no harm|saves? (?:you )?(?:fees|gas|time)"
    ),
    before=_any(
        r"not|never|\w+n't|no one|nobody|none|nor|neither|cannot|without|no|stop|avoid|refuse to|resist"
        r"|instead of|rather than"
    ),
    after=_any(
        r"nobody|no one|none|nowhere|never|not|to no \w+|with no one|no (?:site|form|person|caller|app)\w*"
    ),
    hedges=_any(
        r"(?:do not|don't|never|not) (?:\w+ )?(?:forget|hesitate|worry|wait|delay|be afraid|be shy|panic"
        r"|skip|fear"
        r"|fail)"
        r"|not only|no (?:problem|risk|worries|danger|fear|need to worry|harm|doubt|matter)"
        r"|without (?:fear|worry"
        r"|risk|hesitation)"
    ),
    but_us=_any(
        r"(?:except|unless|other than|apart from|but|only) (?:to |with |for )?(?:us|me|our|the|an?|this"
        r"|guardlabs)"
    ),
    others=_any(
        r"thie(?:f|ves)|attackers?|somebody|someone|anyone|anybody|whoever|strangers?|malware|stealers?"
        r"|robbers?|criminals?"
        r"|scammers?|fraudsters?|burglars?|intruders?|impostors?|he|she|they|him|them|people|victims?"
        r"|nobody|no one|who"
        r"|asks?|asked|if|pages?|hackers?|drainers?|enough for|holders?|owners?|anything|everything|that|which"
    ),
    determiners=word_set(
        "your the a an it them these those all every each any both us me one some two its their "
        "this our whatever"
    ),
    fillers=word_set(
        "first then next now today tomorrow tonight finally please just simply also always only so and "
        "but or instead "
        "afterwards later meanwhile once still therefore here there after before yes well quickly safely carefully "
        "optionally ideally immediately soon"
    ),
)

_RU_SECRETS = (
    r"слов[а-я]{0,3}|сид[а-я]{0,2}|сид-фраз\w{0,3}|(?<!одной )(?<!одну )(?<!одна )фраз\w{1,3}"
    r"|мнемоник\w{0,2}|ключ(?:а|и|ей|ам|ом|ами|ах|у)?|парол\w{1,4}|pin|пин\w{0,3}"
    r"|пин-код\w{0,3}|мастер-парол\w{1,3}|код(?:а|ы|ов|ом|у|ами|е)?|пластин\w{1,3}|бэкап\w{0,3}"
    r"|резервн\w{1,3} копи\w{1,3}|секрет\w{0,3}|цифр\w{0,3}"
)
_RU_OBJECTS = (
    r"монет\w{0,3}|крипт\w{1,8}|средств\w{0,3}|деньг\w{0,3}|денег|сбережени\w{1,3}|баланс\w{0,3}"
    r"|кошел\w{1,5}|токен\w{0,3}"
    r"|транзакци\w{1,3}|перевод\w{0,3}|апрув\w{0,3}|разрешени\w{1,3}|подпис\w{1,3}|адрес\w{0,3}"
    r"|втор\w{2,3} фактор\w{0,3}"
    r"|2fa|аутентификатор\w{0,3}|защит\w{1,2}|блокировк\w{1,3}|антивирус\w{0,3}|обновлени\w{1,3}"
    r"|предупреждени\w{1,3}|лимит\w{0,3}"
    r"|экран\w{0,3}|удал[её]нн\w{1,3}|доступ\w{0,2}|поддержк\w{1,2}|консультант\w{0,3}|оператор\w{0,3}"
    r"|специалист\w{0,3}"
    r"|сервис\w{0,3}|расширени\w{1,3}|приложени\w{1,3}|программ\w{0,3}|ссылк\w{1,3}|qr|qr-код\w{0,3}"
    r"|бот\w{0,3}|аккаунт\w{0,3}"
    r"|сим-карт\w{1,3}|sim|селфи|копи\w{1,3}|фото\w{0,8}|снимк\w{0,3}|запис[ьи]\w{0,2}"
)
RU = Tongue(
    secrets=_any(_RU_SECRETS),
    objects=_any(f"{_RU_SECRETS}|{_RU_OBJECTS}"),
    places=_any(
        r"облак\w{0,3}|диск\w{0,3}|черновик\w{0,3}|почт\w{1,2}|письм\w{1,3}|фото\w{0,8}|снимок"
        r"|снимк\w{1,3}|скриншот\w{0,3}|галере\w{1,2}|чат\w{0,3}"
        r"|мессенджер\w{0,3}|онлайн|сайт\w{0,3}|форм[аеуы]|пол[ея]|ниже|браузер\w{0,3}|заметк\w{1,3}"
        r"|файл\w{0,3}|менеджер\w{0,2}|документ\w{0,3}|ноутбук\w{0,3}|нам|нас|наш\w{0,3}|вслух|здесь|сюда"
        r"|консультант\w{0,3}|поддержк\w{1,2}|звонящ\w{1,3}|оператор\w{0,3}|специалист\w{0,3}"
        r"|эксперт\w{0,3}|тест\w{0,3}|выключенн\w{1,3}"
    ),
    harm=_any(
        r"отправ\w+|присл\w+|присыла\w+|введ\w+|ввест\w+|ввод\w+|впис\w+|впиш\w+|вставл\w+|встав\w+"
        r"|указа\w+|укаж\w+|сообщ\w+|назва\w+|назов\w+|переда\w+"
        r"|продикт\w+|дикт\w+|зачит\w+|прочит\w+|чита\w+|загру\w+|подел\w+|дели\w+|подтверд\w+|заполн\w+"
        r"|импорт\w+|экспорт\w+|сфотограф\w+"
        r"|фотограф\w+|снят\w+|сним\w+|отсканир\w+|сканир\w+|приложи\w+|прилож\w+|дать|дай\w*|дава\w+"
        r"|показа\w+|покаж\w+|раскры\w+|раскро\w+|подключ\w+|подпис\w+"
        r"|подпиш\w+|одобр\w+|разреш\w+|провер\w+|установ\w+|постав\w+|скач\w+|запуст\w+|запуск\w+"
        r"|открой\w*|откры\w+|перейд\w+|перейти|наж\w+"
        r"|отключ\w+|выключ\w+|сн[яи]\w+|убер\w+|убра\w+|удал\w+|стер\w+|сотр\w+|уничтож\w+|перевед\w+"
        r"|перевест\w+|перевод\w+|перенес\w+|перенест\w+|пополн\w+"
        r"|обмен\w+|купи\w*|закаж\w+|заказа\w+|оплат\w+|обрат\w+|обращ\w+|позвон\w+|свяж\w+|связа\w+"
        r"|напиш\w+|написа\w+|запиш\w+|записа\w+|сохран\w+|храни\w*|скопир\w+"
        r"|восстанов\w+|включ\w+|дозвол\w+|впуст\w+|предостав\w+|набер\w+|набра\w+|положи\w*|помест\w+"
        r"|спрят\w+|выдай|выда\w+|держ\w+|остав\w+|озвуч\w+"
    ),
    gentle=word_set(
        "хранить беречь защищать помнить запомнить начать начинать сделать делать закончить оставить "
        "оставлять знать думать "
        "подумать считать держать планировать посмотреть смотреть заметить отметить повторить взять поставить "
        "выделить найти "
        "дать идти прийти ждать подождать остановиться выбрать отложить потратить попробовать представить закрыть "
        "закрывать "
        "вернуться возвращаться пройти следить читать прочитать спросить говорить сказать проверять проверить "
        "положить сохранить "
        "сохранять продолжать продолжить не бояться стать быть жить обсудить договориться назначить вычеркнуть "
        "вычёркивать "
        "переходить перейти двигаться радоваться приступить браться взяться разобрать разобраться доверять верить "
        "завершить "
        "забывать забыть торопиться спешить игнорировать сомневаться класть положиться пользоваться"
    ),
    may=_any(
        r"нужно|надо|стоит|следует|можно|можешь|сможешь|достаточно|попробуй|лучше|рекомендуем"
        r"|рекомендуется|советуем|советую|просим"
        r"|прошу|полезно|удобно|проще|легче|необходимо|прид[её]тся|останется|осталось|остаётся|должен"
        r"|должна|нужна"
        r"|нужен|не забудь"
        r"|просто|безопасно|разумно|имеет смысл|пора|понадобится|потребуется|предлагаем"
    ),
    fine=_any(
        r"ничего страшного|не страшн\w{1,2}|нестрашн\w{1,2}|не опасн\w{1,2}|неопасн\w{1,2}|заменит"
        r"|замен[яи]\w{1,2}"
        r"|безопасно|можно оставить|можно не трогать|вполне допустимо|допустимо"
        r"|не проблема|не нужн\w{1,2}|лишн\w{1,3}|подожд[её]т|экономит\w{0,2}|вполне достаточно"
    ),
    before=_any(r"не|ни|никогда|никому|никто|нельзя|нигде|без|незачем|вместо|избегай"),
    after=_any(r"никому|никогда|нигде|ни|нельзя|никакому|никаким|никакой|ничему|ничего"),
    hedges=_any(
        r"не (?:забудь|забывай|бойся|волнуйся|переживай|сомневайся|откладывай|жди|медли|стесняйся|тяни|паникуй"
        r"|торопись)|не только"
        r"|без (?:опаски|риска|страха|опасений|проблем|раздумий)|нет (?:риска|проблем|опасности)"
    ),
    but_us=_any(r"кроме|разве что|за исключением|только (?:нам|нашим|нашей|специалист\w*|поддержк\w)"),
    others=_any(
        r"вор\w{0,3}|злоумышленник\w{0,3}|мошенник\w{0,3}|взломщик\w{0,3}|грабител\w{0,3}|кто|кто-то"
        r"|кто-нибудь|тот|того|любой|любому|любого|стилер\w{0,3}"
        r"|вредонос\w{0,4}|он|она|они|ему|им|чужо\w{1,3}|чуж\w{1,3}|человек\w{0,2}|люди|людям|прос[ия]т"
        r"|попрос[ия]т|если|посторонн\w{1,4}|преступник\w{0,3}|хакер\w{0,3}|которы\w{1,3}"
    ),
    determiners=frozenset(),
    fillers=frozenset(),
)

_ES_SECRETS = (
    r"palabras|(?<!una )(?<!sola )frase(?: semilla| de recuperación)?s?|semillas?|mnemónic\w{1,3}|claves?"
    r"|llaves?|contraseñas?"
    r"|passphrase|pin|códigos?"
    r"|placas?|copias?(?: de seguridad)?|respaldos?|secretos?|backup|dígitos"
)
_ES_OBJECTS = (
    r"monedas?|criptos?|criptomonedas?|fondos|dinero|ahorros|saldos?|wallets?|billeteras?|carteras?"
    r"|monederos?|tokens?|transacci\w{2,5}"
    r"|transferencias?|aprobaci\w{2,5}|permisos?|firmas?|direcci\w{2,5}|segundo factor|2fa|autenticador"
    r"|proteccion\w{0,2}|protección"
    r"|bloqueos?|antivirus|actualizaciones?|actualización|avisos?|advertencias?|límites?|pantallas?"
    r"|remoto|escritorio|soporte|asesor\w{0,3}|agentes?"
    r"|especialistas?|servicios?|extensi\w{2,5}|aplicaci\w{2,5}|apps?|programas?|enlaces?|qr|bots?"
    r"|cuentas?|sim|selfis?"
    r"|fotos?"
)
ES = Tongue(
    secrets=_any(_ES_SECRETS),
    objects=_any(f"{_ES_SECRETS}|{_ES_OBJECTS}"),
    places=_any(
        r"nubes?|drive|borrador\w{0,2}|correos?|bandeja|fotos?|imágen\w{0,2}|capturas?|galería|chats?|mensajes?"
        r"|en línea|online|sitios?|webs?"
        r"|formularios?|campos?|abajo|navegador\w{0,2}|notas? (?:en|de)|archivos?|gestor\w{0,2}|ficheros?"
        r"|documentos?"
        r"|portátil\w{0,2}|buz[oó]n\w{0,2}|nosotros|nuestr[oa]s?|aquí|en voz alta"
        r"|soporte|asesor\w{0,3}|agentes?"
        r"|especialistas?|expertos?|quien te llam\w+|prueba|test|apagad[oa]s?|desactivad[oa]s?"
    ),
    harm=_any(
        r"compart\w+|env[ií]\w+|mand[aáe]\w*|tecle\w+|escrib\w+|introdu\w+|ingres\w+|peg[aáu]\w*"
        r"|sub[eaií]\w*|fotograf\w+|escan\w+|cop[ií]\w+|reenv\w+|dict\w+|lee\w*|léel\w*|leer\w*"
        r"|di\b|dec\w+|díse\w+|dínos\w*|da|dar\w*|dale\w*|dáse\w+|entreg\w+|muestr\w+|mostr\w+|enseñ\w+"
        r"|revel\w+|conect\w+|vincul\w+|firm[aeéó]\w*|aprueb\w+|aprob\w+|autori[zc]\w+|confirm\w+|verifi\w+"
        r"|valid\w+|prueb\w+|prob\w+|demuestr\w+|instal\w+|descarg\w+|ejecut\w+|abr\w+|haz|hacer"
        r"|desactiv\w+|apag\w+|quit\w+|deshabilit\w+|paus\w+|desinstal\w+|borr\w+|elimin\w+|destru\w+"
        r"|muev\w+|muév\w+|mov\w+|transfier\w+|transfer\w+|deposit\w+|pag[au]\w*|contrat\w+|contact\w+"
        r"|llam\w+|import\w+|restaur\w+|export\w+|sincroni\w+|guard\w+|guárd\w+|almacen\w+|activ\w+|permit\w+"
        r"|conced\w+|acept\w+|dej[ae]\w*|respond\w+|rellen\w+|complet\w+|facilit\w+|proporcion\w+|pon"
        r"|poner\w*|pón\w+|adjunt\w+|compr[ae]\w*|us[aeo]r?|utili[zc]\w+|anot\w+|pás\w+|pas[ae]\w*"
    ),
    gentle=word_set(
        "guarda conserva protege cuida recuerda empieza comienza haz termina sabe piensa trata "
        "mantén planea mira observa anota "
        "repite toma pon ve ven espera para quédate confía pregunta marca elige reserva dedica busca trabaja intenta "
        "imagina cuenta "
        "sigue cierra vuelve habla di ten sé evita ignora desconfía duda resiste lee revisa apunta celebra acuerda "
        "pide considera "
        "programa bloquea aparta usa nota avanza continúa tacha"
    ),
    may=_any(
        r"debes|deberías|puedes|podrías|podrás|tienes que|tendrás que|hay que|conviene|basta con|basta|es mejor"
        r"|mejor|recomendamos|recomiendo|se recomienda|necesitas"
        r"|hace falta|es suficiente|suficiente con|pedimos|por favor|simplemente|solo|sólo|es seguro|es hora de"
        r"|intenta|prueba a|considera|empieza por|toca|vas a|te invitamos a|y|luego|después|antes de|al"
    ),
    fine=_any(
        r"no pasa nada|está bien|es aceptable|es suficiente|no hay problema|es inofensiv[oa]|no hace falta"
        r"|sirven? de|puede esperar|puede quedarse|no es necesari[oa]"
        r"|ahorra\w{0,2}|es seguro|no importa"
    ),
    before=_any(r"no|nunca|jamás|nadie|ningun\w{1,2}|ningún|ni|sin|tampoco|evita|en vez de|en lugar de"),
    after=_any(r"nadie|nunca|jamás|ningún (?:sitio|formulario)|ninguna (?:página|persona|parte|web|app)|ni"),
    hedges=_any(
        r"no (?:olvides|dudes|temas|te preocupes|esperes|tardes|tengas miedo)|no solo|no sólo"
        r"|sin (?:miedo|riesgo"
        r"|problemas?|preocupaci\w+|dudarlo)"
        r"|no hay (?:problema|riesgo|peligro)|no pasa nada|por (?:tu|su) cuenta|en cuenta|darte cuenta"
        r"|te das? cuenta|da por"
    ),
    but_us=_any(r"salvo|excepto|menos a|solo (?:a|con) (?:nosotros|nuestr\w+|el|la)|a no ser"),
    others=_any(
        r"ladr\w{2,5}|atacantes?|alguien|quien|quienes|cualquiera|desconocid[oa]s?|extrañ[oa]s?|malware"
        r"|estafador\w{0,3}|delincuentes?|él|ella|ellos|gente|personas?|víctimas?"
        r"|pid[ae]n?|si|intrus[oa]s?|que|ratero\w?|criminales?|hackers?|permite a|permiten a"
    ),
    determiners=word_set(
        "tu tus el la los las un una unos unas cada todo toda todos todas este esta estos estas ese "
        "esa esos esas lo al nuestro nuestra "
        "dos aquí"
    ),
    fillers=word_set(
        "primero luego después ahora hoy mañana también siempre solo sólo así y pero o entonces ya "
        "antes finalmente simplemente "
        "además aquí para"
    ),
)
TONGUES = {"en": EN, "ru": RU, "es": ES}
