"""Instruction data in the files it is published in, read as conversations; see docs/instruct.md."""

from melama_jax.data.instruct.reader import (
    Conversation,
    companion,
    endings,
    is_protected,
    is_read,
    read_conversations,
    wordings_of,
)

__all__ = ["Conversation", "companion", "endings", "is_protected", "is_read", "read_conversations", "wordings_of"]
