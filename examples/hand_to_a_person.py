"""A graph that answers what it is sure of and hands the rest to a person, who may take days.

The report names the next node. The thread waits in the checkpointer; with SQLite or Postgres in its place it
outlives the process.

    python examples/hand_to_a_person.py
"""

from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.integrations.subgraph import is_settled, reasoning_node


class Ticket(TypedDict, total=False):
    """A customer's question, and who answered it."""

    question: str
    answer: str
    why: str
    answered_by: str


def send(_state: Ticket) -> dict[str, Any]:
    return {"answered_by": "model"}


def ask_person(state: Ticket) -> dict[str, Any]:
    reply = interrupt({"question": state["question"], "draft": state["answer"], "why": state["why"]})
    return {"answer": reply, "answered_by": "person"}


def main() -> None:
    node = reasoning_node(
        build_reasoning_graph("embedded"),
        ask=lambda ticket: ticket["question"],
        tell=lambda answer, report: {"answer": answer.text, "why": report["rounds"][-1]["reason"]},
        goto=lambda report: "send" if is_settled(report) else "ask_person",
    )
    graph = StateGraph(Ticket)
    graph.add_node("reasoner", node, destinations=("send", "ask_person"))
    graph.add_node("send", send)
    graph.add_node("ask_person", ask_person)
    graph.add_edge(START, "reasoner")
    desk = graph.compile(checkpointer=InMemorySaver())

    for number, question in enumerate(
        ("What is 17 * 6 - 4?", "A pen costs 7 euros. How much do 6 pens cost?")
    ):
        thread = {"configurable": {"thread_id": str(number)}}
        ticket = desk.invoke({"question": question}, thread)
        if waiting := ticket.get("__interrupt__"):
            print(f"a person sees the draft {waiting[0].value['draft']!r}: {waiting[0].value['why']}")
            ticket = desk.invoke(Command(resume="Answer: 42"), thread)
        print(f"{question} {ticket['answer']} ({ticket['answered_by']})")


if __name__ == "__main__":
    main()
