"""The official Python SDK's own tests of chat and models, sent to our gateway instead of OpenAI's mock server.

They come with the SDK's source package, of the version that is installed; `make test-all` fetches it.
"""

import os
import re
import subprocess
import sys
import tarfile

import openai
import pytest

from llm.simulator import Simulator
from tests.gateway_site import Site, conformance_providers

FILES = ("tests/api_resources/chat/test_completions.py", "tests/api_resources/test_models.py")
NOT_OFFERED = (
    "delete",
    "test_completions and (retrieve or update or list)",
)  # stored completions, own models
SETTINGS = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\n"

pytestmark = pytest.mark.exhaustive


@pytest.fixture
def sdk(tmp_path):
    """The folder of the SDK's source, and one with what its tests import."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    source, extras = tmp_path / "source", tmp_path / "extras"
    for command in (
        [
            "download",
            "--no-deps",
            "--no-binary",
            "openai",
            "-d",
            str(source),
            f"openai=={openai.__version__}",
        ],
        ["install", "--target", str(extras), "pytest-asyncio", "aiohttp"],
    ):
        done = subprocess.run([*pip, *command], capture_output=True, text=True, timeout=300)
        if done.returncode:
            pytest.skip(f"pip could not fetch the SDK's tests: {done.stderr[-300:]}")
    with tarfile.open(next(source.glob("*.tar.gz"))) as archive:
        archive.extractall(source, filter="data")
    return next(source.glob("openai-*/")), extras


def adapted(text, key):
    """A test's text with a key and a model that are ours, and without what the gateway refuses by design."""
    text = text.replace("My API Key", key)
    text = re.sub(r'(model="|retrieve\(\n\s+")[^"]+"', r'\1good"', text)
    text = re.sub(r" functions=\[.*?\n {12}\],", "", text, flags=re.DOTALL).replace(
        'function_call="none",', ""
    )
    return text.replace("tokens=0", "tokens=20")


def test_the_sdks_own_tests_pass(sdk, tmp_path):
    folder, extras = sdk
    with Simulator() as sim:
        site = Site(tmp_path, sim)
        site.prepare(conformance_providers(sim))
        with site.serving():
            key = site.add_client("sdk")
            for path in (folder / "tests/conftest.py", *(folder / name for name in FILES)):
                path.write_text(adapted(path.read_text(), key))
            (folder / "pytest.ini").write_text(SETTINGS)
            environment = {**os.environ, "TEST_API_BASE_URL": f"{site.url}/v1", "PYTHONPATH": str(extras)}
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:django", "-p", "no:cacheprovider",
                 "-k", " and ".join(f"not ({name})" for name in NOT_OFFERED), *FILES],
                cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
            )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 50
