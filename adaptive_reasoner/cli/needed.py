"""What a command needs beyond the base install."""

from importlib.util import find_spec

from adaptive_reasoner.errors import MissingExtraError


def need(*modules: str) -> None:
    """Refuse, in one line, where one of the modules that training needs is not installed.

    Raises:
        MissingExtraError: names the module and the extra.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(
                f'Training needs {module}: pip install "adaptive-reasoner[train]" installs the extra "train".'
            )
