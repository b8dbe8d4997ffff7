"""`GET /v1/models`: the names that are served."""

import time

from fastapi import APIRouter, Request

from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.errors import UnknownModelError
from adaptive_reasoner.server.parts import AppParts, parts_of
from adaptive_reasoner.server.routes.documented import ERRORS
from adaptive_reasoner.server.settings import ModelsSection

router = APIRouter(prefix="/v1/models", tags=["models"], responses=ERRORS)

_CREATED = int(time.time())


@router.get("")
async def list_models(request: Request) -> Json:
    """All names: the loop, its two models, and the aliases."""
    return {"object": "list", "data": [_listed(name) for name in _names(parts_of(request))]}


@router.get("/{name}")
async def get_model(name: str, request: Request) -> Json:
    """One name."""
    names = _names(parts_of(request))
    if name not in names:
        raise UnknownModelError(
            f"The model {name!r} does not exist here; use one of: {', '.join(names)}.", param="model"
        )
    return _listed(name)


def _names(parts: AppParts) -> list[str]:
    return [*parts.runner.graphs, *parts.settings.section(ModelsSection).aliases]


def _listed(name: str) -> Json:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "adaptive_reasoner"}
