"""deploy/Dockerfile without Docker: its lines, carried out in a folder by a user without rights.

What it cannot do here is said by name: `pip install` links the locked libraries that this interpreter has (the lock
itself is installed by `make test`), `apt-get` and `useradd`, which need root, are noted in `Image.skipped`.
"""

import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

SKIPPED = {"apt-get", "useradd", "rm"}  # what only root may do; rm: of apt's lists


# -- the build context ---------------------------------------------------------------------------------------
def ignored(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore keeps a path out: the last pattern that matches it or a folder above it decides."""
    above = [str(parent) for parent in PurePosixPath(path).parents if str(parent) != "."]
    out = False
    for pattern in patterns:
        wanted = re.compile(_as_regex(pattern.removeprefix("!").strip("/")))
        if any(wanted.fullmatch(each) for each in (path, *above)):
            out = not pattern.startswith("!")
    return out


def _as_regex(pattern: str) -> str:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))


def context(root: Path, target: Path) -> None:
    """Copies what `docker build` would send."""
    lines = (root / ".dockerignore").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    back = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [
            name for name in folders
            if not ignored(str(here / name), patterns) or any(each.startswith(f"{here / name}/") for each in back)
        ]  # fmt: skip
        for name in files:
            if not ignored(str(here / name), patterns):
                (target / here).mkdir(parents=True, exist_ok=True)
                shutil.copy(root / here / name, target / here / name)


# -- the image -----------------------------------------------------------------------------------------------
class Image:
    """The last stage's file system in `root`, its environment, user and commands."""

    def __init__(self, dockerfile: Path, source: Path, scratch: Path) -> None:
        self.scratch, self.context = scratch, scratch / "context"
        self.stages: dict[str, Path] = {}
        self.root, self.workdir = scratch, "/"
        self.env: dict[str, str] = {}
        self.command: list[str] = []
        self.health: list[str] = []
        self.user = self.base = ""
        self.skipped: list[str] = []
        self.context.mkdir()
        context(source, self.context)
        self.who = _nobody()
        for word, rest in _lines(dockerfile.read_text()):
            getattr(self, f"_{word.lower()}", self._nothing)(rest)

    def environment(self, **more: str) -> dict[str, str]:
        """What a process in the container sees; paths point into the scratch folder."""
        return {"PATH": "/usr/bin:/bin", "TMPDIR": str(self.root / "tmp"), "HOME": self.within("/app")} | {
            name: self.within(value.replace("$PATH", "/usr/bin:/bin")) for name, value in self.env.items()
        } | more  # fmt: skip

    def within(self, text: str) -> str:
        return re.sub(r"(?<![\w.])/app\b", str(self.root / "app"), text)

    def popen(self, command: list[str], **more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [shutil.which(command[0], path=self.environment()["PATH"]) or command[0], *command[1:]],
            cwd=self.within(self.workdir), env=self.environment(**more), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self.who,
        )  # fmt: skip

    def run(self, command: list[str], **more: str) -> tuple[int, str]:
        process = self.popen(command, **more)
        said, _ = process.communicate(timeout=180)
        return process.returncode, said

    def freeze(self) -> None:
        """A read-only root: nobody may write but to the volume and /tmp."""
        for folder, folders, files in os.walk(self.root):
            if Path(folder) == self.root:
                folders.remove("tmp")
            if Path(folder) == self.root / "app":
                folders.remove("var")
            for path in [Path(folder), *(Path(folder) / name for name in files)]:
                if path.is_dir() or (not path.is_symlink() and path.stat().st_nlink == 1):
                    path.chmod(path.stat().st_mode & ~0o222)

    # -- one method an instruction ---------------------------------------------------------------------------
    def _nothing(self, rest: str) -> None:
        """EXPOSE, STOPSIGNAL …: nothing of the file system."""

    def _from(self, rest: str) -> None:
        self.base, _, name = rest.partition(" AS ")
        self.root = self.scratch / (name or "image")
        self.stages[name] = self.root
        self.workdir, self.env, self.command, self.health = "/", {}, [], []
        (self.root / "tmp").mkdir(parents=True)
        self._own(self.root, self.root / "tmp")

    def _workdir(self, rest: str) -> None:
        self.workdir = rest
        self._own(self._make(rest))

    def _env(self, rest: str) -> None:
        self.env |= dict(word.split("=", 1) for word in shlex.split(rest))

    def _user(self, rest: str) -> None:
        self.user = rest

    def _cmd(self, rest: str) -> None:
        self.command = json.loads(rest)

    def _healthcheck(self, rest: str) -> None:
        self.health = json.loads(rest.partition("CMD ")[2])

    def _copy(self, rest: str) -> None:
        *sources, target = [word for word in rest.split() if not word.startswith("--")]
        stage = re.search(r"--from=(\S+)", rest)
        origin = self.stages[stage[1]] if stage else self.context
        to = self.root / str(PurePosixPath(self.workdir) / target).lstrip("/")
        for source in sources:
            from_ = origin / source.lstrip("/")
            assert from_.exists(), f"COPY {source}: it is not in the build context"
            if from_.is_dir():
                shutil.copytree(from_, to, symlinks=True, dirs_exist_ok=True, copy_function=_link)
            else:
                to = to / from_.name if target.endswith(("/", ".")) else to
                shutil.copy(from_, to)
            self._own(to, *to.rglob("*"))
        for script in (to / ".venv" / "bin").glob("*") if stage else ():  # whose first line names the stage
            if not script.is_symlink():
                text = script.read_text().replace(str(origin), str(self.root))
                script.unlink()
                script.write_text(text)
                script.chmod(0o755)

    def _run(self, rest: str) -> None:
        for command in rest.split(" && "):
            words = shlex.split(command)
            if words[0] in SKIPPED:
                self.skipped.append(command)
            elif words[0].endswith("/pip"):
                self._install(words)
            elif words[0] == "install":
                folder = self._make(words[-1])
                self._own(folder)
            else:
                self._execute(command)

    def _execute(self, command: str) -> None:
        venv = re.fullmatch(r"python -m venv (\S+)", command)
        if venv:
            command = f"{_python()} -m venv --without-pip {venv[1]}"
        code, said = self.run(["sh", "-ec", self.within(command)])
        assert code == 0, f"RUN {command}: {said[-3000:]}"

    def _install(self, words: list[str]) -> None:
        """Links every locked library, and nothing else, into the virtual environment."""
        assert {"--require-hashes", "--no-deps"} <= set(words)
        lock = Path(self.within(self.workdir)) / words[words.index("-r") + 1]
        venv = Path(self.within(words[0])).parent.parent
        (site,) = venv.glob("lib/python3*/site-packages")
        for name, marker in re.findall(
            r"^([\w.-]+)(?:\[.*\])?==[^\s;]+ *(;)?", lock.read_text(), re.MULTILINE
        ):
            try:
                library = distribution(name)
            except PackageNotFoundError:
                assert marker, f"{name} is locked, and not installed here"
                continue
            for file in library.files or ():
                if ".." in file.parts or not file.locate().is_file():
                    continue
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                _link(str(file.locate()), str(site / file))
            for entry in library.entry_points.select(group="console_scripts"):
                script = venv / "bin" / entry.name
                module, _, function = entry.value.partition(":")
                script.write_text(
                    f"#!{venv}/bin/python\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
                )
                script.chmod(0o755)

    def _make(self, folder: str) -> Path:
        made = self.root / folder.lstrip("/")
        made.mkdir(parents=True, exist_ok=True)
        return made

    def _own(self, *paths: Path) -> None:
        """Of the user without rights, but for files that are links to this machine's own."""
        if self.who:
            for path in paths:
                if path.is_dir() or (not path.is_symlink() and path.stat().st_nlink == 1):
                    os.chown(path, self.who["user"], self.who["group"])


def _lines(text: str) -> list[tuple[str, str]]:
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (word, re.sub(r"\s+", " ", rest).strip())
        for word, _, rest in (line.partition(" ") for line in text.splitlines() if line.strip())
    ]


def _link(source: str, target: str) -> str:
    if Path(source).is_symlink() or Path(source).stat().st_uid != os.geteuid() or os.geteuid():
        return str(shutil.copy2(source, target, follow_symlinks=False))
    os.link(source, target)
    return target


def _nobody() -> dict[str, int]:
    """Arguments of Popen: who the image is built and run as, when that is not who runs the tests."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _python() -> str:
    """An interpreter of this version that a user without rights may run; none: a test skips."""
    mine = os.path.realpath(sys.executable)
    for each in (mine, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            said = subprocess.run([each, "-V"], capture_output=True, text=True, cwd="/", **_nobody()).stdout
        except OSError:
            continue
        if said.split()[1].split(".")[:2] == [str(part) for part in sys.version_info[:2]]:
            return each
    raise FileNotFoundError("no interpreter of this version is open to other users")
