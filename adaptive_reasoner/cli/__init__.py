"""The command line `adaptive-reasoner`: one file a command, drawing apart from driving."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: what follows the program's name; None takes `sys.argv`.

    Returns:
        0 when all went well, 2 for input or settings that cannot be used, 3 where an answer waits for a
        person and none is at the terminal, 4 where rows of a batch failed, 130 when interrupted.
    """
    from adaptive_reasoner.cli.app import run  # typer is not needed by `import adaptive_reasoner.cli`

    return run(arguments)
