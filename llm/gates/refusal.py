"""Answers that refuse, wholly or half-way, or that talk about the model instead of the matter."""

import re

from llm.gates.basic import Gate

# First person only: a report may well say what a thief cannot do. In any language, since models often refuse in
# English whatever they were asked in.
_DOES = {
    "en": r"help|assist|provide|comply|continue|fulfil\w*|write|create|generate|complete|produce|discuss|offer|answer"
    r"|do (?:that|this|so)|support|give|share|include|engage|finish|go (?:on|further)|process"
    r"|go into|describe|detail|explain|recommend|advise|list|elaborate",
    "ru": r"помочь|помогать|предоставить|выполнить|продолжить|продолжать|написать|составить|создать|дать|обсуждать"
    r"|ответить|сделать|поделиться|закончить|завершить|подготовить|раскрыть|сгенерировать",
    "es": r"ayudar\w*|asistir\w*|proporcionar\w*|cumplir|continuar|seguir|escribir|crear|generar|completar|ofrecer\w*"
    r"|responder|hacer(?:lo| eso| esto)?|dar(?:te)?|compartir|elaborar|redactar|terminar|procesar"
    r"|detallar\w*|describir\w*|explicar\w*|recomendar\w*|entrar",
}
# What is missing when a text refuses in impersonal words.
_TEXT = {
    "en": r"section|part|content|details?|rest|guidance|recommendations?|information|advice|instructions?|answer"
    r"|response|report|text|steps?",
    "ru": r"раздел\w*|часть|части|подробност\w+|детал\w+|остальн\w+|рекомендаци\w+|информаци\w+|инструкци\w+"
    r"|ответ\w?|отч[её]т\w?|текст\w?",
    "es": r"sección|parte|contenido|detalles?|resto|recomendaciones|información|instrucciones|respuesta|informe"
    r"|texto|pasos?",
}
_PATTERNS = (
    rf"\bI(?:'m| am)? (?:(?:really |truly |very )?(?:sorry|afraid),? (?:but )?I )?(?:can't|cannot|can not|could not"
    rf"|won't|will not|must decline|am unable to|am not able to|am not comfortable|am not allowed to)"
    rf" (?:\w+ )?(?:{_DOES['en']})\b",
    r"\bI(?:'m| am) (?:unable|not able|not allowed|not permitted|not in a position|not comfortable)\b",
    r"\bI(?:'m| am) (?:really |very |so )?sorry,? but\b",
    r"\bI (?:must|have to|need to) (?:respectfully )?(?:decline|refuse|stop here)\b",
    r"\bas an? (?:AI|artificial intelligence)(?: assistant| model| language model)?,|\bas an? (?:AI "
    r"|large )?(?:language model|assistant)\b",
    r"\bI(?:'m| am) (?:just |only )?an? (?:AI|language model|virtual assistant)\b",
    r"\b(?:against|violates?) (?:my|our|the|OpenAI's|usage|content) (?:\w+ )?(?:guidelines|polic\w+|programming)\b",
    # what is left out of the text itself; "(the words themselves omitted)" is about a letter
    rf"[\[(](?:[^\])]{{0,30}}\b)?(?:{_TEXT['en']})\b[^\])]{{0,20}}\b(?:omitted|redacted|withheld|removed)\b[^\])]{{0,40}}[\])]",
    r"[\[(](?:omitted|redacted|withheld|removed for safety)\b[^\])]{0,40}[\])]",
    # impersonal: nobody says "I", and still something is refused
    rf"\b(?:{_TEXT['en']})\b[^.!?]{{0,60}}\b(?:(?:can(?:not|'t| not)|could not|may not|will not|had to) be|(?:is|are"
    rf"|was|were) not|isn't|aren't)"
    rf" (?:provided|given|shown|shared|included|discussed|described|completed|continued|generated|covered|left out"
    rf"|listed|available|possible)\b",
    r"\b(?:cannot|can't|could not|may not|must not) be (?:provided|disclosed|discussed|generated|completed|answered"
    r"|shared) (?:here|in this|for|due|because|by|under)\b",
    r"\b(?:outside|beyond|not within) (?:of )?(?:what |the scope|my |the )?(?:this |the )?(?:\w+ )?(?:assistant"
    r"|model|system|capabilit\w+|scope)\b",
    r"\b(?:this|the) (?:assistant|model|chatbot|system) (?:may|can|could|must|is|does|will|was|has)\b",
    r"\b(?:content|usage|safety) (?:polic(?:y|ies)|guidelines?|filters?|rules)\b",
    r"\bfor (?:reasons of )?(?:safety|security|policy|legal) (?:reasons|purposes)\b",
    r"\bthe (?:request|instructions?|prompt) (?:cannot|could not|was|were|is|has|have|asks?|says?)\b",
    r"\bя (?:\w+ )?не (?:могу|смогу|вправе|в состоянии|имею права)\b",
    rf"(?<!\w)не (?:могу|смогу) (?:\w+ ){{0,2}}(?:{_DOES['ru']})",
    r"\b(?:извини(?:те)?|прости(?:те)?|к сожалению),? (?:но )?(?:я )?не (?:могу|смогу|буду)\b",
    r"\bя (?:вынужден\w*|должен|должна) (?:\w+ )?(?:отказать\w*|отклонить|остановиться)\b",
    r"\bкак (?:ИИ|искусственный интеллект|нейросеть),|\bкак (?:большая )?языковая модель\b|\bкак ИИ-(?:модель"
    r"|ассистент)\b",
    r"\bя (?:всего лишь )?(?:языковая модель|ИИ|искусственный интеллект|виртуальный ассистент)\b",
    r"(?:противоречит|нарушает) (?:моим|моей|мои|наши\w*|политик\w+|правил\w+)",
    rf"[\[(](?:[^\])]{{0,30}}\b)?(?:{_TEXT['ru']})\b[^\])]{{0,20}}(?<!\w)(?:опущен\w*|скрыт[оаы]|удален[оаы]|пропущен\w*)\b[^\])]{{0,40}}[\])]",
    r"[\[(](?:опущен\w*|скрыт[оаы]|удален[оаы]|пропущен\w*)\b[^\])]{0,40}[\])]",
    rf"(?<!\w)(?:{_TEXT['ru']})(?!\w)[^.!?]{{0,60}}(?<!\w)(?:невозможно|нельзя|недоступн\w*|опущен\w*|пропущен\w*"
    rf"|не (?:может|могут) быть|не (?:привод|включ|предостав|опис|раскры)\w*)(?!\w)",
    r"(?<!\w)(?:предоставить|привести|раскрыть|продолжить|завершить|описать"
    r"|сгенерировать)[^.!?]{0,50}(?<!\w)(?:невозможно|нельзя|не представляется возможным|не получится)(?!\w)",
    r"(?<!\w)(?:невозможно|нельзя|не представляется возможным) (?:\w+ )?(?:предоставить|привести|раскрыть|продолжить"
    r"|завершить|сгенерировать)(?!\w)",
    r"(?<!\w)(?:политик\w|правил\w{0,2}) (?:содержания|контента|использования|безопасности|сервиса)(?!\w)",
    r"(?<!\w)(?:по|из) (?:соображени\w+|причин\w+) (?:безопасности|политики|конфиденциальности)(?!\w)",
    r"(?<!\w)(?:этот ассистент|данный ассистент|эта модель|данная модель|за рамками (?:возможностей"
    r"|этого ассистента))(?!\w)",
    rf"(?<!que )\bno (?:puedo|podré|voy a|me es posible|estoy autorizad\w) (?:\w+ ){{0,2}}(?:{_DOES['es']})\b",
    r"\b(?:lo siento|lo lamento|disculpa|perdona|lamentablemente),? (?:pero )?no (?:puedo|podré|me es posible)\b",
    r"\bno me (?:es|resulta|está) (?:posible|permitido)\b",
    r"\b(?:debo|tengo que) (?:\w+ )?(?:negarme|rechazar|declinar|detenerme)\b",
    r"\bcomo (?:una? )?(?:IA|inteligencia artificial),|\bcomo (?:una? )?(?:modelo de lenguaje|asistente virtual"
    r"|asistente de IA)\b",
    r"\bsoy (?:solo )?(?:una? )?(?:IA|inteligencia artificial|modelo de lenguaje|asistente virtual)\b",
    r"\b(?:va en contra de|infringe|incumple) (?:mis|nuestras|las) (?:políticas|normas|directrices)\b",
    rf"[\[(](?:[^\])]{{0,30}}\b)?(?:{_TEXT['es']})\b[^\])]{{0,20}}\b(?:omitid[oa]s?|censurad[oa]s?|suprimid[oa]s?)\b[^\])]{{0,40}}[\])]",
    r"[\[(](?:omitid[oa]s?|censurad[oa]s?|suprimid[oa]s?)\b[^\])]{0,40}[\])]",
    rf"\b(?:{_TEXT['es']})\b[^.!?]{{0,60}}\b(?:se omiten?|no se (?:pueden?|incluyen?|muestran?|facilitan?|ofrecen?"
    rf"|proporcionan?)|no (?:está|están) disponibles?|han sido omitid\w+)\b",
    r"\bno (?:es|resulta|ha sido) posible (?:\w+ )?(?:proporcionar|ofrecer|continuar|completar|mostrar|detallar"
    r"|generar|dar)\w*\b",
    r"\bno se (?:incluyen?|ofrecen?|proporcionan?|facilitan?|muestran?|pueden? (?:ofrecer|dar|incluir|mostrar"
    r"|proporcionar)) (?:\w+ )?(?:recomendaci\w+|detalles|instrucciones|consejos|información|pasos)\b",
    r"\b(?:políticas?|normas|directrices) de (?:contenido|uso|seguridad)\b",
    r"\bpor (?:motivos|razones) de (?:seguridad|política|privacidad)\b",
    r"\b(?:este|el) (?:asistente|modelo|sistema) (?:no|puede|solo|debe)\b|\bfuera de (?:lo que|las capacidades"
    r"|el alcance|mi)\b",
)
REFUSAL = re.compile("|".join(_PATTERNS), re.IGNORECASE)


def no_refusal() -> Gate:
    """Rejects a text in which the model refuses, apologises for what it leaves out, or speaks as an AI."""

    def gate(text: str) -> str | None:
        plain = " ".join(text.replace("’", "'").replace("*", "").split())
        return "a refusal" if REFUSAL.search(plain) else None

    return gate
