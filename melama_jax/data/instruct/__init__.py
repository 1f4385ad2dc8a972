"""Instruction data in the files it is published in, read as conversations; see docs/instruct.md."""

from melama_jax.data.instruct.reader import (
    Conversation,
    endings,
    is_protected,
    read_conversations,
    wordings_of,
)

__all__ = ["Conversation", "endings", "is_protected", "read_conversations", "wordings_of"]
