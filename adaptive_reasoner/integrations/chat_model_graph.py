"""The compiled graph that stands behind one `AdaptiveChatModel`."""

from typing import TYPE_CHECKING, Any

from adaptive_reasoner.graph import ReasoningGraph, build_reasoning_graph

if TYPE_CHECKING:
    from adaptive_reasoner.integrations.chat_model import AdaptiveChatModel


class GraphOf:
    """Builds a model's graph once; a copy with other fields, or one from a pickle, gets a new one."""

    def __init__(self) -> None:
        self._built: tuple[tuple[Any, ...], ReasoningGraph] | None = None

    def __call__(self, model: "AdaptiveChatModel") -> ReasoningGraph:
        """The graph for the model as it is now."""
        fields = (model.fast, model.deep, model.config, model.recorder)
        built = self._built
        if built is None or any(one is not other for one, other in zip(built[0], fields, strict=True)):
            # A model call has no checkpoints of its own; only a run that waits for a person needs those around it.
            keeps = None if model.config.review == "low_confidence" else False
            graph = build_reasoning_graph(
                model.fast, model.deep, config=model.config, recorder=model.recorder, checkpointer=keeps
            )
            built = self._built = fields, graph
        return built[1]

    def __reduce__(self) -> tuple[type["GraphOf"], tuple[()]]:
        return GraphOf, ()
