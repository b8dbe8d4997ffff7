"""A research agent: it looks facts up, and gives the reasoning over them to `reasoning_tool`.

The shipped model calls calculators only, so a scripted one stands in for the agent's; the tool's answers are the
shipped model's own. The agent passes on what the tool says, its doubt included.

    python examples/research_agent.py
"""

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool

from adaptive_reasoner import reasoning_tool
from adaptive_reasoner.testing import Reply, ScriptedCall, ScriptedChatModel

NOTES = {
    "Max": "Max has 15 hats.",
    "Vera": "Vera has 41 more hats than Max.",
    "Kim": "Kim has half as many hats as Vera.",
}


@tool
def look_up(name: str) -> str:
    """What the notes say about a person."""
    return NOTES[name]


def ask_for_notes(_call: ScriptedCall) -> Reply:
    return Reply(tool_calls=[{"name": "look_up", "args": {"name": name}, "id": name} for name in NOTES])


def ask_to_reason(call: ScriptedCall) -> Reply:
    facts = " ".join(str(message.text) for message in call.messages if isinstance(message, ToolMessage))
    question = f"{facts} How many hats does Kim have?"
    return Reply(tool_calls=[{"name": "reason", "args": {"question": question}}])


def report_back(call: ScriptedCall) -> Reply:
    return Reply(text=f"From the notes: {call.messages[-1].text}")


def main() -> None:
    model = ScriptedChatModel([ask_for_notes, ask_to_reason, report_back])
    agent = create_agent(model, [look_up, reasoning_tool("embedded")])
    for message in agent.invoke({"messages": "How many hats does Kim have?"})["messages"]:
        for call in message.tool_calls if isinstance(message, AIMessage) else ():
            print(f"calls {call['name']}: {' '.join(call['args'].values())}")
        if isinstance(message, ToolMessage) and message.artifact:
            for one in message.artifact["rounds"]:
                print(f"  {one['node']} -> {one['verdict']}, risk {one['signal']['risk']:.3f}")
    print(message.text)


if __name__ == "__main__":
    main()
