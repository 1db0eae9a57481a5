"""Completion scripts and the manual page know every command and flag that --help knows; the pages name no others."""

import os
import re
import shutil
import subprocess

import pytest

from support.program import REPOSITORY, run


def helped(path: list[str]) -> tuple[list[str], list[str]]:
    """The subcommands and the flags that --help lists."""
    text = run(*path, "--help").stdout
    options, _, commands = text.partition("Subcommands:")
    flags = re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", "\n".join(re.findall(r"^  -.*?(?:  |$)", options, re.M)))
    return re.findall(r"^  (\w+)", commands, re.M), flags


def tree(path: tuple[str, ...] = ()):
    commands, flags = helped(list(path))
    yield path, commands, flags
    for command in commands:
        yield from tree((*path, command))


@pytest.fixture(scope="module")
def whole():
    nodes = list(tree())
    assert {("keys", "create"), ("embed",), ("completion", "zsh")} <= {path for path, _, _ in nodes}
    return nodes


def script(shell: str, tmp_path):
    file = tmp_path / f"completion.{shell}"
    file.write_text(run("completion", shell).stdout)
    return file


def sh(*command: str) -> str:
    assert shutil.which(command[0]), f"{command[0]} is missing: scripts/install-packages test"
    # Shells and man complain of a home or a locale that is not there.
    environment = {"HOME": "/tmp", **os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0 and not done.stderr, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class TestBash:
    def complete(self, file, *words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in ("embedrouter", *words))
        return sh(
            "bash", "-c",
            f"source {file}; compopt() {{ :; }}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _embedrouter; "
            'printf "%s\\n" "${COMPREPLY[@]}"',
        ).split()  # fmt: skip

    def test_every_command_and_flag_is_offered(self, whole, tmp_path):
        file = script("bash", tmp_path)
        for path, commands, flags in whole:
            assert set(self.complete(file, *path, "")) == {*commands, *flags}, path

    def test_the_beginning_of_a_word_counts(self, tmp_path):
        file = script("bash", tmp_path)
        assert self.complete(file, "en") == ["endpoints"]
        assert self.complete(file, "embed", "a text", "--mo") == ["--model"]

    def test_values_are_files_folders_or_ones_own(self, tmp_path):
        file = script("bash", tmp_path)
        (tmp_path / "texts.txt").touch()
        (tmp_path / "data").mkdir()
        assert self.complete(file, "embed", "--file", f"{tmp_path}/te") == [f"{tmp_path}/texts.txt"]
        assert self.complete(file, "serve", "--data-dir", f"{tmp_path}/") == [f"{tmp_path}/data"]
        assert self.complete(file, "embed", "--model", "") == []


class TestFish:
    def complete(self, file, *words: str) -> list[str]:
        line = " ".join(["embedrouter", *words])
        lines = sh("fish", "--no-config", "-c", f"source {file}; complete -C '{line}'").splitlines()
        return [entry.split("\t")[0] for entry in lines]

    def test_every_command_and_flag_is_offered(self, whole, tmp_path):
        file = script("fish", tmp_path)
        for path, commands, flags in whole:
            assert set(commands) <= set(self.complete(file, *path, "")), path
            long = {flag for flag in flags if flag.startswith("--")}
            assert set(self.complete(file, *path, "--")) == long, path


class TestZsh:
    def test_every_command_and_flag_is_handed_to_the_shell(self, whole, tmp_path):
        """The shell's own functions, which need a terminal, are replaced by ones that print what they are given."""
        file = script("zsh", tmp_path)
        sh("zsh", "-n", str(file))
        stubs = '_arguments() { print -rl -- "$@"; return 1 }; _describe() { print -rl -- "${(@P)2}" }'
        # The last line calls the function, as autoload wants it.
        functions = file.read_text().rsplit("\n", 2)[0]
        for path, commands, flags in whole:
            name = "_".join(["_embedrouter", *path])
            printed = sh("zsh", "-f", "-c", f"{stubs}\n{functions}\nstate=command; {name} || true")
            assert set(re.findall(r"^(--?[\w-]+)\[", printed, re.M)) == set(flags), path
            if commands:
                assert set(re.findall(rf"^\s+(\w+)\) {name}_", functions, re.M)) >= set(commands), path


class TestManual:
    @pytest.fixture(scope="class")
    def page(self):
        text = sh("man", "--warnings", "-l", str(REPOSITORY / "docs/man/embedrouter.1"))
        return re.sub(".\b", "", text)

    def sections(self, page: str) -> dict[str, str]:
        """The part of COMMANDS about each command, by the words of its heading."""
        body = page[page.index("\nCOMMANDS\n") : page.index("\nOPTIONS\n")]
        parts = re.split(r"^   (?=\S)(.+)$", body, flags=re.M)[1:]
        return {name.strip(): text for heading, text in zip(parts[::2], parts[1::2]) for name in heading.split(",")}

    def test_it_names_every_command_and_flag(self, whole, page):
        sections = self.sections(page)
        leaves = {" ".join(path): flags for path, commands, flags in whole if not commands}
        assert set(sections) == set(leaves)
        for name, flags in leaves.items():
            for flag in set(flags) - {"-h", "--help"}:
                assert re.search(rf"(?<![\w-]){flag}(?![\w-])", sections[name]), (name, flag)

    def test_it_names_no_flag_that_is_none(self, whole, page):
        known = {flag for _, _, flags in whole for flag in flags}
        assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", page)) <= known

    def test_it_tells_every_exit_status(self, page):
        told = page[page.index("\nEXIT STATUS\n") : page.index("\nENVIRONMENT\n")]
        source = (REPOSITORY / "src/apps/common.h").read_text()
        assert re.findall(r"^\s+(\d)\s", told, re.M) == re.findall(r"^  k\w+ = (\d)", source, re.M)


class TestPages:
    PAGES = [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/**/*.md"))]

    def calls(self, page) -> list[str]:
        """What follows the program's name, in shell snippets and in code within text."""
        text = page.read_text(encoding="utf-8")
        shown = "\n".join(re.findall(r"^```(?:sh|bash)\n(.*?)^```$", text, re.M | re.S))
        within = re.findall(r"(?<!`)`(embedrouter [^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
        whole = [*shown.replace("\\\n", " ").splitlines(), *within]
        found = [re.findall(r"(?<![\w./-])embedrouter (?!embedrouter)([^#;&)]+)", line) for line in whole]
        return [call.replace("\\|", "|").strip() for calls in found for call in calls]

    def fault(self, nodes: dict, call: str) -> str | None:
        """`nodes`: by its path, the subcommands and flags of each command. `a|b` names both."""
        paths = [()]
        words = re.sub(r"[\[\]]", " ", call).split()
        while words and nodes[paths[0]][0] and not words[0].startswith("-"):
            names = words.pop(0).split("|")
            if not set(names) <= set(nodes[paths[0]][0]):
                return f"no command {names} in: {call}"
            paths = [(*paths[0], name) for name in names]
        known = {flag for path in paths for flag in nodes[path][1]}
        named = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", re.sub(r"""'[^']*'|"[^"]*\"""", "", " ".join(words))))
        return f"no flags {named - known} in: {call}" if named - known else None

    def test_they_name_no_command_and_no_flag_that_is_none(self, whole):
        nodes = {path: (commands, flags) for path, commands, flags in whole}
        calls = {page: self.calls(page) for page in self.PAGES}
        assert sum(map(len, calls.values())) > 20
        faults = [f"{page.name}: {fault}" for page, said in calls.items() for call in said if (fault := self.fault(nodes, call))]
        assert not faults, "\n".join(faults)

    @pytest.mark.parametrize("call", ["sing", "keys make|list", "embed --jsn a", "serve --check --confg F", "--verbose"])
    def test_the_check_sees_what_is_none(self, whole, call):
        assert self.fault({path: (commands, flags) for path, commands, flags in whole}, call)


def test_an_unknown_shell_is_a_usage_error():
    assert run("completion", "tcsh").returncode == run("completion").returncode == 2
