"""Parts what a reader is to see from a model's reasoning, in a text that comes whole or in pieces.

A mark of reasoning counts where reasoning stands: at the beginning, on a line of its own, directly before words. A text
that speaks of a mark (in code, in quotes, as a word between spaces) is prose and stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from llm.adapters.answers import mark_search
from llm.adapters.answers.code import Code
from llm.adapters.answers.mark_search import CLOSE, OPEN, WRAP, WRAP_CLOSES
from llm.adapters.answers.marks import ENDS, FINAL, HARMONY, HEADERS, MESSAGE, TURN_ENDS, Mark, is_of
from llm.text import is_half, mend

_BEGINNING = 60  # characters that decide whether an answer begins with reasoning in words
_LONGEST_HEADER = 200
_AHEAD = 2  # characters after a mark that decide what it is
_QUOTES = "`'\"«»“”‘’("
_AFTER_A_WORD = " .,;:!?)"
_MAX_KNOWN = 256
_opened_in_prompt: set[str] = set()  # models whose streams have shown it since this process began


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of a model's reasoning: a sign of life, told apart from the text."""

    text: str


Piece = str | Reasoning


class Leaked(Exception):
    """What was streamed as the text turned out to be reasoning."""


class Visible:
    """Feed it the pieces, then `finish`. `text` and `reasoning` are what has been told so far.

    model: its id, which decides where the text does not. whole: all of the text comes at once, so that reasoning
    without its opening mark can be taken out of any model's. thinks: whether the model was left to think at all.
    goes_on: the text continues one that was given, so the space that it begins with is part of it.
    named: whether the request names a tag, which then belongs to the caller's own format.
    """

    def __init__(
        self,
        model: str = "",
        *,
        whole: bool = False,
        thinks: bool = True,
        goes_on: bool = False,
        named: Callable[[str], bool] = lambda tag: False,
    ) -> None:
        self._whole, self._goes_on, self._named = whole, goes_on, named
        self._model = model.lower()
        self._tokens = mark_search.tokens_of(self._model)
        self._spoken = mark_search.spoken_of(model)
        self._buffer = ""  # not yet told
        self._place = 0  # in it: what is before was looked at
        self._half = ""  # of a character that was cut between two pieces
        self._pieces: list[Piece] = []  # known, and not yet given away
        self._told: list[str] = []
        self._thought: list[str] = []
        self._code = Code()
        self._last = ""  # character of the text told so far
        self._last_letter = ""  # of it that is no space
        self._mentions = 0  # opening marks that were prose
        self._hidden: Mark | None = None  # of the reasoning that we are in
        self._opening = ""  # it as written, while it may still be prose
        self._aside: tuple[str, str] | None = None  # reasoning, and it with its marks, until a text follows
        self._wrap: Mark | None = None  # around the text that we are in
        self._header = ""  # of harmony, as written, when we are in one
        # Until the first mark the text may be reasoning that the prompt has opened.
        opened = mark_search.prompt_opens(self._model) or self._model in _opened_in_prompt
        self._waiting = whole or (thinks and opened)

    @property
    def text(self) -> str:
        return "".join(self._told)

    @property
    def reasoning(self) -> str:
        return "".join(self._thought)

    def think(self, piece: str) -> list[Piece]:
        """A piece of reasoning that the provider told apart itself: then the text needs no guess of ours."""
        if piece and self._waiting:
            self._drain()
            self._waiting = False
            self._drain()
        self._tell_reasoning(mend(piece))
        return self._known()

    def feed(self, piece: str) -> list[Piece]:
        """What is now known to be text or reasoning. Raises Leaked."""
        piece, self._half = self._half + piece, ""
        if piece and is_half(piece[-1]):
            piece, self._half = piece[:-1], piece[-1]
        if piece:
            self._buffer += mend(piece)
            if not (self._whole and self._waiting):  # or it is read at the end, once
                self._drain()
        return self._known()

    def finish(self, *, cut: bool = False) -> list[Piece]:
        """What was held back. cut: the answer ended at its limit of tokens, perhaps within reasoning. Raises Leaked."""
        self._drain(final=True, cut=cut)
        if self._aside:
            self._buffer, self._aside = self._aside[1], None
            self._tell(len(self._buffer))
        return self._known()

    def _known(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    # -- the machine: each step takes something from the buffer, or waits for more -------------------

    def _drain(self, *, final: bool = False, cut: bool = False) -> None:
        while self._buffer:
            before = (len(self._buffer), self._place, self._header, self._hidden)
            if self._header:
                self._read_header(final=final)
            elif self._hidden is not None:
                self._read_hidden(self._hidden, final=final, cut=cut)
            else:
                self._read_visible(final=final)
            if before == (len(self._buffer), self._place, self._header, self._hidden):
                return

    def _read_visible(self, *, final: bool) -> None:
        if not (self._told or self._place or self._thought) and self._begins_in_words(final=final):
            return
        found = self._tokens.search(self._buffer, self._place)
        sure = len(self._buffer) if final or found else self._tokens.sure(self._buffer)
        start, end = found.span() if found else (sure, sure)
        self._look(start)
        if found is None or (end > len(self._buffer) - _AHEAD and not final):  # what follows a mark decides
            if final or not self._waiting:
                self._tell(start)
            return
        token = found[0].lower()
        if token in TURN_ENDS and not final and not self._buffer[end:].strip():
            if not self._waiting:  # whether it is the end
                self._tell(start)
            return
        mention = self._is_mention(token, start, end)
        if mention or (token in CLOSE and self._mentions):  # or the end of one
            self._mentions += token in OPEN if mention else -1
            self._look(end)
            return
        ends = token in CLOSE
        if token in ENDS and self._waiting:  # where another message of harmony follows, this was for nobody
            ends = self._buffer[end:].lstrip().lower().startswith(HEADERS)
        if ends and self._closes_the_prompts_reasoning():
            self._tell_reasoning(self._buffer[:start])
            self._code = Code()
            self._drop(end)
            return
        if token in WRAP:
            self._wrap = WRAP[token]
        clear = self._is_clear(start, end)
        self._tell(start)
        if token in OPEN:
            mark = OPEN[token]
            self._hide(mark, len(token), doubtful=mark.alone or not (clear or is_of(mark, self._model)))
        elif token in HEADERS:
            self._header = self._buffer[: len(token)]
            self._drop(len(token))
        else:  # around what is visible, or left over
            self._drop(len(token))

    def _begins_in_words(self, *, final: bool) -> bool:
        """Whether an answer that has just begun opens its reasoning in words, or may still do so."""
        head = self._buffer.lstrip()[:_BEGINNING]
        for spoken in self._spoken:
            if not spoken.hint.startswith(head[: len(spoken.hint)].lower()):
                continue
            if found := spoken.pattern.match(head):
                indent = self._buffer.index(head)
                if head.startswith(MESSAGE, found.end()):  # the name of a channel, without the mark before it
                    self._header = HEADERS[1]
                    self._drop(indent)
                else:
                    self._hide(spoken.mark, indent + found.end(), doubtful=True)
                return True
            if not final and len(head) < _BEGINNING:
                return True
        return False

    def _closes_the_prompts_reasoning(self) -> bool:
        """Of a closing mark without its opening. Raises Leaked when what it closes was already told."""
        if self._thought or self._aside:
            return False
        if not self._waiting and self._told:
            if len(_opened_in_prompt) < _MAX_KNOWN:
                _opened_in_prompt.add(self._model)
            raise Leaked
        return True

    def _read_hidden(self, mark: Mark, *, final: bool, cut: bool) -> None:
        closes = mark_search.tokens_for(mark.closes)
        for found in closes.pattern.finditer(self._buffer, self._place):
            start, end = found.span()
            if end > len(self._buffer) - _AHEAD and not final:
                return
            if self._is_quoted(start, end):
                continue
            if self._opening and self._speaks_of_both(start, end):
                self._show_doubtful(end)
                return
            if mark.alone and self._opening and not (self._told or self._thought):
                self._aside = self._buffer[:start], self._opening + self._buffer[:end]
            else:
                self._tell_reasoning(self._buffer[:start])
            self._drop(start if found[0].lower() in HEADERS else end)
            self._hidden = None
            return
        if not final:
            sure = closes.sure(self._buffer)
            if self._opening:
                self._place = max(self._place, sure - _AHEAD - closes.longest)
            else:
                self._tell_reasoning(self._buffer[:sure])
                self._drop(sure)
            return
        if self._opening and not cut and (mark.alone or not is_of(mark, self._model)):
            self._show_doubtful(0)
            return
        self._tell_reasoning(self._buffer)
        self._drop(len(self._buffer))

    def _read_header(self, *, final: bool) -> None:
        """What stands between <|start|> or <|channel|> and <|message|> says for whom the message is."""
        head = self._buffer[:_LONGEST_HEADER].lower()
        length = head.find(MESSAGE)
        if length >= 0:
            channel = (self._header.lower() + head[:length]).partition(HEADERS[1])[2].strip()
            self._hidden = None if not channel or channel.startswith(FINAL) else HARMONY
            self._header, self._opening, self._waiting = "", "", False
            self._drop(length + len(MESSAGE))
        elif len(self._buffer) >= _LONGEST_HEADER or (final and len(head.split()) > 3):  # no harmony at all
            self._buffer, self._place = self._header + self._buffer, len(self._header)
            self._header = ""
        elif final:
            self._drop(len(self._buffer))

    # -- what stands where ---------------------------------------------------------------------------

    def _around(self, start: int, end: int) -> tuple[str, str]:
        before = self._thought[-1][-1] if self._hidden is not None and self._thought else self._last
        return (self._buffer[start - 1] if start else before), self._buffer[end : end + 1]

    def _is_mention(self, token: str, start: int, end: int) -> bool:
        """Whether the text speaks of a mark instead of using it."""
        previous, following = self._around(start, end)
        if self._code.inside or self._is_quoted(start, end):
            return True
        said = (self._buffer[:start].rstrip() or self._last_letter)[-1:]
        begun = bool(self._told or self._buffer[:start].strip())
        if token in OPEN:
            usual = OPEN[token].word and not is_of(OPEN[token], self._model)
            if usual and (said == ">" or self._named(token)):
                return True  # of a document, or of the caller's format
            listed = previous == " " and self._code.is_list_item
            return begun and previous != "\n" and (previous in _QUOTES or following in (" ", "\t") or listed)
        if token in WRAP:
            return begun or not self._thought or self._named(token)
        if self._wrap is not None and token in self._wrap.closes:
            return False
        if token in TURN_ENDS:
            return (begun and previous == " ") or bool(self._buffer[end:].strip())
        if token in HEADERS:  # a channel's name follows without a space
            return begun and previous == " " and following in (" ", ".", ",", ":", ";")
        if token in CLOSE:
            if not begun:  # some models open their answer with it
                return following == " " and self._buffer[end + 1 : end + 2].islower()
            return (
                previous in " (" and following in _AFTER_A_WORD and (following != " " or said not in ".!?…")
            )
        if token in WRAP_CLOSES:
            return True
        # Around the text: a word between words is none of these.
        follows = following == " " and self._buffer[end + 1 : end + 2].isalpha()
        if not begun:
            return follows and self._buffer[end + 1].islower()
        return previous == " " and (follows or following in tuple(_AFTER_A_WORD[1:]))

    def _is_quoted(self, start: int, end: int) -> bool:
        previous, following = self._around(start, end)
        return bool(previous and following) and previous in _QUOTES and following in _QUOTES + "),.;:"

    def _is_clear(self, start: int, end: int) -> bool:
        """Whether an opening mark stands as reasoning's do, and not perhaps as a word of a text about it."""
        previous, following = self._around(start, end)
        begun = bool(self._told or self._buffer[:start].strip())
        return following in ("", "\n") if begun and previous == "\n" else not begun and following != " "

    def _speaks_of_both(self, start: int, end: int) -> bool:
        """“<think> and </think> are tags”, “<think>…</think>”: both marks as words of a sentence."""
        between, after = self._buffer[:start], self._buffer[end : end + 2]
        if "\n" in between or not between.strip():
            return False
        if not any(letter.isalnum() for letter in between):
            return bool(self._told)
        words = between.startswith(" ") and between.endswith(" ") and between.strip()[0].islower()
        return words and (after[:1] in ",.;:" or (after[:1] == " " and after[1:].islower()))

    # -- taking from the buffer ----------------------------------------------------------------------

    def _look(self, end: int) -> None:
        self._code.feed(self._buffer[self._place : end])
        self._place = end

    def _drop(self, end: int) -> None:
        self._buffer, self._place = self._buffer[end:], 0

    def _hide(self, mark: Mark, length: int, *, doubtful: bool) -> None:
        self._hidden, self._opening = mark, self._buffer[:length] if doubtful else ""
        self._drop(length)

    def _show_doubtful(self, end: int) -> None:
        """The mark was prose, and so is what came after it up to `end`."""
        self._buffer, self._hidden, self._place = self._opening + self._buffer, None, 0
        self._look(len(self._opening) + end)

    def _tell(self, end: int) -> None:
        piece, place = self._buffer[:end], self._place
        self._drop(end)
        self._place = max(place - end, 0)
        if not (self._told or self._goes_on):
            piece = piece.lstrip()
        if piece and self._aside:
            (thought, _), self._aside = self._aside, None
            self._tell_reasoning(thought)
        if piece:
            self._last, self._last_letter = piece[-1], piece.rstrip()[-1:] or self._last_letter
            self._told.append(piece)
            self._pieces.append(piece)

    def _tell_reasoning(self, piece: str) -> None:
        if not self._thought:
            piece = piece.lstrip()
        if piece:
            self._waiting = False
            self._thought.append(piece)
            self._pieces.append(Reasoning(piece))
