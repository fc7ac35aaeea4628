"""`equipoise`: puts the commands together and turns errors into one line and an exit code.

0: done. 1: it failed, and the message says what to do. 2: the command was not understood. 3: a log cannot answer what
`evaluate` asks. 130: interrupted.
"""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence

import msgspec
from cyclopts import App, CycloptsError
from threadpoolctl import threadpool_limits

from equipoise.core import EquipoiseError

COMMANDS = (
    ("init", "init"),
    ("import", "import_"),
    ("warm-start", "warm_start"),
    ("recommend", "recommend"),
    ("feedback", "feedback"),
    ("why", "why"),
    ("replay", "replay"),
    ("status", "status"),
    ("train", "train"),
    ("evaluate", "evaluate"),
    ("promote", "promote"),
    ("simulate", "simulate"),
    ("demo", "demo"),
    ("doctor", "doctor"),
)
"""Name and file of each command."""


def build_app() -> App:
    """The whole command line. A command's help is its docstring, its example included."""
    app = App(
        name="equipoise",
        help="Recommendations from text that balance exploration and exploitation.",
        version_flags=["--version"],
        help_format="plaintext",
    )
    for name, file in COMMANDS:
        module = importlib.import_module(f"equipoise.cli.{file}")
        app.command(module.run, name=name)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. `--debug` shows where an error came from."""
    # Small products on many threads are slower than on one, most of all on a busy machine.
    threadpool_limits(limits=1, user_api="blas")
    words = _dashed(sys.argv[1:] if arguments is None else arguments)
    debug, as_json = "--debug" in words, "--json" in words
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no Japanese shows escapes
    if debug:
        words.remove("--debug")
    try:
        code = build_app()(words, exit_on_error=False, print_error=not as_json, result_action="return_value")
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        if as_json:
            _say(error, as_json=True)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except (EquipoiseError, OSError) as error:
        if debug:
            raise
        _say(error, as_json=as_json)
        return 1


def _dashed(words: Sequence[str]) -> list[str]:
    """`--text -` as `--text=-`: alone, the parser takes the dash for an option without a name."""
    joined: list[str] = []
    for word in words:
        if word == "-" and joined and joined[-1].startswith("--"):
            joined[-1] += "=-"
        else:
            joined.append(word)
    return joined


def _say(error: Exception, *, as_json: bool) -> None:
    """One line for people, or one JSON object with the same words for programs."""
    if as_json:
        told = {
            "error": {
                "kind": "UsageError" if isinstance(error, CycloptsError) else type(error).__name__,
                "message": str(error),
            }
        }
        sys.stderr.write(msgspec.json.encode(told).decode() + "\n")
    else:
        sys.stderr.write(f"equipoise: {error}\n")
