"""A package index on loopback, as the real one may look a month from now (PEP 503 names, PEP 691 pages).

Pages come from the index that this machine uses; to every one of them are added files that an installation must not
take: a later version that the ranges of requirements.txt allow, a major version, and another build of the version
that is locked. Each breaks on import.
"""

import hashlib
import io
import json
import os
import threading
import zipfile
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from packaging.version import Version

JSON = "application/vnd.pypi.simple.v1+json"
UPSTREAM = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")


@cache
def page_text(project: str) -> str:
    """What the real index says of a project, as JSON; raises URLError where there is none in reach."""
    url = f"{UPSTREAM}/{project}/"
    with urlopen(Request(url, headers={"Accept": JSON}), timeout=30) as answer:
        if answer.headers.get_content_type() != JSON:
            raise URLError("the index does not speak JSON")
        page = json.load(answer)
    for file in page["files"]:
        file["url"] = urljoin(url, file["url"])
    return json.dumps(page)


def wheel(project: str, version: str) -> bytes:
    """A wheel that installs, and breaks whoever imports what is in it."""
    name, packed = project.replace("-", "_"), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise ImportError('nobody has tested this version')\n")
        about = f"{name}-{version}.dist-info"
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return packed.getvalue()


class Index:
    """`versions`: {project: the locked one}. `rebuilt`: whether the locked versions have another build, too.
    `altered`: projects whose files keep their names and hashes, and hold something else."""

    def __init__(
        self, versions: dict[str, str], *, rebuilt: bool = True, altered: tuple[str, ...] = ()
    ) -> None:
        self.versions, self.rebuilt, self.altered = versions, rebuilt, altered
        self.files: dict[str, bytes] = {}
        self.asked: set[str] = set()
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                folder, _, name = self.path.strip("/").partition("/")
                try:
                    body = index.files[name] if folder == "files" else index.page(name)
                except (KeyError, URLError) as error:
                    self.send_error(404, str(error)[:80])
                    return
                self.send_response(200)
                self.send_header("Content-Type", JSON if folder == "simple" else "application/octet-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, project: str) -> bytes:
        self.asked.add(project)
        page = json.loads(page_text(project))
        if project in self.altered:
            for file in page["files"]:
                self.files[file["filename"]] = wheel(project, "0")
                file["url"] = f"{self.url}/files/{file['filename']}"
                file.pop("core-metadata", None)
                file.pop("data-dist-info-metadata", None)
        if project in self.versions:
            page["files"] += [self._offer(project, *each) for each in self._later(self.versions[project])]
            page["versions"] = sorted({*page.get("versions", []), *self._numbers(self.versions[project])})
        return json.dumps(page).encode()

    @staticmethod
    def _numbers(locked: str) -> list[str]:
        release = Version(locked).release
        return [".".join(map(str, (*release[:-1], 9999))), "9999.0"]

    def _later(self, locked: str) -> list[tuple[str, str]]:
        """(version, build) of each file that is added."""
        found = [(number, "") for number in self._numbers(locked)]
        return [*found, (locked, "-9999")] if self.rebuilt else found

    def _offer(self, project: str, version: str, build: str) -> dict:
        name = f"{project.replace('-', '_')}-{version}{build}-py3-none-any.whl"
        self.files[name] = wheel(project, version)
        digest = hashlib.sha256(self.files[name]).hexdigest()
        return {
            "filename": name, "url": f"{self.url}/files/{name}", "hashes": {"sha256": digest}, "yanked": False,
            "requires-python": ">=3.8", "size": len(self.files[name]), "upload-time": "2027-01-01T00:00:00Z",
        }  # fmt: skip
