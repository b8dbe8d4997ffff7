"""Your endpoint in the loop: `ChatOpenAI` on Chat Completions is all it takes.

The shipped model plays the endpoint here, so that this runs without a key or a network. For your own, give
`connect` its address, key and model name.

    python examples/plug_in_your_endpoint.py
"""

from langchain_openai import ChatOpenAI

from adaptive_reasoner import EmbeddedChatModel, build_reasoning_graph
from adaptive_reasoner.testing import serve_openai

QUESTIONS = (
    "What is 17 + 25?",
    "A shop sells pens for 7 and cups for 12 dollars each. Tom buys 3 pens and 5 cups. How much does he pay?",
)


def connect(base_url: str, model: str, api_key: str) -> ChatOpenAI:
    """A chat model on any OpenAI-compatible server; the graph asks it for log probabilities itself."""
    return ChatOpenAI(
        base_url=base_url,
        model=model,
        api_key=api_key,
        stream_usage=True,  # with a base_url of your own, LangChain counts no streamed tokens without this
        use_responses_api=False,  # LangChain drops log probabilities on the Responses API
    )


def main() -> None:
    with serve_openai(EmbeddedChatModel()) as endpoint:
        graph = build_reasoning_graph(connect(endpoint.base_url, endpoint.model_name, "not needed here"))
        for question in QUESTIONS:
            result = graph.invoke({"messages": [("user", question)]})
            report = result["reasoning"]
            print(question)
            print(f"  {result['messages'][-1].text}")
            print(f"  route {report['route']}: {report['triage']['reason']}")
            for one in report["rounds"]:
                print(f"  {one['node']} -> {one['verdict']}: {one.get('reason', '')}")
            print(f"  {report['usage']['output_tokens']} tokens generated")


if __name__ == "__main__":
    main()
