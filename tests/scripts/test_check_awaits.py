"""scripts/check_awaits reports each broken form and leaves ordinary code alone."""

import pathlib
import subprocess

import pytest

CHECKER = pathlib.Path(__file__).parents[2] / "scripts" / "check_awaits"

BROKEN = {
    "brace": [
        "auto r = co_await f(Req{.model = m});",
        'auto r = co_await f({"a", "b"});',
        "auto r = co_await T{}.run();",
        "auto r = co_await net.get(host, Options{1, 2}).then(x);",
    ],
    "lambda": [
        "auto r = co_await spawn(executor, [name](int x) { return name; });",
        "auto r = co_await [&] () -> Task<int> { co_return 1; }();",
    ],
    "ternary": [
        "auto r = co_await f(b ? x : y);",
        "auto r = b ? co_await f() : other;",
        "auto r = b\n    ? co_await f()\n    : other;",
    ],
    "binding": ["auto [a, b] = co_await f(x);", "const auto& [a, b] = co_await f(x);"],
    "aggregate": ["R r{co_await x(), y};", "co_return Reply{co_await x()};", "R r{1,\n    co_await x()};"],
}

SOUND = [
    "auto r = co_await f(request, 3, \"text {with} ? [marks]\");",
    "if (!ok) { co_await f(x); }",
    "if (ok) {\n  auto r = co_await f(x);\n}",
    "try { co_await f(x); } catch (...) {}",
    "else { co_return co_await f(x); }",
    "for (auto& part : parts) { total += co_await f(part[0], table[i][j]); }",
    "// co_await f({1, 2})",
    "/* b ? co_await f() : 0 */",
    "const char* text = R\"(co_await f({1}) ? 'x' : y)\";",
    "const int million = 1'000'000; auto r = co_await f(million);",
    "auto r = a ? 1 : 2; auto s = co_await f(r);",
    "auto text = std::string{\"x\"};\nauto s = co_await f(text);",
    "switch (n) {\n  case 1: co_return co_await f(n);\n}",
    "Task<int> run() const {\n  co_return co_await f(x);\n}",
    "Task<int> run() override {\n  auto r = co_await f(x);\n}",
    "auto r = co_await (a() || b());",
]


def check(tmp_path, code):
    path = tmp_path / "sample.cpp"
    path.write_text(code + "\n", encoding="utf-8")
    done = subprocess.run([CHECKER, path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("fault", "code"), [(fault, code) for fault, codes in BROKEN.items() for code in codes])
def test_reports_the_broken_form(tmp_path, fault, code):
    status, report = check(tmp_path, "\n" + code)
    assert status == 1
    assert fault in report
    line = 2 + code[: code.index("co_await")].count("\n")
    assert f"sample.cpp:{line}: " in report


@pytest.mark.parametrize("code", SOUND)
def test_leaves_sound_code_alone(tmp_path, code):
    assert check(tmp_path, code) == (0, "")
