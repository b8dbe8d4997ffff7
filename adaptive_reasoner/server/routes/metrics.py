"""`GET /metrics`: what the server counts, for Prometheus."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adaptive_reasoner.server.metrics.counting import Metrics
from adaptive_reasoner.server.parts import parts_of

router = APIRouter(tags=["operations"])


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """All metrics in Prometheus's text format; a key needs the scope `metrics`."""
    text = generate_latest(parts_of(request).get(Metrics).registry)
    return PlainTextResponse(text, media_type=CONTENT_TYPE_LATEST)
