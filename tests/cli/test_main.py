from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import gancore
from gancore import registry
from gancore.cli import COMMANDS, main
from gancore.errors import (
    BackendError,
    ConfigError,
    DataError,
    DivergedError,
    DomainError,
    MissingExtraError,
    TrainingError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GANCORE = (sys.executable, "-m", "gancore")


def shell(*words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GANCORE, *words], capture_output=True, text=True, check=False, **settings)


MISTAKES = [
    ([], "expected a command"),
    (["trian"], "did you mean 'train'?"),
    (["--verison"], "did you mean '--version'?"),
    (["list", "sistems"], "did you mean 'systems'?"),
    (["list", "systems", "more"], "unexpected argument 'more'"),
    (["explain", "wgan_pg"], "did you mean 'wgan_gp'"),
    (["explain", "dcgan", "--set", "widht=3"], "did you mean 'width'?"),
    (["explain", "dcgan", "--set", "width"], "expected KEY=VALUE"),
    (["explain", "dcgan", "--set", "width=0"], "width"),
    (["train"], "expected SYSTEM and --data"),
    (["train", "dcgan"], "expected --data"),
    (["train", "dgcan", "--data", "digits"], "did you mean 'dcgan'"),
    (["train", "dcgan", "--data", "digit"], "did you mean 'digits'?"),
    (["train", "dcgan", "--data", "nowhere.npy"], "nowhere.npy"),
    (["train", "dcgan", "--data", "digits", "--stpes", "3"], "did you mean '--steps'?"),
    (["train", "dcgan", "--data", "digits", "--steps", "many"], "invalid int value"),
    (["train", "dcgan", "--data", "digits", "--steps", "0"], "steps: expected at least 1, got 0"),
    (["train", "dcgan", "--data", "digits", "--device", "gpu"], "device: expected"),
    (["train", "dcgan", "--data", "digits", "--precision", "half"], "precision: expected"),
    (["train", "dcgan", "--data", "ring"], "mlp"),
    (["train", "dcgan", "--data", "digits", "--image-size", "0"], "image_size"),
    (["train", "--resume"], "expected --out DIR, or SYSTEM and --data"),
    (["train", "--resume", "--out", "nowhere"], "nowhere: expected the folder of a run"),
    (["sample"], "RUN"),
    (["sample", "nowhere"], "nowhere: expected the folder of a run"),
    (["sample", "nowhere", "--sampler", "ddl"], "did you mean 'ddls'?"),
    (["sample", "nowhere", "--sampler", "ddls", "--set", "stpes=3"], "did you mean 'steps'"),
    (["sample", "nowhere", "--sampler", "ddls", "--set", "seed=3"], "unknown ddls setting 'seed'"),
    (["sample", "nowhere", "-o", "grid.jpg"], "expected a .png, an .npz, a .txt or a folder"),
    (["fdi", "a", "b"], "did you mean 'fid'"),
    (["evaluate", "nowhere"], "nowhere: expected the folder of a run"),
    (["evaluate", "nowhere", "--samplers", "plain,dlds"], "did you mean 'ddls'?"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=[" ".join(words) for words, _ in MISTAKES])
def test_a_mistake_is_one_line_and_leaves_nothing(
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("gancore")
    assert "error: " in err
    assert said in err
    assert not list(tmp_path.iterdir()), "nothing was begun"


FAILURES = [
    (DataError("no such folder"), 2, "no such folder"),
    (DomainError("n: expected at least 1"), 2, "n: expected at least 1"),
    (ConfigError("out holds another run"), 2, "out holds another run"),
    (MissingExtraError("torch", "train"), 2, "torch is not installed; install it with: pip install 'gancore[train]'"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.png"), 2, "a.png: No such file or directory"),
    (TrainingError("the disk is full;\n  earlier ones are intact"), 1, "the disk is full; earlier ones are intact"),
    (DivergedError(7, "loss", {"loss": 0.5}), 1, "loss became non-finite at step 7; last finite losses: loss=0.5"),
    (BackendError("no CUDA device"), 1, "no CUDA device"),
    (OSError(errno.ENOSPC, "No space left on device", "a.json"), 1, "a.json: No space left on device"),
    (MemoryError(), 1, "out of memory; ask for smaller batches or fewer samples"),
]


@pytest.mark.parametrize(("error", "code", "said"), FAILURES, ids=[type(error).__name__ for error, *_ in FAILURES])
def test_failures_have_a_code_and_one_line(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(registry, "names", fail)
    assert main(["list"]) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"gancore list: error: {said}\n")


def test_a_full_device_says_what_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB\nand more lines")

    monkeypatch.setattr(registry, "names", fail)
    assert main(["list"]) == 1
    assert "out of memory; ask for smaller batches" in capsys.readouterr().err


def test_our_own_faults_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(registry, "names", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["list"])


def test_the_debug_variable_shows_where(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANCORE_DEBUG", "1")
    assert main(["list", "sistems"]) == 2
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("GANCORE_DEBUG", "0")
    main(["list", "sistems"])
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "names", fail)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "gancore list: interrupted\n"


def test_a_warning_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    def warn(_: object) -> Sequence[str]:
        warnings.warn("few samples", stacklevel=1)
        return ()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(registry, "names", warn)
        assert main(["list", "games"]) == 0
    assert capsys.readouterr().err == "gancore list: warning: few samples\n"


def test_every_choice_is_listed_with_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {axis: {n: registry.describe(axis, n) for n in registry.names(axis)} for axis in registry.AXES}
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for axis, names in found.items():
        assert axis in lines
        for name, line in names.items():
            assert any(text.split() == [name, *line.split()] for text in lines)


@pytest.mark.parametrize("name", registry.names("systems"))
def test_every_system_is_explained_with_its_choices(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    text = capsys.readouterr().out
    assert gancore.systems.get(name)().explain() in text
    for key, value in gancore.systems.get(name)().choices.items():
        (line,) = [line for line in text.split("Choices")[1].splitlines() if line.split()[:1] == [key]]
        assert line.split()[1].lower() == str(value).lower()


def test_a_choice_changes_the_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "wgan_gp", "--set", "critic_steps=3", "critic-norm=layer", "--set", "ema=none"]) == 0
    text = capsys.readouterr().out
    assert "critic_steps=3" in text
    assert "critic_norm='layer'" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_parse(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    examples = [line.strip() for line in out.partition("examples:")[2].splitlines() if line.startswith("  gancore ")]
    assert examples
    from gancore.cli import _parser, parse

    for example in examples:
        words = example.partition(" > ")[0].split()[1:]
        assert parse(_parser(), words).run.__module__ == f"gancore.cli.{command}"


def test_the_version_is_that_of_the_package() -> None:
    done = shell("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"gancore {gancore.__version__}\n", "")


def test_commands_that_need_no_network_import_none() -> None:
    code = """
import sys
from gancore.cli import main
main(["list"]); main(["--help"]); main(["train", "--help"]); main(["lits"])
print(sorted({"torch", "rich", "PIL", "matplotlib", "jinja2", "safetensors"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX shells")
def test_a_reader_that_leaves_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [*GANCORE, "list", "--json"], stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert done.stderr == ""
    assert done.returncode == 141, "as a program that SIGPIPE ended"


@pytest.mark.parametrize("command", ["train", "sample", "evaluate", "fid", "explain"])
def test_a_missing_extra_is_named(command: str) -> None:
    words = {
        "train": ["train", "dcgan", "--data", "digits"],
        "sample": ["sample", "nowhere"],
        "evaluate": ["evaluate", "nowhere"],
        "fid": ["fid", "digits", "digits", "--features", "digits"],
        "explain": ["explain", "dcgan"],
    }[command]
    code = f"import sys\nsys.modules['torch'] = None\nfrom gancore.cli import main\nsys.exit(main({words!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "torch is not installed; install it with: pip install 'gancore[train]'" in done.stderr
