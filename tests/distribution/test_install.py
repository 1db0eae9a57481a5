"""What `cmake --install` leaves: a project outside the tree builds against it and runs; the service is whole."""

import json
import re
import shutil
import subprocess

import pytest

from support.program import BINARY, MODEL_DIR, REPOSITORY
from support.router import TAURUS_ID

BUILD = BINARY.parent.parent
QUICKSTART = REPOSITORY / "quickstart"
TEXTS = ["a text", "another text", "bananas"]


def run(*command, **options) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", folder)
    # Not where it was installed to: what is written down must not be needed.
    moved = folder.with_name("moved")
    folder.rename(moved)
    return moved


@pytest.fixture
def outside(tmp_path):
    """A copy of the quickstart, outside the tree."""
    return shutil.copytree(QUICKSTART, tmp_path / "quickstart")


def libraries(prefix):
    return next(prefix.glob("**/libembedrouter-client.a")).parent


def embeds(program, router, **environment):
    variables = {"OPENROUTER_API_KEY": router.key, "OPENROUTER_BASE_URL": router.api, **environment}
    lines = run(program, *TEXTS, env=variables).splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == TEXTS
    likeness = [float(line.split()[0]) for line in lines]
    assert likeness[0] == 1 and likeness[1] > 0.5 > likeness[2] > -1, lines


def embeds_here(program, **environment):
    """Without a router."""
    lines = run(program, MODEL_DIR, *TEXTS, env=environment).splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == TEXTS
    assert float(lines[0].split()[0]) == 1 and float(lines[1].split()[0]) > 0.5


class TestFindPackage:
    def build(self, folder, *options):
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", *options)
        run("cmake", "--build", folder / "build")
        return folder / "build/quickstart"

    @pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
    def test_a_project_builds_and_runs(self, prefix, outside, router, static):
        program = self.build(
            outside, f"-DCMAKE_PREFIX_PATH={prefix}", f"-Dembedrouter_USE_STATIC_LIBS={'ON' if static else 'OFF'}"
        )
        linked = "libembedrouter-client.so.0" in run("objdump", "-p", program)
        assert linked != static
        embeds(program, router)

    @pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
    def test_the_embedded_model_is_a_component_of_its_own(self, prefix, outside, static):
        self.build(outside, f"-DCMAKE_PREFIX_PATH={prefix}", f"-Dembedrouter_USE_STATIC_LIBS={'ON' if static else 'OFF'}")
        program = outside / "build/quickstart-local"
        assert ("libdnnl" in run("objdump", "-p", program)) == static
        assert "libdnnl" not in run("ldd", outside / "build/quickstart"), "the client alone needs no oneDNN"
        embeds_here(program)

    def test_without_the_embedded_model_the_client_is_whole(self, prefix, outside, tmp_path, router):
        client = tmp_path / "client"
        for component in ("sdk", "sdk_dev"):
            run("cmake", "--install", BUILD, "--prefix", client, "--component", component)
        assert not [*client.glob("**/*local*")]
        embeds(self.build(outside, f"-DCMAKE_PREFIX_PATH={client}"), router)
        assert not (outside / "build/quickstart-local").exists()
        page = outside / "CMakeLists.txt"
        page.write_text(page.read_text().replace("OPTIONAL_COMPONENTS ", ""))
        done = subprocess.run(
            ["cmake", "-S", outside, "-B", outside / "wanted", f"-DCMAKE_PREFIX_PATH={client}"], capture_output=True, text=True
        )
        assert done.returncode != 0 and "no component local" in done.stderr, done.stderr

    def test_another_version_and_an_unknown_component_are_refused(self, prefix, outside):
        page = outside / "CMakeLists.txt"
        for line, why in (("embedrouter 9 CONFIG REQUIRED", "version"), ("embedrouter CONFIG REQUIRED COMPONENTS nonsense", "nonsense")):
            page.write_text(re.sub(r"embedrouter 0\.1 CONFIG.*(?=\))", line, (QUICKSTART / "CMakeLists.txt").read_text()))
            done = subprocess.run(
                ["cmake", "-S", outside, "-B", outside / why, f"-DCMAKE_PREFIX_PATH={prefix}"],
                capture_output=True,
                text=True,
            )
            assert done.returncode != 0 and why in done.stderr, done.stderr

    def test_the_sources_are_a_part_of_a_project(self, outside):
        run("cmake", "-G", "Ninja", "-S", outside, "-B", outside / "build", f"-DEMBEDROUTER_SOURCES={REPOSITORY}")
        # Everything down to the program has a rule; building it is what scripts/packages does.
        plan = run("ninja", "-C", outside / "build", "-n", "quickstart")
        assert "libembedrouter-client.a" in plan
        assert "boost" not in run("ninja", "-C", outside / "build", "-t", "commands", "quickstart").lower()


def test_pkg_config_suffices_and_no_exceptions_are_needed(prefix, outside, router):
    found = {"PKG_CONFIG_PATH": str(libraries(prefix) / "pkgconfig"), "PATH": "/usr/bin:/bin"}
    flags = run("pkg-config", "--cflags", "--libs", "embedrouter-client", env=found).split()
    program = outside / "quickstart"
    run("c++", "-std=c++20", "-fno-exceptions", "-fno-rtti", outside / "main.cpp", *flags, "-o", program)
    embeds(program, router, LD_LIBRARY_PATH=str(libraries(prefix)))


def test_pkg_config_suffices_for_the_embedded_model(prefix, outside):
    found = {"PKG_CONFIG_PATH": str(libraries(prefix) / "pkgconfig"), "PATH": "/usr/bin:/bin"}
    program = outside / "by-pkg-config"
    flags = run("pkg-config", "--cflags", "--libs", "embedrouter-local", env=found).split()
    run("c++", "-std=c++20", "-fno-exceptions", "-fno-rtti", outside / "local.cpp", *flags, "-o", program)
    embeds_here(program, LD_LIBRARY_PATH=str(libraries(prefix)))


@pytest.mark.parametrize("name, shown", [("client", "sdk::v0::Embeddings::generate"), ("local", "local::v0::open")])
def test_the_shared_library_shows_its_public_names_alone(prefix, name, shown):
    names = run("nm", "-DC", "--defined-only", libraries(prefix) / f"libembedrouter-{name}.so").splitlines()
    names = [line.split(" ", 2)[2] for line in names]
    assert any(f"embedrouter::{shown}" in name for name in names)
    foreign = [name for name in names if f"embedrouter::{shown.split('::')[0]}::v0::" not in name]
    assert not foreign, foreign


def test_headers_are_the_public_ones_and_nothing_names_the_tree(prefix):
    headers = {file.name for file in (prefix / "include/embedrouter").iterdir()}
    assert {"client.h", "embed_all.h", "exceptions.h", "local.h", "testing"} <= headers
    assert not {"error.h", "result.h"} & headers
    for file in [*prefix.glob("**/*.cmake"), *prefix.glob("**/*.pc"), *prefix.glob("**/*.service")]:
        assert str(REPOSITORY) not in file.read_text(), file


class TestService:
    def test_the_unit_starts_what_is_installed(self, prefix):
        unit = (prefix / "lib/systemd/system/embedrouter.service").read_text()
        was = prefix.with_name("prefix0")
        command = re.search(r"^ExecStart=(\S+) serve --config (\S+)$", unit, re.M)
        for path in command.groups():
            inside = path.removeprefix(str(was)).lstrip("/")
            assert path.startswith(str(was)) and (prefix / inside).exists(), path
        assert "@" not in unit

    def test_the_configuration_to_begin_with_is_good(self, prefix):
        done = run(prefix / "bin/embedrouter", "serve", "--check", "--config", prefix / "etc/embedrouter/embedrouter.toml")
        assert "good" in done

    def test_a_configuration_that_is_there_is_kept(self, tmp_path):
        file = tmp_path / "etc/embedrouter/embedrouter.toml"
        file.parent.mkdir(parents=True)
        file.write_text("# mine\n")
        run("cmake", "--install", BUILD, "--prefix", tmp_path, "--component", "server")
        assert file.read_text() == "# mine\n"

    def test_the_installed_program_embeds(self, prefix, router):
        variables = {"HOME": str(prefix), "OPENROUTER_API_KEY": router.key, "OPENROUTER_BASE_URL": router.api}
        assert TAURUS_ID in run(prefix / "bin/embedrouter", "models", env=variables)


def test_the_recipes_are_of_this_version_and_of_files_that_exist():
    version = re.search(r"project\(embedrouter VERSION ([0-9.]+)", (REPOSITORY / "CMakeLists.txt").read_text()).group(1)
    port = json.loads((REPOSITORY / "ports/embedrouter/vcpkg.json").read_text())
    assert port["version"] == version
    names = [entry if isinstance(entry, str) else entry["name"] for entry in port["dependencies"]]
    assert names == sorted(names)
    for path in re.findall(r"\$\{SOURCE_PATH\}/([A-Za-z]+)", (REPOSITORY / "ports/embedrouter/portfile.cmake").read_text()):
        assert (REPOSITORY / path).exists(), path
