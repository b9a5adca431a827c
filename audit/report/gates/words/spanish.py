"""How a story speaks in Spanish; see voice.py."""

from audit.report.gates.prose import word_set
from audit.report.gates.words.voice import Voice, any_of

_VERBS_2SG = (
    r"eres|estás|tienes|has|puedes|debes|quieres|vas|haces|sabes|guardas|usas|entras|abres|confías"
    r"|necesitas|dejas"
    r"|pones|crees|recibes|ves|dices|das|pierdes|mantienes|podrás|tendrás|serás|estarás|perderás|deberías"
    r"|podrías"
    r"|tendrías|conservas|cambias|sigues|hagas|tengas|seas|dejes|guardes|uses|olvides|compartas"
    r"|pierdas|quieras|puedas"
    r"|(?!triste|existe|chiste|contraste|insiste|consiste|resiste|asiste|desiste|persiste"
    r"|embiste)\w{2,}(?:aste|iste)"
)
VOICE = Voice(
    thief=any_of(
        r"ladr[oó]n(?:es)?|él|ellos|le|les|su|sus|suy[oa]s?|atacantes?|delincuentes?|estafador(?:es)?"
        r"|intrusos?"
        r"|criminal(?:es)?|desconocidos?"
    ),
    harmless=any_of(
        r"(?<!ladrón )(?<!estafador )que (?:él )?\w+ó"
        r"|no (?:tiene prisa|tienen prisa|necesita|le hace falta|hace ruido|nota|ve|tarda|solo|espera"
        r"|deja rastro)"
        r"|sin (?:prisa|ruido|esfuerzo|dejar|que nadie|una sola|más|rastro|forzar|saberlo|hacer ruido)"
        r"|nadie (?:nota|ve|mira|oye|se da cuenta)|nada más"
    ),
    lame=any_of(r"es|son|está|están|sería|puede|pueden|podría|tus?|hay|sirven?|valen?"),
    why=any_of(r"porque|pues|ya que|puesto que|dado que|debido a"),
    starts=word_set(
        "el la los las un una unos unas este esta estos estas ese esa esos esas eso esto aquel "
        "aquella él ellos su sus "
        "cada todo toda todos todas otro otra ambos ambas uno lo se le les "
        "media está están hay dos tres cuatro cinco seis siete ocho nueve diez tu tus en con de del antes "
        "minutos horas días semanas segundos meses debajo "
        "encima cerca lejos "
        "fuera desde al a por para sin tras hasta entre sobre bajo ante contra hacia según durante "
        "mediante "
        "dentro detrás junto "
        "porque como cuando mientras donde aunque pues ya "
        "luego después entonces ahora primero segundo tercero finalmente así también allí ahí aquí además "
        "incluso "
        "día noche mañana tarde mediodía madrugada gracias armado pegado llamadas códigos mensajes monedas "
        "tokens contraseñas datos fotos notas archivos claves "
        "pronto enseguida más mientras por solo apenas poco y pero o quien lo ladrón ladrones"
    ),
    adverbs=word_set(
        "luego después entonces ahora primero segundo tercero finalmente así también allí ahí aquí "
        "además incluso pronto "
        "enseguida ya solo y pero o pues"
    ),
    never={
        "speaks to the reader": any_of(
            rf"tú|te|ti|contigo|tuy[oa]s?|usted(?:es)?|vos|vosotr[oa]s|os|vuestr[oa]s?|{_VERBS_2SG}|por favor"
            r"|recuerda|\w{0,8}[áéíóú]\w{0,5}[ae](?:l[aoe]s?|mel[ao]s?|sel[ao]s?|nosl[ao]s?|te)"
        ),
        "speaks for somebody": any_of(
            r"yo|me|mí|mi|mis|conmigo|nos|nosotr[oa]s|nuestr[oa]s?"
            r"|(?!extremos|supremos|tramos|gramos|(?:últ|próx|mín|máx|ínt|anón|legít)imos)\w{2,}(?:amos"
            r"|emos|imos)"
        ),
        "says what ought to be": any_of(
            r"deb(?:e|en|er\w*|ía\w*)|conviene\w*|convendría|hay que|habría que|tiene que|basta (?:con|\w+r)"
            r"|bastaría|recom\w+"
            r"|aconsej\w+|suger\w+|sugier\w+|vale la pena|es hora|hace falta|sería|lo mejor|asegúr\w+"
            r"|procur\w+"
            r"|evit[ae]r?|consejos?|\w{3,}ir?emos"
        ),
        "says what is not": any_of(
            r"no (?:puede|pueden|podrá|logra|consigue|llega|alcanza|entra|abre|lee|encuentra|accede|funciona"
            r"|recibe|sirve|hay)"
            r"|no (?:es|son|está|están)(?! (?:obstáculo|problema|difícil))|imposible|incapaz|nunca|jamás"
            r"|ningún ladrón|nada puede"
            r"|(?<!como )si|salvo|excepto|a menos que|rechaz\w+|en nada|sin (?:riesgo|peligro)"
        ),
        "tells of the past": any_of(
            r"fue|fueron|era|eran|había|habían|hizo|hicieron|dijo|tuvo|pudo|puso|vino|quiso|supo|dio|vio"
            r"|estuvo|estaba|estaban|tenía|tenían|(?!acaba|graba|alaba|traba)\w{2,}(?:ió|aron|ieron|aba"
            r"|aban)|(?!\w*(?:ací|alg)ó)\w{2,}[b-df-hj-np-tv-zñ]ó"
            r"|desde (?:la primavera|el verano|el otoño|el invierno)|ayer|anoche|el año pasado|recientemente"
            r"|hace (?:un|una|dos|tres|varios|unos|poco|años|meses)"
        ),
        "judges": any_of(
            r"segur[oa]s?|a salvo|protege[nr]?|(?:es|son) mejor(?:es)?|lo mejor|fiables?|confiables?"
            r"|ideal(?:es)?"
            r""
            r"|garant\w+|excelentes?|impresionante|descuid\w+|tont[oa]s?|premium|descuentos?|cup[oó]n(?:es)?"
            r"|patrocin\w+|reembols\w+|promedio|porcentaje|mayoría|indemniz\w+|fuera del alcance|cárcel"
            r"|prisión"
            r"|tribunal|juez|juicio"
            r"|detenid\w+|arrest\w+|condenad\w+|(?:este|ese|aquel) caso|esposa|marido|hijos?|hijas?|familias?"
            r"|madre|padre"
            r"|hermana|hermano|dentista|médic[oa]|jubilad[oa]|enfermer[oa]|estudiante|soldado|adult[oa]s?"
            r"|pensión|respeto|ordenad[oa]s?|orden de|disciplina\w*|admiración|que (?:el|la) (?:dueñ[oa]"
            r"|víctima|propietari[oa])"
            r"|al (?:dueño|propietario)"
            r"|costumbre del|envidia|admira|detesta|impecables?|ahorran?|aprobado|suspenso|buena idea"
            r"|puntuación"
            r"|puntaje|puntos|favorit[oa]s?|patrón oro|de confianza"
        ),
        "compares": any_of(
            r"(?<!\w)(?:es|son|está|queda|resulta|parece|lo|(?:el|la|los|las|un|una|de)(?: \w+)?) (?:más"
            r"|menos) (?!"
            r"tarde|temprano|allá|cerca|lejos|arriba|abajo|adelante|atrás|antigu|recient|joven|jóven"
            r"|frecuent|valios|activ"
            r"|grande|gord|larg|cort|(?:que|de|y|o|en|por|con|para)(?!\w)|viej|nuev|usad|repetid|movid"
            r"|débil|cargad"
            r"|movimiento|jugos|rápid|lent|hond|alt|baj|pequeñ)\w+|más \w+ que|\w{3,12}ísim[oa]s?"
        ),
        "tells of others": any_of(
            r"(?:todos los|casi todos los|muchos|pocos|cualquier|ningún|algunos|de los) ladr\w+"
            r"|polic[ií]as?|detectives?|investigador(?:es)?|analistas?|expert[oa]s?|profesional(?:es)?"
            r"|autoridad(?:es)?"
            r"|regulador(?:es)?|aseguradoras?|abogad[oa]s?|juec\w+|auditor(?:es)?|fiscal(?:es|ía)?"
            r"|gobiernos?|hackers?"
            r"|especialistas?|(?:dueñ|propietari|víctim|usuari|client)[oa]s? (?:que|cuy[oa]s?|quien)"
            r"|(?:los|las|solo|muchos|pocos|todos los) (?:dueñ|propietari|usuari)[oa]s"
            r"|quien(?:es)? (?:tienen?|usan?|llevan?|guardan?)"
            r"|(?:vuelven?|regresan?|retornan?) (?:\w+ ){0,2}(?:a su|a sus|al"
            r"|a tu) (?:legítim[oa] )?(?:dueñ|propietari|víctim)\w+"
            r"|reintegr\w+|restituy\w+|devuelven? (?:\w+ ){0,2}(?:robado|monedas|botín|fondos)"
            r"|(?:dueñ|propietari|víctim)[oa]s? (?:lo |las |los )?recuper\w+"
            r"|recuperan? (?:todos )?sus (?:fondos|monedas)"
        ),
    },
    where_weak={
        "lets the thief give up": any_of(
            r"se (?:rinde|retira|aleja|cansa|atasca|estrella|queda (?:fuera|ante|sin))"
            r"|se (?:va|marcha) (?:con las manos|de vacío|sin)"
            r"|y se detiene|desiste|fracasa|renuncia|pasa de largo|pasa por alto"
            r"|(?:ladrón|él) (?:evita|esquiva|ignora|falla|abandona)"
            r"|maldice|odia|en vano|(?:queda|está|es) bloquead[oa]s?|devuelven? (?:las|lo|todo|el dinero|los)"
            r"|deja (?:en paz|la frase)"
            r"|deja las monedas"
            r"|pierde(?! (?:la señal|señal|la cobertura|cobertura|la línea|el servicio|servicio|red))"
            r"|da media vuelta"
            r"|retrocede|muro|pared|callejón|manos vacías|de vacío|to[pc]a con|choca|tropieza con (?:un"
            r"|una|la|el) (?:muro|pared|clave|barrera|obstáculo|puerta|bloqueo|contraseña|error)"
            r"|impotente|inmune|resiste"
            r"|comete (?:un error|errores)"
            r"|con las ganas|(?:tira|arroja) la toalla|baja los brazos|se encoge de hombros|suspira"
            r"|(?:(?:lo|le) )?(?:fren|detien|retras|disua|espant|ahuyent|desanim|frustr|entorpec"
            r"|obstaculiz)\w{1,5}(?:lo|los|le)"
            r"|(?:lo|le) (?:frena|detiene|para|bloquea|retrasa|disuade|impide|espanta|ahuyenta|cansa"
            r"|desanima|frustra|expulsa|deja"
            r" fuera|cierra el paso|corta el paso)n?|(?:frena|detiene|para|bloquea|retrasa|disuade"
            r"|espanta|ahuyenta|cansa|desanima"
            r"|frustra|deja fuera)n? al ladrón"
            r"|traen? de vuelta|queda ante|le gusta es[ae]|teme|es pasado|muere"
            r"|derrota\w*|llora|rival|(?:entretiene|atrapa|pilla|caza)n? al ladrón|típic[oa]s?|principiantes?"
            r"|cierran? (?:el|la) (?:paso|camino|puerta)|compensan?|mendigo|(?:lo|le) (?:manda|envía"
            r"|echa) (?:a casa|de vuelta|lejos|a paseo)"
            r"|saca de quicio|quita las ganas"
            r"|convierte al ladrón|frunce|gruñe|refunfuña|suda|(?:exchange|banco|operadora|soporte|red"
            r"|plataforma)s? (?:\w+ )?(?:revierte"
            r"|cancela|anula|devuelve|congela|reembolsa|cubre|bloquea|detiene|restituye|rastrea)n?"
            r"|deja (?:el|la|los|las|una?) (?:\w+ ){1,3}(?:donde|como|en su sitio|intact\w+)|intact[oa]s?"
        ),
        "names a defence": any_of(
            r"(?:wallets?|carteras?|llaves?|claves?|billeteras?|monederos?) (?:frías?|físicas?"
            r"|de hardware)|(?:placas?|chapas?|láminas?)"
            r" (?:de )?(?:metal|acero|titanio)\w*|placas?|acero|passkeys?|multifirma\w*|passphrases?"
            r"|gestor(?:es)? de contraseñas"
            r"|autenticador(?:es)?|(?:segund[oa]|otro|doble) (?:factor|candado)|antivirus|PIN|(?:dos|tres"
            r"|varias) firmas|cajas? fuertes?|huellas? dactilar(?:es)?"
        ),
        "tells what is thought": any_of(
            r"(?:sabe|piensa|cree|opina|entiende|comprende|pregunta|susurra|admite|reconoce|nota|ve"
            r"|descubre|averigua|siente|oye"
            r"|lamenta|concluye) (?:que|por qué|cuán)(?! (?:él|el ladrón|ya|su|sus|le)(?!\w))"
        ),
    },
    private=word_set(
        "puntuación puntaje nota nivel resultado resultados respuesta respuestas informe auditoría "
        "plan test prueba ciudad "
        "pueblo país trabajo jefe sueldo edad esposa esposo mujer marido pareja hermano hermana "
        "madre padre hijo hija "
        "hijos familia padres novia novio abogado asesor "
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
