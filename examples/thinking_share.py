"""At most one question in ten thinks: the price of thinking follows the questions that come.

python examples/thinking_share.py
"""

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import ThinkingShare
from adaptive_reasoner.budget.dual_price import Steps
from adaptive_reasoner.embedded.problems import generate

QUESTIONS = 60


def main() -> None:
    # Sixty questions are few, so the price moves fast here; the default is meant for thousands.
    allocation = ThinkingShare(0.1, steps=Steps(first=0.2, last=0.05))
    graph = build_reasoning_graph("embedded", config=ReasonerConfig(allocation=allocation))
    thought = 0
    for problem in generate("test", QUESTIONS, seed=3):
        report = graph.invoke({"messages": [("user", problem.question)]})["reasoning"]
        rounds = report["rounds"]
        thought += any(one["node"] == "deep_think" for one in rounds)
        if "<= price" in rounds[-1]["reason"] and rounds[-1]["verdict"] == "accept":
            why = rounds[-1]["reason"]
    print(f"{thought} of {QUESTIONS} questions thought")
    print(
        f"a thinking call costs {report['allocation']['price_per_thinking_query']:.2f} right answers by now"
    )
    print(f"an answer was accepted because {why}")


if __name__ == "__main__":
    main()
