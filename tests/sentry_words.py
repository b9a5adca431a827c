"""What must not reach Sentry, in a module of its own so that no line of source code shown around an error says it."""

EMAIL = "anna@private.example.org"
TOKEN = "Zk3vN0bqT7yXw2Lr9sPmAQ.u5cHd8eJf1Gg4Kh6iOoVzw"
KEY = "gsk_0123456789abcdefABCDEF"
ADDRESS = "203.0.113.77"
COOKIE = "cookievalue0123"
QUERY = "queryword0123"
ANSWER = "answerword0123"
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
BEARER = "beartoken0123"
AGENT = "agentword0123"
ANSWERS = {"seed": ANSWER}
