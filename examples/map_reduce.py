"""Map-reduce: each document is reasoned over by itself, at once; the sum is taken of the answers that hold.

A document whose answer stays in doubt is named instead of being added up.

    python examples/map_reduce.py
"""

import operator
import re
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.integrations.subgraph import is_settled, reasoning_node
from adaptive_reasoner.state import ReasoningReport

PAYSLIPS = (
    "Kim earns 9 dollars an hour. She works 5 hours on Thursday. How much money does Kim have?",
    "Leo earns 15 dollars an hour. He works 7 hours on Friday. How much does he take home?",
    "Ivan works 6 hours on Tuesday. He earns 27 dollars an hour. He gets a bonus of 25 dollars. How much has he?",
    "Vera is paid 3141 francs a quarter, less 18 % tax. How much does she take home?",
)


class Payroll(TypedDict, total=False):
    """What comes in, what each document gives, and the sum."""

    payslips: tuple[str, ...]
    amounts: Annotated[list[int], operator.add]
    doubtful: Annotated[list[str], operator.add]
    total: int


def one_by_one(state: Payroll) -> list[Send]:
    return [Send("reasoner", {"payslip": payslip}) for payslip in state["payslips"]]


def amount(answer: AIMessage, report: ReasoningReport) -> dict[str, Any]:
    if not is_settled(report):
        risk = report["signal"]["risk"]
        doubt = report["signal"]["reason"] if risk is None else f"risk {risk:.2f}"
        return {"doubtful": [f"{answer.text}, {doubt}"]}
    return {"amounts": [int(re.findall(r"\d+", str(answer.text))[-1])]}


def main() -> None:
    graph = StateGraph(Payroll)
    reasoner = build_reasoning_graph("embedded")
    graph.add_node("reasoner", reasoning_node(reasoner, ask=lambda state: state["payslip"], tell=amount))
    graph.add_node("add_up", lambda state: {"total": sum(state["amounts"])})
    graph.add_conditional_edges(START, one_by_one, ["reasoner"])
    graph.add_edge("reasoner", "add_up")
    graph.add_edge("add_up", END)
    state = graph.compile().invoke({"payslips": PAYSLIPS})
    print(f"{' + '.join(map(str, state['amounts']))} = {state['total']} dollars")
    for answer in state["doubtful"]:
        print(f"left out: {answer}")


if __name__ == "__main__":
    main()
