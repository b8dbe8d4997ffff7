"""The commands, and the one place where an error becomes a line on stderr and an exit code."""

import io
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from adaptive_reasoner.cli.ask import ask
from adaptive_reasoner.cli.batch import batch
from adaptive_reasoner.cli.calibrate import calibrate
from adaptive_reasoner.cli.chat import chat
from adaptive_reasoner.cli.doctor import doctor
from adaptive_reasoner.cli.keys import keys_app
from adaptive_reasoner.cli.replay import replay
from adaptive_reasoner.cli.serve import serve
from adaptive_reasoner.cli.traces import traces_app
from adaptive_reasoner.cli.train import train_app
from adaptive_reasoner.errors import AdaptiveReasonerError

PROGRAM = "adaptive-reasoner"
BAD_INPUT = 2
INTERRUPTED = 130

app = typer.Typer(
    help="Deep-think accuracy at fast-answer price: triage, a gate on token entropy, refine, escalate.",
    epilog=f'Example: {PROGRAM} ask "Tom has 7 pens. He buys 5 more. How many pens does Tom have now?"\n\n'
    "Exit codes: 0 done; 2 input or settings that cannot be used, in one line on stderr; 3 an answer waits for a "
    "person, or a refit may not be shipped; 4 rows of a batch failed; 130 interrupted.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog=f'Example: {PROGRAM} ask "What is 3 * 7 + 5?" --show-thoughts')(ask)
app.command(epilog=f"Example: {PROGRAM} chat --db talk.sqlite --thread-id monday")(chat)
app.command(epilog=f"Example: {PROGRAM} doctor --base-url http://127.0.0.1:8000/v1 --model qwen3-8b")(doctor)
app.command(epilog=f"Example: {PROGRAM} calibrate answers.jsonl.gz --max-error 0.1 --out profile.json")(
    calibrate
)
app.command(epilog=f"Example: {PROGRAM} replay answers.jsonl.gz --profile profile.json --plot frontier.png")(
    replay
)
app.command(epilog=f"Example: {PROGRAM} batch questions.jsonl --out answers.jsonl")(batch)
app.command(epilog=f"Example: {PROGRAM} serve --port 8000 --db sqlite:///threads.sqlite")(serve)
app.add_typer(keys_app, name="keys")
app.add_typer(traces_app, name="traces")
app.add_typer(train_app, name="train")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Show the help where no command is named."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; every error that was foreseen ends as one line on stderr."""
    given = None if arguments is None else list(arguments)
    _replace_what_cannot_be_printed()
    try:
        code = app(args=given, prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        return _fail(f"{_said_by(error)} See `{_command_of(error)} --help`.")
    except AdaptiveReasonerError as error:
        return _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _replace_what_cannot_be_printed() -> None:
    """An answer may hold any character; a terminal that lacks one shows `?` instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _said_by(error: typer.TyperException) -> str:
    """The message as a sentence; a group that is called without a command says nothing."""
    said = error.format_message().replace("Value error, ", "").strip() or "Name one of its commands"
    if said.startswith("Got unexpected extra argument"):
        said = f"{said.rstrip('.')}; put a text with spaces in quotes"
    return said if said.endswith((".", "?")) else f"{said}."


def _command_of(error: typer.TyperException) -> str:
    context: typer.Context | None = getattr(error, "ctx", None)
    return context.command_path if context else PROGRAM


def _fail(message: str) -> int:
    print(f"{PROGRAM}: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT
