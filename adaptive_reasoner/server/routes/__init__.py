"""One file a route; `ROUTERS` is what the application serves."""

from fastapi import APIRouter

from adaptive_reasoner.server.routes import (
    chat_completions,
    console,
    health,
    metrics,
    models,
    reviews,
    threads,
)

ROUTERS: tuple[APIRouter, ...] = (
    chat_completions.router,
    models.router,
    threads.router,
    reviews.router,
    console.router,
    health.router,
    metrics.router,
)
