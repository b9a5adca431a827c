"""The app alone, as a wheel, in another project: it needs nothing of the site around it."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.test_two_servers import ROOT

ASK = """
import json, sys
sys.argv = ["manage.py"]
import manage
from django.test import Client
from llm.chain import complete
import llm
body = {"messages": [{"role": "user", "content": "hi"}]}
answer = Client().post("/v1/chat/completions", json.dumps(body), "application/json",
                       headers={"authorization": f"Bearer {KEY}", "host": "localhost"})
print(answer.status_code, complete(user="hi").provider, llm.__file__)
"""


@pytest.mark.exhaustive
def test_the_wheel_works_in_a_project_of_its_own(tmp_path, sim):
    project, wheels, installed = tmp_path / "project", tmp_path / "wheels", tmp_path / "installed"
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "docs", "llm"):  # a copy, since a build leaves folders behind
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(source)],
        check=True, timeout=300,
    )  # fmt: skip
    with zipfile.ZipFile(next(wheels.glob("guardlabs_llm-*.whl"))) as wheel:
        names = wheel.namelist()
        wheel.extractall(installed)
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"llm"}
    assert {"llm/configuration/presets.toml", "llm/migrations/0001_initial.py", "llm/static/llm/admin.css",
            "llm/templates/admin/llm/client/usage.html"} <= set(names)  # fmt: skip
    assert not [name for name in names if "simulat" in name]
    project.mkdir()
    shutil.copy(ROOT / "tests/example_project/manage.py", project)
    (project / "providers.toml").write_text(
        f'[[provider]]\nslug = "own"\nkind = "openai"\nname = "Own"\nbase_url = "{sim.url}/own/v1"\nfree = true\n'
        '[[provider.model]]\nid = "m"\n[[provider.key]]\nlabel = "own"\nsecret = "env:OWN_KEY"\n'
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "OWN_KEY": "key-of-own"}

    def python(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True, timeout=400,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    python("manage.py", "migrate", "-v0")
    python("manage.py", "providers", "load", "providers.toml")
    assert python("manage.py", "ask", "hi")
    key = python("manage.py", "clients", "add", "other")
    status, provider, place = python("-c", ASK.replace("{KEY}", key)).split()
    assert (status, provider) == ("200", "own")
    assert place.startswith(str(installed))


def test_the_example_project_has_ten_lines():
    lines = (ROOT / "tests/example_project/manage.py").read_text().splitlines()
    code = [line for line in lines if line.strip() and not line.startswith(('"""', "import", "from"))]
    assert len(code) <= 10
