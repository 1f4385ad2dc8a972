"""What the formats share: fields of a record, texts, and draws that follow from an identity."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from melama_jax.config import Source
from melama_jax.data.instruct.containers import Unusable

Fields = dict[str, str]
"""What a wording sees of a record, and what its identity is made of."""
Convert = Callable[[Any], list[Fields]]
"""From a record as it stands in its file to one set of fields for each conversation; may raise `Unusable`."""

PASSAGE = 6_000
"""Characters of a passage of a long text: about 1,500 tokens, so that it fits a row with room to spare."""


@dataclasses.dataclass(frozen=True)
class Format:
    """How the records of one format are read.

    Attributes:
        endings: Endings of its files, without `.gz`.
        make: From a source and a file of it to what converts the file's records.
        fields: Names of the fields that wordings may use; `answer`, or `label` with its words, says the answer.
        identity: Names of the fields that make out the record.
        optional: Names of the fields that may be blank.
        tags: Elements of XML that are a record each.
        files: The only names that are read (also in numbered parts), without `.gz`, where other files of the folder
            are looked up.
        companions: The names of the file that is looked up.
    """

    endings: tuple[str, ...]
    make: Callable[[Source, Path], Convert]
    fields: tuple[str, ...]
    identity: tuple[str, ...]
    optional: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()

    def reads(self, name: str) -> bool:
        """Whether a file of this name holds records, rather than being looked up, or of another kind."""
        stems = (file.rsplit(".", 1) for file in self.files)
        patterns = [rf"{stem}([-_.]?(part|of)?[-_.]?\d+)*\.{ending}(\.gz)?" for stem, ending in stems]
        return not self.files or any(re.fullmatch(pattern, name, re.I) for pattern in patterns)


def beside(path: Path, names: tuple[str, ...]) -> Path | None:
    """The file of one of these names in a file's folder, plain or gzipped, if it is there."""
    paths = (path.with_name(name + end) for name in names for end in ("", ".gz"))
    return next((found for found in paths if found.is_file()), None)


def text_of(record: Mapping[str, Any], *keys: str, required: bool = True) -> str:
    """The first of these keys that is there, stripped: a number as text, null as nothing.

    Raises:
        Unusable: None is there though one is required, or it holds something else.
    """
    key = next((key for key in keys if key in record), None)
    if key is None:
        if required:
            raise Unusable("missing_field")
        return ""
    value = record[key]
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise Unusable("not_text")
    return "" if value is None or value != value else str(value).strip()  # pandas writes NaN for nothing


def one_line(text: str) -> str:
    """Text without line breaks, as XML and old notes wrap it."""
    return " ".join(text.split())


def tidy(text: str) -> str:
    """Text with its lines, but without indentation, runs of spaces, and more than one blank line."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(map(one_line, text.splitlines()))).strip()


def draw(identity: str, count: int, purpose: str, seed: int = 0) -> int:
    """A number below `count` that follows from an identity; draws of different purposes know nothing of each other.

    Args:
        identity: Of a record.
        count: How many there are to draw from.
        purpose: What for; up to 16 characters.
        seed: Below 2**32.
    """
    text, salt = identity.encode("utf-8", "surrogatepass"), seed.to_bytes(8, "big")
    digest = hashlib.blake2b(text, digest_size=8, salt=salt, person=purpose.encode()).digest()
    return int.from_bytes(digest, "big") * count >> 64
