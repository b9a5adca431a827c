"""The words of simulated reports for prompts that give their facts as slots, by language."""

SLOT_MARK = {
    "en": "Simulated report: written by the GuardLabs provider simulator, not by a model.",
    "ru": "Имитация отчёта: его написал симулятор провайдеров GuardLabs, а не модель.",
    "es": "Informe simulado: lo ha escrito el simulador de proveedores de GuardLabs, no un modelo.",
}

# The story: how it begins, its second link and its case where the prompt gives slots for them, how it ends.
STORY = {
    "en": (
        "You stand at {score}, and nobody has to be a genius to get further than you would like.",
        "It begins with {finding:1}: a stranger needs one calm hour and a little luck.",
        "From there it is a short way to {finding:2}, so that the two are worse together than each is alone.",
        "This is no theory, as this one shows: {case:1}.",
        "The good news is that such a chain breaks as soon as one of its links is gone.",
    ),
    "ru": (
        "Сейчас у тебя {score}, и чтобы зайти дальше, чем тебе хочется, гением быть не нужно.",
        "Всё начинается здесь: {finding:1}. Чужому человеку хватит одного спокойного часа и капли везения.",
        "Отсюда недалеко и до второго звена: {finding:2}. Вместе они хуже, чем каждое по отдельности.",
        "Это не теория, вот настоящий случай: {case:1}.",
        "Хорошая новость в том, что такая цепочка рвётся, как только исчезает одно из её звеньев.",
    ),
    "es": (
        "Hoy tienes {score}, y no hace falta ser un genio para llegar más lejos de lo que te gustaría.",
        "Todo empieza por {finding:1}: a un desconocido le basta una hora tranquila y un poco de suerte.",
        "De ahí a {finding:2} hay muy poco camino, y los dos juntos son peores que cada uno por separado.",
        "No es una teoría, como muestra este caso: {case:1}.",
        "La buena noticia es que esa cadena se rompe en cuanto desaparece uno de sus eslabones.",
    ),
}

# Why these fixes come at this time: one sentence for each line of the plan.
REASONS = {
    "en": (
        "It takes little, and it closes the way that is used most.",
        "These need a quiet evening, and after them most of the risk is gone.",
        "Less urgent, so one at a time is fine.",
    ),
    "ru": (
        "Это недолго и закрывает путь, которым ходят чаще всего.",
        "Здесь нужен спокойный вечер, зато после него уйдёт большая часть риска.",
        "Это не так срочно, поэтому хватит и одного дела за раз.",
    ),
    "es": (
        "Cuesta poco y cierra el camino que más se usa.",
        "Aquí hace falta una tarde tranquila, y después queda mucho menos riesgo.",
        "Corre menos prisa, así que basta con ir de una en una.",
    ),
}

# What to keep: the answer where there is one, a habit, when to look again.
KEEP = {
    "en": (
        "This is right and should stay so: {keep:1}.",
        "One habit carries the rest: whenever something is urgent, wait until the hurry is over. Thieves live on "
        "haste, "
        "and a calm day costs you nothing.",
        "Look again in three months, or as soon as something changes at home.",
    ),
    "ru": (
        "Это правильно, пусть так и будет: {keep:1}.",
        "Одна привычка держит всё остальное: если что-то срочно, подожди, пока спешка пройдёт. Воры живут чужой "
        "спешкой, "
        "а спокойный день ничего не стоит.",
        "Посмотри на это снова через три месяца или сразу, как только дома что-то изменится.",
    ),
    "es": (
        "Esto está como debe y conviene que siga igual: {keep:1}.",
        "Una costumbre sostiene todo lo demás: cuando algo sea urgente, espera a que pase la prisa. Los ladrones "
        "viven de "
        "la prisa ajena, y un día de calma no cuesta nada.",
        "Vuelve a mirarlo dentro de tres meses, o en cuanto algo cambie en casa.",
    ),
}

# For a report without a weakness: what the answers mean.
WHOLE = {
    "en": "Nothing here is missing. You stand at {score}, which says that the common ways in are closed, and that "
    "what is "
    "left are rare days: a hurry, an illness, a move, a new phone. Such days are when careful people slip.",
    "ru": "Здесь всё на месте. У тебя {score}, а значит, обычные пути внутрь закрыты, и остаются редкие дни: спешка, "
    "болезнь, переезд, новый телефон. Именно в такие дни ошибаются и осторожные люди.",
    "es": "Aquí no falta nada. Tienes {score}, y eso dice que los caminos habituales están cerrados y que quedan los "
    "días "
    "raros: una prisa, una enfermedad, una mudanza, un teléfono nuevo. En esos días falla también la gente prudente.",
}
