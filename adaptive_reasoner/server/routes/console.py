"""`/`: the console's page. `GET /v1/budgets`, `GET /v1/console/facts`: what it shows beside the API."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.caller import caller_of
from adaptive_reasoner.server.console.facts import budgets_of, usual_deep_tokens
from adaptive_reasoner.server.console.files import page_files, respond
from adaptive_reasoner.server.errors import UnknownPageError
from adaptive_reasoner.server.parts import parts_of
from adaptive_reasoner.server.routes.documented import ERRORS

router = APIRouter(tags=["console"], responses=ERRORS)

_INDEX = "index.html"


@router.get("/", include_in_schema=False)
async def get_page() -> Response:
    """The page."""
    return respond(*page_files()[_INDEX])


@router.get("/console/{name}", include_in_schema=False)
async def get_page_file(name: str) -> Response:
    """A file of the page."""
    if name not in (files := page_files()):
        raise UnknownPageError(f"The console has no file {name!r}.")
    return respond(*files[name])


@router.get("/v1/budgets")
async def get_budgets(request: Request) -> Json:
    """The budgets that hold for this key, with what is used of those that are shared."""
    caller = caller_of(request)
    data = await budgets_of(parts_of(request).runner, caller)
    return {"object": "list", "tenant": caller.tenant, "data": data}


@router.get("/v1/console/facts")
async def get_facts(request: Request) -> Json:
    """What always thinking usually takes here, in tokens written; null where that is unknown."""
    return {"usual_deep_tokens": usual_deep_tokens(parts_of(request).runner)}
