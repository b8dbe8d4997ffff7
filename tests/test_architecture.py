"""Imports point down only, nothing ships its own tests, and the nodes are named as in the picture."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "adaptive_reasoner"
ROOT = Path(__file__).parents[1] / PACKAGE

# From the ground up; what shares a floor may import each other, so long as no cycle comes of it.
FLOORS = (
    {"errors", "checks", "profile_files"},
    {"config", "state"},
    {"uncertainty", "gate", "triage", "budget", "thinking", "decoding"},
    {"embedded"},
    {"prompts", "models", "nodes", "openai_shapes", "routing", "recorded", "testing"},
    {"graph"},
    {"integrations", "traces", "training", "server", "doctor", "batch"},
    {"cli"},
    {"__main__"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Distributions whose module is not named as they are.
MODULE_OF = {"opentelemetry_api": "opentelemetry"}
PURE = {"uncertainty", "gate", "triage", "budget"}
PICTURE = {"triage", "fast_answer", "deep_think", "confidence_gate", "refine", "review", "hand_off"}


def _files() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _runtime_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported; what only type checkers read is left out."""
    for statement in body:
        match statement:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from _runtime_statements(statement.orelse)
            case ast.If() | ast.Try() | ast.With():
                yield from _runtime_statements(statement.body)
            case _:
                yield statement


def _imports(path: Path, *, anywhere: bool = False) -> Iterator[str]:
    """Full names of the modules that a file imports: at module level, or `anywhere` in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if anywhere else _runtime_statements(tree.body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ([node.module] if node.module else [])
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own_rooms(path: Path, *, anywhere: bool = False) -> set[str]:
    names = (name.split(".") for name in _imports(path, anywhere=anywhere))
    return {parts[1] for parts in names if parts[0] == PACKAGE and len(parts) > 1} & set(FLOOR_OF)


def test_every_file_belongs_to_a_floor() -> None:
    assert {_room(path) for path in _files()} <= set(FLOOR_OF)


def _upward(*, anywhere: bool) -> set[tuple[str, str]]:
    return {
        (str(path.relative_to(ROOT)), room)
        for path in _files()
        for room in _own_rooms(path, anywhere=anywhere)
        if FLOOR_OF[room] > FLOOR_OF[_room(path)]
    }


def test_imports_point_down() -> None:
    assert _upward(anywhere=False) == set()


def test_imports_inside_functions_point_down_too() -> None:
    # Only type checkers read these: the settings name what they may hold.
    assert _upward(anywhere=True) == {("config.py", "budget"), ("config.py", "uncertainty")}


def test_the_package_imports_from_rooms_and_not_through_its_front_door() -> None:
    names = {name for path in _files() for name in _imports(path, anywhere=True)}
    own = {name.split(".")[1] for name in names if name.startswith(f"{PACKAGE}.")}
    assert own <= set(FLOOR_OF)


def test_rooms_do_not_import_in_circles() -> None:
    downs: dict[str, set[str]] = {}
    for path in _files():
        downs.setdefault(_room(path), set()).update(_own_rooms(path) - {_room(path)})
    while downs:
        ground = {room for room, below in downs.items() if not below & set(downs)}
        assert ground, f"rooms that import each other: {sorted(downs)}"
        downs = {room: below for room, below in downs.items() if room not in ground}


def test_nothing_in_the_package_imports_what_is_for_tests() -> None:
    others = [path for path in _files() if _room(path) != "testing"]
    assert [path for path in others if "testing" in _own_rooms(path, anywhere=True)] == []


def test_pure_rooms_know_nothing_of_langgraph() -> None:
    pure = [path for path in _files() if _room(path) in PURE]
    assert {
        name for path in pure for name in _imports(path, anywhere=True) if name.startswith("langgraph")
    } == set()


def test_nodes_are_named_as_in_the_picture() -> None:
    from adaptive_reasoner import build_reasoning_graph, graph

    drawn = set(build_reasoning_graph("embedded").get_graph().nodes) - {"__start__", "__end__"}
    assert drawn == PICTURE
    assert drawn <= {path.stem for path in (ROOT / "nodes").glob("*.py")}
    assert all(name in (graph.__doc__ or "") for name in drawn)


def test_every_package_that_is_imported_is_declared(repository: Path) -> None:
    """What `pip install adaptive-reasoner` leaves out must belong to an extra, whoever else may bring it along."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    declared = {
        re.split(r"[^\w-]", line)[0].replace("-", "_") for line in [*project["dependencies"], *extras]
    }
    modules = {MODULE_OF.get(name, name) for name in declared}
    imported = {name.split(".")[0] for path in _files() for name in _imports(path, anywhere=True)}
    assert imported - set(sys.stdlib_module_names) - {PACKAGE} <= modules
