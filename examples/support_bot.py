"""A support bot with tools: a refund whose order number the model is unsure of is asked for again, or a person sees it.

A scripted model stands in for yours. It reads the first customer's order wrong at first, and right when it is shown
what it was unsure of; of the second one's it is not sure, though it thinks and is asked again, so a person decides
before anything is refunded.

    python examples/support_bot.py
"""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from adaptive_reasoner import AdaptiveReasoningMiddleware, ReasonerConfig
from adaptive_reasoner.testing import Reply, ScriptedChatModel


@tool
def refund(order: str) -> str:
    """Pay an order back."""
    print(f"  refund({order!r}) runs")
    return f"{order} is refunded"


def asks_for(order: str, *, probability: float) -> Reply:
    tokens = [('{"order": "', 0.99), (order, probability), ('"}', 0.99)]
    return Reply(tool_calls=[{"name": "refund", "args": {"order": order}}], tokens=tokens, text="")


def scripted_model() -> ScriptedChatModel:
    """Stands in for a model that calls tools and gives log probabilities."""
    return ScriptedChatModel(
        [
            asks_for("A-71", probability=0.6),
            asks_for("A-17", probability=0.98),
            Reply(text="Your order A-17 is refunded."),
            asks_for("B-20", probability=0.4),
            asks_for("B-02", probability=0.5),
            asks_for("B-02", probability=0.6),
            Reply(text="Your order B-02 is refunded."),
        ]
    )


def main() -> None:
    bot = create_agent(
        scripted_model(),
        [refund],
        system_prompt="You are the support desk of a shop.",
        middleware=[AdaptiveReasoningMiddleware(config=ReasonerConfig(review="low_confidence"))],
        checkpointer=InMemorySaver(),
    )
    for number, request in enumerate(("Please refund A-17.", "Please refund B, the second one.")):
        print(request)
        thread = {"configurable": {"thread_id": str(number)}}
        state = bot.invoke({"messages": request}, thread)
        if waiting := state.get("__interrupt__"):
            print(f"  a person is asked about {waiting[0].value['tool_calls'][0]['args']}")
            state = bot.invoke(Command(resume="approve"), thread)
        for one in state["messages"][1].response_metadata["adaptive_reasoning"]["rounds"]:
            print(f"  {one['node']} -> {one['verdict']}")
        print(f"  {state['messages'][-1].text}")


if __name__ == "__main__":
    main()
