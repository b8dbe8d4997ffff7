"""`adaptive-reasoner doctor`: do log probabilities arrive, and which settings to change?"""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from adaptive_reasoner.cli import options
from adaptive_reasoner.errors import ConfigurationError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from rich.table import Table

    from adaptive_reasoner.doctor import Arrival, Diagnosis

_OPENAI = "openai:"

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "--fast",
        envvar="ADAPTIVE_REASONER_FAST",
        help='Model to examine: "embedded" (default), or such as "openai:gpt-4.1-mini".',
    ),
]


def doctor(
    model: Model = None,
    base_url: options.BaseUrl = None,
    api_key_env: options.ApiKeyEnv = None,
    effort: Annotated[
        list[str] | None,
        typer.Option(
            help="reasoning_effort to try, the fast one first; repeat it. Else the model profile's."
        ),
    ] = None,
    responses: Annotated[
        bool, typer.Option("--responses", help="Call OpenAI's Responses API instead of Chat Completions.")
    ] = False,
    no_probe: Annotated[
        bool, typer.Option("--no-probe", help="Call nothing: say what LangChain's model profile lets expect.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one call may take.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    no_color: options.NoColor = False,
) -> None:
    """Call a model in every way and say whether its log probabilities arrive: about 13 short calls."""
    from adaptive_reasoner.doctor import examine, expect

    choice = options.ModelChoice(fast=model, base_url=base_url, api_key_env=api_key_env)
    patient = _unasked_model(choice) if no_probe else _model(choice)
    if responses:
        patient = _on_responses_api(patient)
    efforts = effort or ()
    diagnosis = (
        expect(patient, efforts=efforts)
        if no_probe
        else examine(patient, efforts=efforts, timeout_seconds=timeout)
    )
    if as_json:
        print(json.dumps(diagnosis.to_json(), ensure_ascii=False))
    else:
        _show(diagnosis, no_color=no_color)


def _model(choice: options.ModelChoice) -> "BaseChatModel":
    from adaptive_reasoner.cli.models import choose_models
    from adaptive_reasoner.models import resolve_model

    return resolve_model(choose_models(choice)[0])


def _unasked_model(choice: options.ModelChoice) -> "BaseChatModel":
    """The same model where nothing will be asked: no key is needed and nobody has to answer."""
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    from adaptive_reasoner.models import resolve_model

    name = choice.fast or "embedded"
    if name == "embedded" or (choice.base_url is None and not name.startswith(_OPENAI)):
        return resolve_model(name)
    return ChatOpenAI(
        model=name.removeprefix(_OPENAI),
        base_url=choice.base_url,
        api_key=SecretStr("not-used"),
        use_responses_api=False,
    )


def _on_responses_api(model: "BaseChatModel") -> "BaseChatModel":
    if not hasattr(model, "use_responses_api"):
        raise ConfigurationError("--responses needs a model of OpenAI's API: --base-url, or openai:NAME.")
    return model.model_copy(update={"use_responses_api": True})


def _show(diagnosis: "Diagnosis", *, no_color: bool) -> None:
    from adaptive_reasoner.cli.render import make_console

    console = make_console(no_color=no_color)
    probed = "probed" if diagnosis.probed else "expected, not probed"
    console.print(f"{diagnosis.model} ({diagnosis.api}; {probed}; {diagnosis.rule})", style="bold")
    console.print(_table(diagnosis))
    for reason in _reasons(diagnosis):
        console.print(f"- {reason}", style="dim", soft_wrap=True)
    console.print("To change:" if diagnosis.advice else "Nothing to change.", style="bold")
    for advice in diagnosis.advice:
        console.print(f"- {advice.setting}: {advice.why}", soft_wrap=True)


def _table(diagnosis: "Diagnosis") -> "Table":
    from rich import box
    from rich.table import Table

    from adaptive_reasoner.doctor.diagnosis import gate_uses

    table = Table(
        "call", "thinking", "LangChain alone", "in the graph", "the gate uses", box=box.ASCII2, padding=0
    )
    for one in diagnosis.findings:
        table.add_row(one.way, one.thinking, _words(one.langchain), _words(one.gate), gate_uses(one))
    return table


def _words(arrival: "Arrival") -> str:
    match arrival.state:
        case "whole" if not arrival.tokens:
            return "all"
        case "whole":
            return f"{arrival.tokens} tokens, top {arrival.alternatives}"
        case "unusable":
            return "unusable"
        case "missing":
            return "none"
        case "failed":
            return "call fails"
        case _:
            return "not known"


def _reasons(diagnosis: "Diagnosis") -> list[str]:
    """Why something did not arrive, each reason once, with the calls that it holds for."""
    places: dict[str, list[str]] = {}
    for one in diagnosis.findings:
        where = f"{one.way} ({one.thinking})"
        for reason in (one.langchain.reason, one.gate.reason, one.note):
            if reason and where not in places.setdefault(reason, []):
                places[reason].append(where)
    return [f"{', '.join(where)}: {reason}" for reason, where in places.items()]
