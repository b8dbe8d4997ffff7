"""The shipped hybrid-thinking model: NumPy runtime, tokenizer, generation, chat model and weights.

Nothing is imported here: `adaptive_reasoner.embedded.chat_model` brings NumPy and LangChain with it.
"""
