"""A LLaMA as Meta's folders describe it, in torch: rotary positions turn adjacent pairs, shards are merged by key.

Written from the layout alone, to be the reader that our Meta folders are for; shares no code with `conversion`.
Sources: Meta's llama (arXiv 2302.13971, 2307.09288) and llama3 (arXiv 2407.21783) reference code.

Shapes: B batch, T tokens, D width, E head dim.
"""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

SCALE_FACTOR, LOW_FREQ_FACTOR, HIGH_FREQ_FACTOR, OLD_CONTEXT = 8, 1, 4, 8192
"""The numbers in the text of Meta's code behind `use_scaled_rope`."""
CUTS = {"wq": 0, "wk": 0, "wv": 0, "wo": 1, "w1": 0, "w2": 1, "w3": 0, "output": 0}
"""Dimension along which a matrix is cut over the shards; norms are in every shard."""


@dataclasses.dataclass(frozen=True)
class ModelArgs:
    """`params.json`; a key that is not here is refused, as LLaMA 2's code does."""

    dim: int
    n_layers: int
    n_heads: int
    vocab_size: int
    multiple_of: int
    norm_eps: float
    n_kv_heads: int | None = None
    ffn_dim_multiplier: float | None = None
    rope_theta: float = 1e4
    use_scaled_rope: bool = False

    @property
    def hidden_dim(self) -> int:
        """Width of the SwiGLU block."""
        hidden = int(2 * (4 * self.dim) / 3)
        if self.ffn_dim_multiplier is not None:
            hidden = int(self.ffn_dim_multiplier * hidden)
        return self.multiple_of * math.ceil(hidden / self.multiple_of)


class Reference:
    """A model of a Meta folder."""

    def __init__(self, torch: Any, folder: Path, *, llama3: bool = False):
        """Read all shards.

        Args:
            torch: PyTorch.
            folder: Holds consolidated.NN.pth and params.json.
            llama3: Whether LLaMA 3's code reads it: it cuts the token embedding by tokens instead of by width, and has
                no `rope.freqs`.
        """
        self.torch = torch
        self.args = ModelArgs(**json.loads((folder / "params.json").read_text()))
        paths = sorted(folder.glob("consolidated.*.pth"))
        assert [path.name for path in paths] == [f"consolidated.{i:02d}.pth" for i in range(len(paths))]
        shards = [torch.load(path, map_location="cpu", weights_only=True) for path in paths]
        cuts = CUTS | {"tok_embeddings": 0 if llama3 else 1}
        self.weights = {}
        for key in list(shards[0]):
            cut = cuts.get(key.split(".")[-2])
            parts = [shard.pop(key).float() for shard in shards]
            assert cut is not None or all(torch.equal(part, parts[0]) for part in parts), key
            self.weights[key] = parts[0] if cut is None else torch.cat(parts, dim=cut)
        assert not any(shards), "a shard holds more than the first"
        self.frequencies = self._frequencies()
        stored = self.weights.pop("rope.freqs", None)
        if stored is not None:
            assert not llama3
            assert torch.equal(stored, self.frequencies)
        assert {key: tuple(weight.shape) for key, weight in self.weights.items()} == self._shapes()

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """What the model's modules would hold; any other key or shape fails to load."""
        args = self.args
        width, head_dim = args.dim, args.dim // args.n_heads
        kv = (args.n_kv_heads or args.n_heads) * head_dim
        layer = {
            "attention.wq.weight": (width, width),
            "attention.wk.weight": (kv, width),
            "attention.wv.weight": (kv, width),
            "attention.wo.weight": (width, width),
            "feed_forward.w1.weight": (args.hidden_dim, width),
            "feed_forward.w2.weight": (width, args.hidden_dim),
            "feed_forward.w3.weight": (args.hidden_dim, width),
            "attention_norm.weight": (width,),
            "ffn_norm.weight": (width,),
        }
        layers = {f"layers.{i}.{key}": shape for i in range(args.n_layers) for key, shape in layer.items()}
        vocabulary = (args.vocab_size, width)
        outer = {"tok_embeddings.weight": vocabulary, "norm.weight": (width,), "output.weight": vocabulary}
        return {**outer, **layers}

    def _frequencies(self) -> Any:
        """Frequencies [E/2] as stored in `rope.freqs`, before any scaling."""
        head_dim = self.args.dim // self.args.n_heads
        exponents = self.torch.arange(0, head_dim, 2)[: head_dim // 2].float() / head_dim
        return 1.0 / (self.args.rope_theta**exponents)

    def _turns(self, length: int) -> Any:
        """Complex factors [T, E/2]."""
        torch, frequencies = self.torch, self.frequencies
        if self.args.use_scaled_rope:
            scaled = []
            for frequency in frequencies:
                wavelength = 2 * math.pi / frequency
                if wavelength < OLD_CONTEXT / HIGH_FREQ_FACTOR:
                    scaled.append(frequency)
                elif wavelength > OLD_CONTEXT / LOW_FREQ_FACTOR:
                    scaled.append(frequency / SCALE_FACTOR)
                else:
                    smooth = (OLD_CONTEXT / wavelength - LOW_FREQ_FACTOR) / (HIGH_FREQ_FACTOR - LOW_FREQ_FACTOR)
                    scaled.append((1 - smooth) * frequency / SCALE_FACTOR + smooth * frequency)
            frequencies = torch.stack(scaled)
        angles = torch.outer(torch.arange(length).float(), frequencies)
        return torch.polar(torch.ones_like(angles), angles)

    def logits(self, tokens: Any) -> Any:
        """Logits [B, T, V] of tokens [B, T]."""
        args, weights, torch = self.args, self.weights, self.torch
        batch, length = tokens.shape
        head_dim, kv_heads = args.dim // args.n_heads, args.n_kv_heads or args.n_heads
        turns = self._turns(length)[None, :, None, :]
        mask = torch.full((length, length), float("-inf")).triu(1)

        def norm(x: Any, scale: Any) -> Any:
            return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + args.norm_eps) * scale

        def turned(x: Any) -> Any:
            pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
            return torch.view_as_real(pairs * turns).flatten(3)

        x = weights["tok_embeddings.weight"][tokens]
        for i in range(args.n_layers):
            layer = {
                key.removeprefix(f"layers.{i}."): w for key, w in weights.items() if key.startswith(f"layers.{i}.")
            }
            normed = norm(x, layer["attention_norm.weight"])
            q = turned((normed @ layer["attention.wq.weight"].T).view(batch, length, args.n_heads, head_dim))
            k = turned((normed @ layer["attention.wk.weight"].T).view(batch, length, kv_heads, head_dim))
            v = (normed @ layer["attention.wv.weight"].T).view(batch, length, kv_heads, head_dim)
            k, v = (each.repeat_interleave(args.n_heads // kv_heads, dim=2) for each in (k, v))
            scores = torch.einsum("bthe,bshe->bhts", q, k) / math.sqrt(head_dim) + mask
            heads = torch.einsum("bhts,bshe->bthe", scores.softmax(-1), v)
            x = x + heads.reshape(batch, length, -1) @ layer["attention.wo.weight"].T
            normed = norm(x, layer["ffn_norm.weight"])
            gate = torch.nn.functional.silu(normed @ layer["feed_forward.w1.weight"].T)
            x = x + (gate * (normed @ layer["feed_forward.w3.weight"].T)) @ layer["feed_forward.w2.weight"].T
        return norm(x, weights["norm.weight"]) @ weights["output.weight"].T
