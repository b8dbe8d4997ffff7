"""Writes the page from the cells that passed, where it is asked to: CONFORMANCE_PAGE=write."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from conformance_page import page

_PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
_PASSED = pytest.StashKey[set]()


def pytest_configure(config):
    config.stash[_PASSED] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.passed and "cell" in dict(report.user_properties):
        item.config.stash[_PASSED].add(tuple(dict(report.user_properties)["cell"]))
    return report


def pytest_sessionfinish(session):
    if os.environ.get("CONFORMANCE_PAGE") == "write":
        _PAGE.write_text(page(session.config.stash[_PASSED]), encoding="utf-8")
