"""Every snippet of the pages holds: C++ compiles or quotes a header, Python runs, a configuration is one, and commands
have the subcommands and flags that are named. The reference of the headers has no warnings."""

import os
import re
import subprocess
import sys

import pytest

from support import tiny_model
from support.program import MODEL_DIR, REPOSITORY, run
from support.router import TAURUS_WIDTH, configuration

PAGES = [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/**/*.md"))]
SDK_PAGES = ("README.md", "docs/sdk.md")
# What the snippets of a page may use without saying so.
PRELUDE = "#include <cassert>\n#include <cstdio>\n#include <future>\n#include <memory>\n#include <string_view>\n#include <vector>\n"


def snippets(page, language: str = "cpp") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def programs_of(page) -> list[str]:
    """Whole programs, and the other snippets of a page one after the other, as the body of a function."""
    found = snippets(page)
    whole = [snippet for snippet in found if "int main(" in snippet]
    lines = [line for snippet in found if snippet not in whole for line in snippet.splitlines()]
    includes = [line for line in lines if line.startswith("#include")]
    body = [line for line in lines if not line.startswith("#include")]
    parts = "\n".join([*includes, PRELUDE, "void the_page() {", *body, "}", "int main() { the_page(); }"])
    return whole + [parts] * bool(body)


@pytest.mark.parametrize("page", SDK_PAGES)
def test_snippets_of_the_sdk_compile(page, tmp_path):
    programs = programs_of(REPOSITORY / page)
    assert programs, f"{page} shows no C++"
    for number, text in enumerate(programs):
        source = tmp_path / f"page{number}.cpp"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["c++", "-std=c++20", "-Wall", "-Werror", "-Wno-unused-variable", "-Wno-unused-but-set-variable",
             "-fsyntax-only", f"-I{REPOSITORY}/include", source],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_other_snippets_quote_a_header():
    headers = [file.read_text(encoding="utf-8") for file in (REPOSITORY / "src").glob("**/*.h")]
    pages = [page for page in REPOSITORY.glob("docs/**/*.md") if str(page.relative_to(REPOSITORY)) not in SDK_PAGES]
    for page in pages:
        for snippet in snippets(page):
            lines = [line.strip() for line in snippet.splitlines() if line.strip()]
            assert any(all(line in header for line in lines) for header in headers), f"{page}:\n{snippet}"


def test_the_readme_shows_the_quickstart():
    [shown] = snippets(REPOSITORY / "README.md")
    assert shown == (REPOSITORY / "quickstart/main.cpp").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(start_router):
    router = start_router(configuration())
    [shown] = snippets(REPOSITORY / "README.md", "python")
    address = "http://127.0.0.1:8080/api/v1"
    assert address in shown
    program = shown.replace(address, router.api) + "print(len(res.data[0].embedding))\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OPENROUTER_API_KEY": router.key}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == str(TAURUS_WIDTH), done.stderr


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """serve --check on a machine that has what the pages speak of."""
    folder = tmp_path_factory.mktemp("pages")
    source = tiny_model.write(folder / "source", seed=1)
    added = run("models", "add", source, "--id", "BAAI/bge-small-en-v1.5", "--data-dir", folder)
    assert added.returncode == 0, added.stderr

    def check(text: str):
        (folder / "embedrouter.toml").write_text(text, encoding="utf-8")
        keys = {name: name for names in re.findall(r"^api_key_env = (.*)$", text, re.M)
                for name in re.findall(r'"(\w+)"', names)}  # fmt: skip
        return run("serve", "--check", "--config", folder / "embedrouter.toml", "--data-dir", folder, environment=keys)

    return check


class TestConfigurations:
    BLOCKS = [(page, number) for page in PAGES for number in range(len(snippets(page, "toml")))]

    def completed(self, text: str) -> str:
        """A fragment with the least around it that makes it a configuration."""
        some = '[[provider]]\nslug = "a"\nbase_url = "https://a.example/v1"\n'
        if text.startswith("[[model.endpoint]]"):
            if "provider = " not in text:
                text = text.replace("[[model.endpoint]]\n", '[[model.endpoint]]\nprovider = "a"\n')
            text = some + '[[model]]\nid = "a/b"\ndimensions = 8\n' + text
        # Without a model's folder, the router's own.
        if "[embedded]\n" not in text:
            text += "[embedded]\n"
        return text if "model_dir = " in text else text.replace("[embedded]\n", f'[embedded]\nmodel_dir = "{MODEL_DIR}"\n')

    @pytest.mark.parametrize("page, number", BLOCKS, ids=lambda value: getattr(value, "name", value))
    def test_each_is_one(self, check, page, number):
        text = snippets(page, "toml")[number].replace("/srv/models/bge-small-en-v1.5", str(MODEL_DIR))
        done = check(self.completed(text))
        assert done.returncode == 0, done.stderr
        # What is shown as a comment is known too, whether or not this machine has the files.
        if (uncommented := re.sub(r"^# (\w+ = )", r"\1", text, flags=re.M)) != text:
            done = check(self.completed(uncommented))
            assert "unknown" not in done.stderr, done.stderr

    def test_the_check_sees_a_key_that_is_none(self, check):
        done = check(self.completed("[limits]\nbody_byte = 1\n"))
        assert done.returncode != 0 and "unknown" in done.stderr and "body_byte" in done.stderr


def test_the_reference_has_no_warnings():
    done = subprocess.run([REPOSITORY / "scripts/reference"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    names = {file.name for file in (REPOSITORY / "build/reference/html").iterdir()}
    assert {"classembedrouter_1_1sdk_1_1Client.html", "structembedrouter_1_1sdk_1_1EmbedAllOptions.html"} <= names
