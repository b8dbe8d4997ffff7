"""Reviews in SQLite or Postgres; each method is one transaction."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, RowMapping, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from adaptive_reasoner.budget.opening import make_engine
from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.errors import ReviewDecidedError, ReviewStoreError, UnknownReviewError
from adaptive_reasoner.server.questions import Answer
from adaptive_reasoner.server.reviews.cases import (
    MARK,
    PENDING,
    RETHINKING,
    RETHOUGHT,
    STATUS_OF,
    Decision,
    Review,
    ReviewCase,
    answer_from_json,
    answer_to_json,
)
from adaptive_reasoner.server.reviews.tables import AUDIT, REVIEWS, make_tables

Result = TypeVar("Result")

_HIDDEN = ("number", "review_id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews are listed.

    Attributes:
        status: None: all.
        tenant: None: of everybody.
        limit: at most so many, the oldest first.
        after: id of the last review of the page before.
    """

    status: str | None = PENDING
    tenant: str | None = None
    limit: int = 50
    after: str | None = None


class ReviewStore:
    """Keeps reviews and the audit of their decisions.

    Args:
        url: where threads are kept: "memory", "sqlite:///FILE" or "postgresql://…".
    """

    def __init__(self, url: str) -> None:
        self._engine: Engine = make_engine("sqlite://" if url == "memory" else url, "reviews' store")
        # In memory there is one connection, and one transaction at a time on it.
        self._alone = threading.Lock()
        with self._transaction() as db:
            make_tables(db)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    async def add(self, identity: str, case: ReviewCase, tenant: str | None, key_id: str | None) -> bool:
        """Keep a new review; False where there is one of this id, which stays as it is."""
        now = time.time()
        before = {name: case.asks[name] for name in ("answer", "tool_calls") if name in case.asks}
        who = {"tenant": tenant, "key_id": key_id}
        row = {
            "id": identity, "status": PENDING, "created_at": now, "case": _text(asdict(case)), "is_kept": 0,
        }  # fmt: skip
        line = {"review_id": identity, "event": "asked", "at": now, "before": _text(before)}

        own = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        adding = own(REVIEWS).values(**row, **who).on_conflict_do_nothing().returning(REVIEWS.c.id)

        def write(db: Connection) -> bool:
            if db.execute(adding).first() is None:
                return False
            db.execute(insert(AUDIT), {**line, **who})
            return True

        return await self._do(write)

    async def read(self, identity: str) -> Review:
        """One review.

        Raises:
            UnknownReviewError: there is none of this id.
        """
        return await self._do(lambda db: _read(db, identity))

    async def known(self, identity: str) -> Review | None:
        """One review, None where there is none of this id."""
        try:
            return await self.read(identity)
        except UnknownReviewError:
            return None

    async def find(self, wanted: Wanted) -> list[Review]:
        """Some reviews, the oldest first."""

        def look(db: Connection) -> list[Review]:
            query = select(REVIEWS).order_by(REVIEWS.c.created_at, REVIEWS.c.id).limit(wanted.limit)
            if wanted.status is not None:
                query = query.where(REVIEWS.c.status == wanted.status)
            if wanted.tenant is not None:
                query = query.where(REVIEWS.c.tenant == wanted.tenant)
            if wanted.after is not None:
                last = _read(db, wanted.after)
                later = (REVIEWS.c.created_at == last.created_at) & (REVIEWS.c.id > last.id)
                query = query.where(or_(REVIEWS.c.created_at > last.created_at, later))
            return [_review(row) for row in db.execute(query)]

        return await self._do(look)

    async def decide(self, identity: str, decision: Decision) -> Review:
        """Write down what a person said, in one step: whoever comes later is refused.

        A marked step decides nothing: the review waits for the loop, and may then wait for a person again.

        Raises:
            ReviewDecidedError: somebody has decided already; nothing is written.
            UnknownReviewError: there is none of this id.
        """

        def write(db: Connection) -> Review:
            change = update(REVIEWS).where(REVIEWS.c.id == identity, REVIEWS.c.status == PENDING)
            status = RETHINKING if decision.action == MARK else STATUS_OF[decision.action]
            changed = db.execute(change.values(status=status)).rowcount
            review = _read(db, identity)
            if not changed:
                raise ReviewDecidedError(
                    f"The review {identity!r} is {review.status} already.", param="review_id"
                )
            marks = AUDIT.c.review_id == identity, AUDIT.c.action == MARK
            number = len(db.execute(select(AUDIT.c.number).where(*marks)).all()) + 1
            event = f"marked_{number}" if decision.action == MARK else "decided"
            db.execute(insert(AUDIT), {**_decided(review, decision), "event": event})
            return review

        return await self._do(write)

    async def decision(self, identity: str) -> Json:
        """What was said last, as the review node reads it."""
        lines = await self.audit(identity)
        return next(line["reply"] for line in reversed(lines) if "reply" in line)

    async def audit(self, identity: str) -> list[Json]:
        """What happened to a review, in order."""
        query = select(AUDIT).where(AUDIT.c.review_id == identity).order_by(AUDIT.c.number)
        return await self._do(lambda db: [_line(row) for row in db.execute(query).mappings()])

    async def finish(self, identity: str, final: Answer) -> None:
        """Keep the settled answer; the first one holds, where two servers settle the same review."""
        change = update(REVIEWS).where(REVIEWS.c.id == identity, REVIEWS.c.final.is_(None))
        await self._do(lambda db: db.execute(change.values(final=_text(answer_to_json(final)))) and None)

    async def ask_again(self, review: Review, asks: Json) -> None:
        """The loop went on from a marked step, and a person is to look at what it came to."""
        case = _text(asdict(replace(review.case, asks=asks)))
        change = update(REVIEWS).where(REVIEWS.c.id == review.id, REVIEWS.c.status == RETHINKING)
        await self._do(lambda db: db.execute(change.values(status=PENDING, case=case)) and None)

    async def settle(self, identity: str, final: Answer) -> None:
        """The loop went on from a marked step, and is sure of what it came to."""
        change = update(REVIEWS).where(REVIEWS.c.id == identity, REVIEWS.c.status == RETHINKING)
        values = {"status": RETHOUGHT, "final": _text(answer_to_json(final))}
        await self._do(lambda db: db.execute(change.values(**values)) and None)

    async def mark_kept(self, identity: str) -> None:
        """Nothing is left to do."""
        change = update(REVIEWS).where(REVIEWS.c.id == identity).values(is_kept=1)
        await self._do(lambda db: db.execute(change) and None)

    async def unfinished(self) -> list[Review]:
        """Decided, and something is left to do: a server died on the way."""
        query = select(REVIEWS).where(REVIEWS.c.status != PENDING, REVIEWS.c.is_kept == 0)
        return await self._do(lambda db: [_review(row) for row in db.execute(query)])

    async def problem(self) -> str | None:
        """What is wrong with the store, None where nothing is."""
        try:
            await self._do(lambda db: db.execute(select(REVIEWS.c.id).limit(1)).first())
        except ReviewStoreError as error:
            return str(error)
        return None

    async def _do(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.to_thread(self._run, work)

    def _run(self, work: Callable[[Connection], Result]) -> Result:
        with self._transaction() as db:
            return work(db)

    @contextmanager
    def _transaction(self) -> Generator[Connection]:
        try:
            with self._alone, self._engine.begin() as db:
                yield db
        except SQLAlchemyError as error:
            raise ReviewStoreError(
                f"The store of reviews cannot be reached ({type(error).__name__}); try again in a moment.",
                retry_after_seconds=1,
            ) from error


def _read(db: Connection, identity: str) -> Review:
    row = db.execute(select(REVIEWS).where(REVIEWS.c.id == identity)).first()
    if row is None:
        raise UnknownReviewError(f"There is no review {identity!r}.", param="review_id")
    return _review(row)


def _review(row: Row[Any]) -> Review:
    return Review(
        id=row.id,
        status=row.status,
        created_at=row.created_at,
        tenant=row.tenant,
        key_id=row.key_id,
        case=ReviewCase(**json.loads(row.case)),
        final=None if row.final is None else answer_from_json(json.loads(row.final)),
        is_kept=bool(row.is_kept),
    )


def _decided(review: Review, decision: Decision) -> Json:
    after = decision.after(review.before)
    return {
        "review_id": review.id,
        "event": "decided",
        "at": time.time(),
        "action": decision.action,
        "key_id": decision.key_id,
        "tenant": decision.tenant,
        "reviewer": decision.reviewer,
        "comment": decision.comment,
        "before": _text(review.before),
        "after": None if after is None else _text(after),
    }


def _line(row: RowMapping) -> Json:
    line: Json = {column.name: row[column.name] for column in AUDIT.c if column.name not in _HIDDEN}
    for name in ("before", "after"):
        line[name] = None if line[name] is None else json.loads(line[name])
    if line["action"] is not None:
        edited: Json = line["after"] if line["action"] in ("edit", MARK) else {}
        decision = Decision(
            line["action"],
            answer=edited.get("answer"),
            tool_calls=edited.get("tool_calls"),
            step=edited.get("step"),
            note=edited.get("note"),
            comment=line["comment"],
            reviewer=line["reviewer"],
            key_id=line["key_id"],
        )
        line["reply"] = decision.reply()
    return line


def _text(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, default=str)
