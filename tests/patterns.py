"""Every regular expression of the code base, found by walking its modules, and texts that make a bad one slow."""

import ast
import importlib
import pkgutil
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

PACKAGES = ("audit", "guardlabs", "llm")
PROGRAMS = {"guardlabs.operations.drill.node"}  # run, not imported; no pattern of its own
CALLS = {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
ANCHORED = {"match", "fullmatch"}  # tried at one place of a text only


@dataclass(frozen=True)
class Found:
    """A pattern, where it stands, and by which methods the code uses it."""

    place: str
    pattern: "re.Pattern[str]"
    methods: frozenset[str]

    def run(self, text: str) -> None:
        """Uses the pattern as the code does, at the cost of the dearest of its methods."""
        if self.methods and self.methods <= ANCHORED:
            for method in self.methods:
                getattr(self.pattern, method)(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


class Unknown(Exception):
    """A pattern that is not known before the program runs."""


# -- finding -----------------------------------------------------------------------------------------
@cache
def _modules() -> dict[ModuleType, ast.AST]:
    found = []
    for name in PACKAGES:
        package = importlib.import_module(name)
        found.append(package)
        for info in pkgutil.walk_packages(package.__path__, f"{name}."):
            if (
                not info.name.endswith("__main__")
                and ".migrations" not in info.name
                and info.name not in PROGRAMS
            ):
                found.append(importlib.import_module(info.name))
    return {module: ast.parse(Path(str(module.__file__)).read_text("utf-8")) for module in found}


def find(package: str) -> Iterator[Found | Unknown]:
    """The compiled patterns that modules hold (in tables too), and those of calls such as `re.sub(r"…", …)`."""
    seen: set[tuple[str, int, frozenset[str]]] = set()
    uses = _uses(_modules().values())
    for module, tree in _modules().items():
        if module.__name__.partition(".")[0] != package:
            continue
        held = [
            Found(f"{module.__name__}.{name}", pattern, frozenset(uses.get(name, ())))
            for name, value in vars(module).items()
            for pattern in _patterns(value)
        ]
        called = _calls(module, tree)
        for found in (*held, *called):
            if isinstance(found, Unknown):
                yield found
            elif (key := (found.pattern.pattern, found.pattern.flags, found.methods)) not in seen:
                seen.add(key)
                yield found


def _patterns(value: Any, depth: int = 0) -> Iterator["re.Pattern[str]"]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth < 4:
        if isinstance(value, dict):
            value = [*value, *value.values()]
        elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            value = [getattr(value, name, None) for name in value.__dataclass_fields__]
        if isinstance(value, list | tuple | set | frozenset):
            for part in value:
                yield from _patterns(part, depth + 1)


def _uses(trees: Any) -> dict[str, set[str]]:
    """The methods that are called on each NAME anywhere; a name that is handed around may be used in any way."""
    uses: dict[str, set[str]] = {}
    for tree in trees:
        called = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
                if name and node.func.attr in CALLS:
                    uses.setdefault(name, set()).add(node.func.attr)
                    called.add(id(owner))
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in called:
                uses.setdefault(node.id, set()).add("handed around")
    return uses


def _calls(module: ModuleType, tree: ast.AST) -> Iterator[Found | Unknown]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in CALLS | {"compile"}
        ):
            place = f"{module.__name__}:{node.lineno}"
            try:
                flags = _flags(module, node)
                source = eval(compile(ast.Expression(node.args[0]), place, "eval"), dict(vars(module)))
                pattern = source if isinstance(source, re.Pattern) else re.compile(source, flags)
            except NameError:
                yield Unknown(f"{module.__name__} {ast.unparse(node.args[0])}")
                continue
            if isinstance(pattern.pattern, str) and node.func.attr != "compile":
                yield Found(place, pattern, frozenset({node.func.attr}))


def _flags(module: ModuleType, node: ast.Call) -> int:
    places = {"compile": 1, "sub": 4, "subn": 4, "split": 3}
    place = places.get(node.func.attr, 2)  # type: ignore[attr-defined]
    named = [word.value for word in node.keywords if word.arg == "flags"] or node.args[place : place + 1]
    return int(eval(compile(ast.Expression(named[0]), "flags", "eval"), dict(vars(module)))) if named else 0


# -- attacking ---------------------------------------------------------------------------------------
GENERIC = (
    "a",
    "A",
    "1",
    " ",
    "\n",
    "_",
    "*",
    "(",
    "[",
    "<",
    "-",
    ".",
    "я",
    "\u4e00",
    "a ",
    "1 ",
    "a.",
    "1,",
    "а́",
)
ENDS = ("", "\x00", "!\n")


@cache
def _class_sample(items: tuple[Any, ...], flags: int) -> tuple[str, ...]:
    """Some characters of a class, one for each of its parts."""
    pool = [*map(chr, range(32, 127)), "\n", "\t", "я", "Я", "é", "\u4e00", "\u00a0", "٣", "\u200b"]
    wanted: list[str] = []
    for kind, value in items:
        if kind is codes.LITERAL:
            wanted.append(chr(value))
        elif kind is codes.RANGE:
            wanted += [chr(value[0]), chr(value[1])]
    one = re.compile(_source(items), flags & (re.I | re.A | re.S))
    return tuple(islice((char for char in [*wanted, *pool] if one.fullmatch(char)), 4)) or ("a",)


def _source(items: tuple[Any, ...]) -> str:
    parts = []
    for kind, value in items:
        if kind is codes.NEGATE:
            parts.append("^")
        elif kind is codes.LITERAL:
            parts.append(re.escape(chr(value)))
        elif kind is codes.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif kind is codes.CATEGORY:
            names = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}
            _, _, name = str(value).partition("CATEGORY_")
            plain = name.removeprefix("UNI_").removeprefix("LOC_")
            letter = names[plain.removeprefix("NOT_")]
            parts.append("\\" + (letter.upper() if plain.startswith("NOT_") else letter))
    return f"[{''.join(parts)}]"


class Attacks:
    """Texts made of what a pattern asks for: its parts again and again, without the end that it waits for."""

    def __init__(self, pattern: "re.Pattern[str]") -> None:
        self.flags = pattern.flags
        self.rng = random.Random(pattern.pattern)
        self.pumps: dict[tuple[str, str], None] = {}
        self.chars: dict[str, None] = {}
        self.groups: dict[int, str] = {}
        self._walk(parser.parse(pattern.pattern, pattern.flags), "")

    def units(self, most: int) -> list[tuple[str, str]]:
        """Pairs of a start and of what is to be repeated after it; `most` of them."""
        chars = list(self.chars)
        pairs = [("", one + two) for one in chars for two in chars if one != two]
        groups: tuple[list[tuple[str, str]], ...] = (
            list(self.pumps),
            [("", unit) for unit in (*chars, *GENERIC)],
            pairs,
        )
        chosen: list[tuple[str, str]] = []
        for group in groups:
            chosen += group if len(group) <= most // 3 else self.rng.sample(group, most // 3)
        return list(dict.fromkeys(chosen))

    def _walk(self, nodes: Any, before: str) -> str:
        """Notes what can be repeated below `nodes`; the shortest text that they match, assertions apart."""
        text = ""
        for kind, value in nodes:
            text += self._node(kind, value, before + text)
        return text

    def _node(self, kind: Any, value: Any, before: str) -> str:
        if kind in (codes.LITERAL, codes.NOT_LITERAL):
            char = chr(value) if kind is codes.LITERAL else _class_sample(
                ((codes.NEGATE, None), (codes.LITERAL, value)), self.flags
            )[0]  # fmt: skip
            self.chars[char] = None
            return char
        if kind is codes.ANY:
            return "a"
        if kind is codes.IN:
            sample = _class_sample(tuple(value), self.flags)
            self.chars |= dict.fromkeys(sample)
            return sample[0]
        if kind is codes.BRANCH:
            first, *_ = [self._walk(branch, before) for branch in value[1]]
            return first
        if kind is codes.SUBPATTERN:
            text = self._walk(value[-1], before)
            if value[0] is not None:
                self.groups[value[0]] = text
            return text
        if kind is getattr(codes, "ATOMIC_GROUP", None):
            return self._walk(value, before)
        if kind in (codes.ASSERT, codes.ASSERT_NOT):
            inside = self._walk(value[1], before)
            return "" if kind is codes.ASSERT_NOT or value[0] < 0 else inside and ""
        if kind in (codes.MAX_REPEAT, codes.MIN_REPEAT, getattr(codes, "POSSESSIVE_REPEAT", None)):
            least, most, body = value
            unit = self._walk(body, before)
            if most > 1:
                if before:
                    self.pumps[("", before)] = None
                for sample in {unit, *self._others(body)}:
                    if sample:
                        self.pumps |= dict.fromkeys(((before, sample), ("", before + sample)))
            return unit * min(least, 200)
        if kind is codes.GROUPREF:
            return self.groups.get(value, "")
        return ""

    def _others(self, body: Any) -> tuple[str, ...]:
        """Other characters that a repeated class takes."""
        nodes = list(body)
        if len(nodes) == 1 and nodes[0][0] is codes.IN:
            return _class_sample(tuple(nodes[0][1]), self.flags)
        return ()


def texts(pattern: "re.Pattern[str]", most: int = 150) -> Iterator[Callable[[int], str]]:
    """Functions that make an adversarial text of a given length."""
    for start, unit in Attacks(pattern).units(most):
        for end in ENDS[:2]:

            def make(length: int, start: str = start, unit: str = unit, end: str = end) -> str:
                return start + (unit * (length // len(unit) + 1))[:length] + end

            yield make
