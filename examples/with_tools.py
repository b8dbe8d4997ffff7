"""Tools behind the gate: a call that the model is unsure of is thought over before anything runs.

The shipped model calls calculators only, so a scripted one stands in for yours: it first guesses the item's name,
then, asked to think, gets it right. `downstream` receives the answer once it is accepted.

    python examples/with_tools.py
"""

from typing import Any

from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel

PRICES = {"pen": 7, "pencil": 4}


@tool
def price(item: str) -> int:
    """Price of an item in the shop."""
    print(f"  tool price({item!r}) runs")
    return PRICES[item]


def scripted_model() -> ScriptedChatModel:
    """Stands in for a model that calls tools and gives log probabilities."""
    unsure = [('{"item": "', 0.99), ("pencil", 0.45, [("pen", 0.44)]), ('"}', 0.99)]
    return ScriptedChatModel(
        [
            Reply(tool_calls=[{"name": "price", "args": {"item": "pencil"}}], tokens=unsure, text=""),
            Reply(tool_calls=[{"name": "price", "args": {"item": "pen"}}], probability=0.99),
            Reply(text="Answer: 21", probability=0.99),
        ]
    )


def place_order(accepted: dict[str, Any]) -> None:
    """What comes after the loop: a tool, an agent, a chatbot."""
    print(f"  downstream gets {accepted['answer']!r}")


def main() -> None:
    graph = build_reasoning_graph(scripted_model(), tools=[price], downstream=RunnableLambda(place_order))
    print("What do 3 pens cost?")
    result = graph.invoke({"messages": [("user", "What do 3 pens cost?")]})
    for one in result["reasoning"]["rounds"]:
        print(f"  {one['node']} -> {one['verdict']}: {one.get('reason', '')}")
    print(f"  {result['messages'][-1].text}")


if __name__ == "__main__":
    main()
