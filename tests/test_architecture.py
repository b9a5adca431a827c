"""The rooms of the house: what they may import, and how big they may grow. See docs/architecture.md."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("llm", "audit", "guardlabs")
# From the top down: what stands on a line may import what stands below it, and nothing of its own line.
LAYERS = {
    "llm": (
        "apps cli",
        "gateway admin management templatetags",
        "admin_base",
        "onboarding",
        "maintenance stats",
        "status",
        "foresight",
        "chain",
        "cache",
        "pauses",
        "operations clients",
        "limits",
        "ledger",
        "calls",
        "configuration",
        "storage",
        "adapters gates",
        "models",
        "failures secrets hosts libraries loop clock windows",
        "text conf",
    ),
    "audit": (
        "urls urls_root apps share_images",
        "admin management",
        "api pages templatetags",
        "presentation",
        "checks",
        "orders",
        "scans",
        "report",
        "bank",
        "models",
        "scoring formats throttle confidential",
        "client_address",
    ),
    "guardlabs": (
        "urls wsgi asgi apps gunicorn management",
        "desk",
        "operations",
        "staff",
        "serving",
        "web",
        "checks settings start serve tracing",
        "env keys install postgresql",
    ),
}
# Stand-ins that import what they stand in for, and start the whole site.
LEFT_OUT = ("llm.simulator", "guardlabs.operations.drill")
MAX_MODULES, MAX_LINES = 12, 350
DATA = {"audit/bank/questions.py", "audit/bank/incidents.py", "audit/bank/attack_paths.py"}


def modules():
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if "migrations" not in relative.parts:
                parts = relative.with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name):
    """Modules of ours that a module imports: at the top, late in a function, or for types alone."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def is_ours(name):
    return name.split(".")[0] in APPS and not name.startswith(LEFT_OUT)


@cache
def arrows():
    return [
        (name, other)
        for name in MODULES
        if is_ours(name)
        for other in imports(name)
        if is_ours(other) and other != name
    ]


def place(name):
    """(app, room) of a module; a package's public face is its app's roof."""
    app, _, rest = name.partition(".")
    return app, rest.split(".")[0]


def height(app, room):
    for level, line in enumerate(reversed(LAYERS[app])):
        if room in line.split():
            return level
    raise AssertionError(f"{app}/{room} has no layer: give it one in LAYERS and in docs/architecture.md")


def test_an_app_imports_only_what_is_below_it():
    order = {"llm": 0, "audit": 1, "guardlabs": 2}
    upwards = [f"{a} -> {b}" for a, b in arrows() if order[place(a)[0]] < order[place(b)[0]]]
    assert upwards == []


@pytest.mark.parametrize("app", APPS)
def test_arrows_between_rooms_point_down(app):
    upwards = []
    for a, b in arrows():
        (app_a, room_a), (app_b, room_b) = place(a), place(b)
        if app_a == app_b == app and room_a and room_b and room_a != room_b:
            if a == "llm.chain" and room_b in ("cache", "gates", "ledger"):
                continue  # its public names, looked up when they are used
            if height(app, room_a) <= height(app, room_b):
                upwards.append(f"{a} -> {b}")
    assert sorted(set(upwards)) == []


def test_no_circle_hides_inside_a_room():
    graph = defaultdict(set)
    for a, b in arrows():
        if MODULES[a].name != "__init__.py" and MODULES[b].name != "__init__.py":
            graph[a].add(b)
    done, circles = set(), []

    def walk(name, path):
        if name in path:
            circles.append(" -> ".join([*path[path.index(name) :], name]))
        elif name not in done:
            for other in sorted(graph[name]):
                walk(other, [*path, name])
            done.add(name)

    for name in sorted(graph):
        walk(name, [])
    assert circles == []


def test_the_site_uses_only_public_names_of_the_chain_package():
    inside = [
        f"{a} -> {b}"
        for a, b in arrows()
        if a.startswith("audit.") and b.startswith("llm.") and b not in PUBLIC
    ]
    assert inside == []


PUBLIC = {"llm", "llm.chain", "llm.stats", "llm.admin_base", "llm.loop"}


def test_rooms_and_modules_stay_small():
    rooms = defaultdict(list)
    for name, path in MODULES.items():
        if path.name != "__init__.py" and is_ours(name):
            rooms[path.parent.relative_to(ROOT)].append(name)
    crowded = {str(room): len(names) for room, names in rooms.items() if len(names) > MAX_MODULES}
    long = {
        str(path.relative_to(ROOT)): lines
        for path in MODULES.values()
        if (lines := path.read_text().count("\n")) > MAX_LINES and str(path.relative_to(ROOT)) not in DATA
    }
    assert (crowded, long) == ({}, {})


def test_every_room_says_what_lives_there():
    rooms = {path.parent for name, path in MODULES.items() if is_ours(name)}
    silent = [
        str(room.relative_to(ROOT))
        for room in rooms
        if room.name not in ("commands", "management", "templatetags")
        and not ast.get_docstring(ast.parse((room / "__init__.py").read_text() or "pass"))
    ]
    assert silent == []


def test_the_page_names_files_that_are_there():
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(r"`((?:llm|audit|guardlabs|docs|tests|deploy)/[\w./-]*)`", page)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_there_is_one_clock_of_the_calendar():
    """Django's, which a drill moves and a test may stop: who asks another one lives in another time."""
    asked = re.compile(r"\bdatetime\.(?:now|utcnow|today)\(|\bdate\.today\(")
    assert [name for name, path in MODULES.items() if is_ours(name) and asked.search(path.read_text())] == []
