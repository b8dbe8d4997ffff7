"""The committed page says what the cells are."""

import pytest

pytest.importorskip("langchain.agents", reason="the extra `langchain` is not installed")
pytest.importorskip("fastapi", reason="the extra `server` is not installed")
from conformance_page import COLUMNS, ROWS, SENSELESS, page
from test_cells import CELLS, KINDS


def test_the_page_is_current(repository):
    written = (repository / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert written == page(CELLS), "run CONFORMANCE_PAGE=write pytest tests/conformance"


def test_no_cell_that_makes_sense_goes_untested():
    untested = {(row, column) for row in ROWS for column in COLUMNS} - {*CELLS, *SENSELESS}
    assert untested == set()


def test_no_cell_that_makes_no_sense_is_tested_all_the_same():
    assert not [cell for cell in SENSELESS if hasattr(KINDS[cell[1]], cell[0])]
