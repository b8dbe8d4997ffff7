"""LangChain's standard tests on local models: one alone, and one that is guided."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="local models need the extra `local`")
pytest.importorskip("transformers", reason="local models need the extra `local`")
pytest.importorskip("langchain_tests", reason="the dependency group `test` is not installed")

from langchain_tests.integration_tests import ChatModelIntegrationTests  # noqa: E402
from langchain_tests.unit_tests import ChatModelUnitTests  # noqa: E402
from tiny_folders import save_folder  # noqa: E402

from adaptive_reasoner.decoding import GuidedChatModel, LocalChatModel  # noqa: E402

pytestmark = [
    pytest.mark.train,
    # Their v3 event streams are LangChain's beta.
    pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning"),
]


class _Local:
    @pytest.fixture(autouse=True)
    def folders(self, tmp_path: Path) -> None:
        self.names = [save_folder(tmp_path / name, seed, context=2048) for seed, name in enumerate("teb")]

    @property
    def chat_model_class(self):
        return LocalChatModel

    @property
    def chat_model_params(self):
        return {"model": self.names[0]}

    @property
    def standard_chat_model_params(self):
        return {"temperature": 0, "max_tokens": 16}

    @property
    def has_tool_calling(self):
        return False

    @property
    def has_structured_output(self):
        return False


class _Guided(_Local):
    @property
    def chat_model_class(self):
        return GuidedChatModel

    @property
    def chat_model_params(self):
        target, expert, base = self.names
        return {"model": target, "expert": expert, "base": base}


class TestLocalUnit(_Local, ChatModelUnitTests):
    pass


class TestGuidedUnit(_Guided, ChatModelUnitTests):
    pass


class TestLocal(_Local, ChatModelIntegrationTests):
    pass


class TestGuided(_Guided, ChatModelIntegrationTests):
    pass
