"""The application."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp

from adaptive_reasoner.server.config import ServerSettings, load_settings
from adaptive_reasoner.server.limits.admission import Admission
from adaptive_reasoner.server.metrics.observing import Observing
from adaptive_reasoner.server.openings import open_parts
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.server.recording import TracesSection
from adaptive_reasoner.server.request_ids import RequestIds
from adaptive_reasoner.server.routes import ROUTERS
from adaptive_reasoner.server.security.guard import Guard
from adaptive_reasoner.server.security.headers import CrossOrigin, SecurityHeaders
from adaptive_reasoner.server.settings import ModelsSection, PolicySection
from adaptive_reasoner.server.upstream import models_of
from adaptive_reasoner.server.upstream_settings import UpstreamSection
from adaptive_reasoner.server.wire.errors import install

# Pure ASGI middlewares, the outermost first.
MIDDLEWARES: tuple[Callable[[ASGIApp], ASGIApp], ...] = (
    RequestIds,
    Observing,
    SecurityHeaders,
    CrossOrigin,
    Guard,
    Admission,
)


def create_app(settings: ServerSettings | None = None, *, models: ServedModels | None = None) -> FastAPI:
    """Build the application; what it needs is opened when it starts to serve.

    Args:
        settings: None reads them from the environment.
        models: instead of those that the settings name.

    Raises:
        ConfigurationError: a setting cannot be used; the message says what to do.
    """
    settings = settings or load_settings()
    served = models or models_of(
        settings.section(ModelsSection), settings.section(PolicySection), settings.section(UpstreamSection)
    )
    settings.section(PolicySection).config()  # what cannot be used is said now
    settings.section(TracesSection).redaction()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_parts(settings, served) as parts:
            app.state.parts = parts
            yield

    app = FastAPI(
        title="adaptive_reasoner",
        version=version("adaptive-reasoner"),
        description="Adaptive reasoning behind OpenAI's chat completions.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    install(app)
    for router in ROUTERS:
        app.include_router(router)
    for middleware in reversed(MIDDLEWARES):
        app.add_middleware(middleware)
    return app
