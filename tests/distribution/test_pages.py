"""Every C++ snippet of the pages is compiled, or quotes a header; the reference of the headers has no warnings."""

import re
import subprocess

import pytest

from support.program import REPOSITORY

SDK_PAGES = ("README.md", "docs/sdk.md")
# What the snippets of a page may use without saying so.
PRELUDE = "#include <cassert>\n#include <cstdio>\n#include <future>\n#include <memory>\n#include <string_view>\n#include <vector>\n"


def snippets(page) -> list[str]:
    return re.findall(r"^```cpp\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


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


def test_the_reference_has_no_warnings():
    done = subprocess.run([REPOSITORY / "scripts/reference"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    names = {file.name for file in (REPOSITORY / "build/reference/html").iterdir()}
    assert {"classembedrouter_1_1sdk_1_1Client.html", "structembedrouter_1_1sdk_1_1EmbedAllOptions.html"} <= names
