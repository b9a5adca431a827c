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
_PATTERNS = (
    rf"\bI(?:'m| am)? (?:(?:really |truly |very )?(?:sorry|afraid),? (?:but )?I )?(?:can't|cannot|can not|could not"
    rf"|won't|will not|must decline|am unable to|am not able to|am not comfortable|am not allowed to)"
    rf" (?:\w+ )?(?:{_DOES['en']})\b",
    r"\bI(?:'m| am) (?:unable|not able|not allowed|not permitted|not in a position|not comfortable)\b",
    r"\bI(?:'m| am) (?:really |very |so )?sorry,? but\b",
    r"\bI (?:must|have to|need to) (?:respectfully )?(?:decline|refuse|stop here)\b",
    r"\bas an? (?:AI|artificial intelligence|language model|large language model)\b",
    r"\bI(?:'m| am) (?:just |only )?an? (?:AI|language model|virtual assistant)\b",
    r"\b(?:against|violates?) (?:my|our|the|OpenAI's|usage|content) (?:\w+ )?(?:guidelines|polic\w+|programming)\b",
    r"[\[(](?:[^\])]{0,40}\b)?(?:omitted|redacted|withheld|removed for safety)\b[^\])]{0,40}[\])]",
    r"\bя (?:\w+ )?не (?:могу|смогу|вправе|в состоянии|имею права)\b",
    rf"(?<!\w)не (?:могу|смогу) (?:\w+ ){{0,2}}(?:{_DOES['ru']})",
    r"\b(?:извини(?:те)?|прости(?:те)?|к сожалению),? (?:но )?(?:я )?не (?:могу|смогу|буду)\b",
    r"\bя (?:вынужден\w*|должен|должна) (?:\w+ )?(?:отказать\w*|отклонить|остановиться)\b",
    r"\bкак (?:ИИ|языковая модель|искусственный интеллект|большая языковая модель|нейросеть)\b",
    r"\bя (?:всего лишь )?(?:языковая модель|ИИ|искусственный интеллект|виртуальный ассистент)\b",
    r"(?:противоречит|нарушает) (?:моим|моей|мои|наши\w*|политик\w+|правил\w+)",
    r"[\[(](?:[^\])]{0,40}\b)?(?:опущен\w*|скрыт[оаы]|удален[оаы]|пропущен\w*)\b[^\])]{0,40}[\])]",
    rf"(?<!que )\bno (?:puedo|podré|voy a|me es posible|estoy autorizad\w) (?:\w+ ){{0,2}}(?:{_DOES['es']})\b",
    r"\b(?:lo siento|lo lamento|disculpa|perdona|lamentablemente),? (?:pero )?no (?:puedo|podré|me es posible)\b",
    r"\bno me (?:es|resulta|está) (?:posible|permitido)\b",
    r"\b(?:debo|tengo que) (?:\w+ )?(?:negarme|rechazar|declinar|detenerme)\b",
    r"\bcomo (?:una? )?(?:IA|inteligencia artificial|modelo de lenguaje|asistente virtual)\b",
    r"\bsoy (?:solo )?(?:una? )?(?:IA|inteligencia artificial|modelo de lenguaje|asistente virtual)\b",
    r"\b(?:va en contra de|infringe|incumple) (?:mis|nuestras|las) (?:políticas|normas|directrices)\b",
    r"[\[(](?:[^\])]{0,40}\b)?(?:omitid[oa]s?|censurad[oa]s?|suprimid[oa]s?)\b[^\])]{0,40}[\])]",
)
REFUSAL = re.compile("|".join(_PATTERNS), re.IGNORECASE)


def no_refusal() -> Gate:
    """Rejects a text in which the model refuses, apologises for what it leaves out, or speaks as an AI."""

    def gate(text: str) -> str | None:
        plain = " ".join(text.replace("’", "'").replace("*", "").split())
        return "a refusal" if REFUSAL.search(plain) else None

    return gate
