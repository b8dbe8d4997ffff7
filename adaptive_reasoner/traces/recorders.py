"""From a name to what keeps runs: a file of JSON Lines, or a trace store."""

from collections.abc import Generator
from contextlib import contextmanager

from adaptive_reasoner.state import Recorder
from adaptive_reasoner.traces.jsonl_recorder import JsonlRecorder
from adaptive_reasoner.traces.runs import load_runs
from adaptive_reasoner.traces.store.trace_store import TraceStore, is_store_url, open_to_read

MOST_IDS = 3  # enough to say that a beginning names no single run


def make_recorder(source: str) -> Recorder:
    """What appends runs to a file, or keeps them in the store of a URL, until the program ends.

    Raises:
        ConfigurationError: it cannot be written.
        TraceStoreError: the store cannot be used.
    """
    return TraceStore(source) if is_store_url(source) else JsonlRecorder(source)


@contextmanager
def open_recorder(source: str) -> Generator[Recorder]:
    """The same for a while; a store has everything when it ends.

    Raises:
        ConfigurationError: it cannot be written.
        TraceStoreError: the store cannot be used, or does not take everything.
    """
    if not is_store_url(source):
        yield JsonlRecorder(source)
        return
    with TraceStore(source) as store:
        yield store
        store.flush()


def run_ids(source: str, beginning: str) -> list[str]:
    """Ids of runs that begin so, of a store at most `MOST_IDS`; none for an empty beginning.

    Raises:
        InvalidInputError: the file cannot be read, or a line is neither a run nor a label.
        TraceStoreError: the store cannot be read.
    """
    if not beginning:
        return []
    if not is_store_url(source):
        found = [one.record["run_id"] for one in load_runs(source).runs]
        return [name for name in found if name.startswith(beginning)]
    from adaptive_reasoner.traces.store.reading import matching_ids

    database = open_to_read(source)
    try:
        return matching_ids(database, beginning, MOST_IDS)
    finally:
        database.close()
