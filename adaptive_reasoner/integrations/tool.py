"""The graph as a tool: an agent asks it a question and gets the answer, with the report as the artifact.

Inside an agent with a checkpointer, a question that waits for a person interrupts the agent, and a resumed agent
does not ask the models again.
"""

# LangChain leaves the type arguments of its tools open.
# pyright: reportUnknownMemberType=false

from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field, field_validator

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError, InvalidInputError
from adaptive_reasoner.graph import ReasoningGraph, build_reasoning_graph
from adaptive_reasoner.models import ModelSpec
from adaptive_reasoner.prompts import UNSURE_TOOL_ANSWER
from adaptive_reasoner.state import ReasoningReport

NAME = "reason"
DESCRIPTION = (
    "Answers a question that takes reasoning, such as a calculation of several steps. It thinks only as much as the "
    "question needs and says so where it is not sure. It knows nothing of this conversation: write the whole "
    "question with all its facts."
)

Answered = tuple[str, ReasoningReport]


class Question(BaseModel):
    """What the tool takes."""

    question: str = Field(description="The whole question with all facts that it needs.")

    @field_validator("question")
    @classmethod
    def _has_words(cls, question: str) -> str:
        if not question.strip():
            raise InvalidInputError("The question is empty; write the whole question.")
        return question


def reasoning_tool(
    fast: ModelSpec,
    deep: ModelSpec | None = None,
    *,
    config: ReasonerConfig | None = None,
    name: str = NAME,
    description: str = DESCRIPTION,
) -> BaseTool:
    """The graph around `fast` and `deep` as a tool with one argument, `question`.

    Its content is the answer, with a line of doubt below where the gate did not accept it, because an agent sees
    nothing else; its artifact is the report. Settings of the agent's run (`thinking`, `importance`, `budget`,
    `tenant`) hold here too.

    Args:
        fast: a chat model, "embedded", or a string as `init_chat_model` takes it.
        deep: the model that thinks; None is the fast one with thinking switched on.
        config: how to triage, doubt and spend.
        name: the tool's name, unique in its agent.
        description: tells the agent when to use it.

    Raises:
        ConfigurationError: a model or a setting cannot be used; when called, a person is to decide and no agent
            around the tool keeps the question.
    """
    return tool_of(build_reasoning_graph(fast, deep, config=config), name=name, description=description)


def tool_of(graph: ReasoningGraph, *, name: str = NAME, description: str = DESCRIPTION) -> BaseTool:
    """A graph of your own making, with tools or a recorder say, as a tool like `reasoning_tool`.

    Args:
        graph: compiled without a checkpointer; inside an agent it uses the agent's.
        name: the tool's name, unique in its agent.
        description: tells the agent when to use it.
    """

    def reason(question: str, config: RunnableConfig) -> Answered:
        return _answered(graph.invoke(_asking(question), config), question)

    async def areason(question: str, config: RunnableConfig) -> Answered:
        return _answered(await graph.ainvoke(_asking(question), config), question)

    return StructuredTool.from_function(
        reason,
        coroutine=areason,
        name=name,
        description=description,
        args_schema=Question,
        response_format="content_and_artifact",
    )


def _asking(question: str) -> Any:
    return {"messages": [("user", question)]}


def _answered(state: Any, question: str) -> Answered:
    if "__interrupt__" in state:
        raise ConfigurationError(
            'review="low_confidence" waits for a person, and nothing keeps the question meanwhile: run the tool in '
            "an agent or a graph that has a checkpointer."
        )
    if state["messages"][0].text != question:  # calls side by side share their checkpoints
        raise ConfigurationError(
            "Several calls of the tool waited in one ToolNode and were resumed in another order. With reviews, use "
            "create_agent, where each call is a task of its own, or let the model make one call at a time."
        )
    report: ReasoningReport = state["reasoning"]
    answer, last = str(state["messages"][-1].text), report["rounds"][-1]
    if last["verdict"] == "accept" or report.get("review", {}).get("action"):
        return answer, report
    return f"{answer}\n\n{UNSURE_TOOL_ANSWER.format(reason=last.get('reason', 'unknown'))}", report
