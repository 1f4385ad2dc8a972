"""Who takes part, which mesh they form, and what the hardware can do."""

import importlib.metadata
import importlib.util
import os

_SHARDING = "--xla_enable_hlo_sharding_v3"


def _keep_the_older_sharding() -> None:
    """Have XLA write shardings as before jax 0.12, whose partitioner aborts on the newer form.

    It does so (Check failed: !UseNamedShardingLeaf()) where the product of a LoRA factor is split over tensor and
    another axis. XLA reads the variable with the first device, and aborts on flags that it does not know: so none for
    other versions, nor where libtpu, which has a version of its own, would read it too.
    """
    version = tuple(int(part) for part in importlib.metadata.version("jax").split(".")[:2])
    given = os.environ.get("XLA_FLAGS", "")
    if version == (0, 12) and _SHARDING not in given and importlib.util.find_spec("libtpu") is None:
        os.environ["XLA_FLAGS"] = f"{given} {_SHARDING}=false".strip()


_keep_the_older_sharding()
