"""What a model may lack, and the words in which providers say so."""

ABILITIES = {  # what a model may lack, by the words of llm.calls.terms
    "tools": r"\btools?\b|\btool[ _-]?(use|calls?|calling|choice)\b|function[ _-]?call",
    "tool_choice": r"\btool[ _-]?choice\b",
    "images": r"\bimages?\b|image_url|\bvision\b|multi-?modal",
}
LACKS = (
    r"(not|n't|no|cannot|never|un)[ -]?(\w{1,20} ){0,4}(support|accept|enabl|available|allow|permit|compatib)"
    r"|unsupported|support[s]? only|only supports?|requires? .{0,40}(vision|multi-?modal)"
)
NO_SUCH_ABILITY = r"no endpoints? (found|available) (that|which) (can )?(support|handle)"
# Said of the model whatever is asked of it; "unsupported keyword in tools[0]" is said of one request.
NEVER_TAKES = (
    rf"{NO_SUCH_ABILITY}|^\W{{0,3}}(\S{{1,120}} ){{0,3}}(does not|doesn't|cannot|can't) (currently )?"
    r"(support|accept|process|take) (tools?|tool[ _-](use|calls?|calling|choice)|function[ _-]call(s|ing)|images?"
    r"|image (input|url)s?|vision)\b(?! ?[\[.]\w)"
)
