"""`GET /healthz`: the process lives. `GET /readyz`: it can serve."""

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from adaptive_reasoner.server.parts import parts_of

router = APIRouter(tags=["health"])

_PATIENCE_SECONDS = 5.0


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Not ready; the body says what is wrong."}})
async def readyz(request: Request) -> JSONResponse:
    """Every part that a request needs is well; otherwise 503, and what is wrong."""
    checks = dict(parts_of(request).readiness)
    results = await asyncio.gather(*(_within_time(name, check()) for name, check in checks.items()))
    problems = {name: problem for name, problem in zip(checks, results, strict=True) if problem}
    body = {
        "status": "not ready" if problems else "ready",
        "checks": {**dict.fromkeys(checks, "ok"), **problems},
    }
    return JSONResponse(body, 503 if problems else 200)


async def _within_time(name: str, check: Awaitable[str | None]) -> str | None:
    try:
        return await asyncio.wait_for(check, _PATIENCE_SECONDS)
    except TimeoutError:
        return f"{name} does not answer"
