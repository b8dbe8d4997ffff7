"""Where a server keeps its runs: a trace store, or a file of JSON Lines."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from pydantic import field_validator

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.config import Section
from adaptive_reasoner.state import Recorder
from adaptive_reasoner.traces.jsonl_recorder import JsonlRecorder
from adaptive_reasoner.traces.store.redaction import Kept, Redaction
from adaptive_reasoner.traces.store.trace_store import TraceStore, is_store_url


class TracesSection(Section):
    """Where runs are recorded, and what is kept of their texts; keys and passwords never are.

    Attributes:
        url: a trace store ("sqlite:///runs.db" or "postgresql://…"), or a file of JSON Lines; None: none is kept.
        url_env: environment variable that holds the URL, where it has a password in it.
        spool: folder of the log through which runs go to the store; None: beside the SQLite file, or in the user's
            state folder for Postgres.
        questions, answers, thoughts, threads, tenants: "keep", "hash" (with ADAPTIVE_REASONER_REDACTION_KEY) or "drop".
    """

    table: ClassVar[str] = "traces"

    url: str | None = None
    url_env: str | None = None
    spool: Path | None = None
    questions: Kept = "keep"
    answers: Kept = "keep"
    thoughts: Kept = "keep"
    threads: Kept = "keep"
    tenants: Kept = "keep"

    @field_validator("url")
    @classmethod
    def _is_named(cls, url: str | None) -> str | None:
        if url is not None and not url.strip():
            raise ValueError('use "sqlite:///FILE", "postgresql://…" or the name of a file')
        return url

    def resolved_url(self) -> str | None:
        """The URL itself.

        Raises:
            ConfigurationError: the variable is not set.
        """
        if self.url_env is None:
            return self.url
        if not (url := os.environ.get(self.url_env, "").strip()):
            raise ConfigurationError(f"traces.url_env names {self.url_env}, which is not set.")
        return url

    def redaction(self) -> Redaction:
        """What the store keeps of texts.

        Raises:
            ConfigurationError: a hash has no key.
        """
        return Redaction(**self.model_dump(exclude={"url", "url_env", "spool"}))


@asynccontextmanager
async def open_recording(section: TracesSection) -> AsyncGenerator[Recorder | None]:
    """What records the runs for as long as the server runs; None: nothing does.

    Raises:
        ConfigurationError: it cannot be written, or only a store could redact as the settings say.
        MissingExtraError: a store needs a package that is not installed.
        TraceStoreError: the store cannot be used.
    """
    url = section.resolved_url()
    redaction = section.redaction()
    if url is None:
        yield None
    elif is_store_url(url):
        store = await asyncio.to_thread(TraceStore, url, redaction=redaction, spool=section.spool)
        try:
            yield store
        finally:
            await asyncio.to_thread(store.close)
    elif redaction.keeps_all:
        yield JsonlRecorder(url)
    else:
        raise ConfigurationError(
            f"traces.url names the file {url}, which keeps texts as they are; name a store to redact them: "
            '"sqlite:///FILE" or "postgresql://…".'
        )
