"""Adapters beside PEFT itself: what it computes from our folders, and we from its."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversion.__main__ import main
from tests.conversion import adapters, starts
from tests.conversion.test_serving import TOKENS, logits, opened

peft = pytest.importorskip("peft", reason="needs the extra peft")
transformers = pytest.importorskip("transformers", reason="needs the extra peft")
EXACT = 1e-5
SETTINGS: dict[str, dict[str, Any]] = {
    "all": {"r": 4, "lora_alpha": 8},
    "rslora": {"r": 6, "lora_alpha": 5, "use_rslora": True, "lora_dropout": 0.1},
    "query and value": {"r": 2, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]},
    "a pattern": {"r": 4, "lora_alpha": 4, "target_modules": r".*mlp\.(up|down)_proj"},
    "patterns that change nothing": {"r": 4, "rank_pattern": {"q_proj": 4}, "alpha_pattern": {"q_proj": 8}},
    "a layout for other layers": {"r": 4, "fan_in_fan_out": True, "init_lora_weights": "gaussian"},
}


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starts.write_folder(tmp_path_factory.mktemp("base") / "base", vocab_size=320, num_key_value_heads=2)


def causal(folder: Path) -> Any:
    return transformers.LlamaForCausalLM.from_pretrained(folder, dtype="float32")


def theirs(torch: Any, model: Any) -> np.ndarray:
    model.eval()
    with torch.no_grad():
        return model(torch.tensor(TOKENS)).logits.numpy()


@pytest.fixture
def save(torch: Any, base: Path, tmp_path: Path) -> Callable[..., tuple[Path, Any]]:
    """Has PEFT make an adapter with a random B, and save it; the folder and the model."""

    def save(*, safe: bool = True, dtype: str = "float32", **settings: Any) -> tuple[Path, Any]:
        torch.manual_seed(0)
        chosen = {"target_modules": "all-linear"} | settings
        model = peft.get_peft_model(causal(base), peft.LoraConfig(task_type="CAUSAL_LM", **chosen))
        for name, value in model.named_parameters():
            if "lora_" in name:
                value.data = (0.1 * torch.randn(value.shape)).to(getattr(torch, dtype))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PEFT's, of files that are no safetensors
            model.save_pretrained(tmp_path / "saved", safe_serialization=safe)
        return tmp_path / "saved", model.float()

    return save


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_what_peft_saves_computes_the_same_in_ours(
    torch: Any, base: Path, save: Callable[..., tuple[Path, Any]], settings: dict[str, Any]
) -> None:
    folder, model = save(**settings)
    expected = theirs(torch, model)
    np.testing.assert_allclose(logits(opened(folder)), expected, atol=EXACT)
    assert np.abs(expected - logits(opened(base))).max() > 0.05


@pytest.mark.parametrize("options", [{"safe": False}, {"dtype": "bfloat16"}], ids=["bin", "bfloat16"])
def test_the_other_files_of_peft_are_read_too(
    torch: Any, base: Path, save: Callable[..., tuple[Path, Any]], tmp_path: Path, options: dict[str, Any]
) -> None:
    folder, model = save(**SETTINGS["all"], **options)
    files = {path.name for path in folder.glob("adapter_model.*")}
    assert files == {"adapter_model.safetensors" if options.get("safe", True) else "adapter_model.bin"}
    assert main(["import", "--source", str(folder), "--output", str(tmp_path / "ours")]) == 0
    np.testing.assert_allclose(logits(opened(tmp_path / "ours")), theirs(torch, model), atol=EXACT)


@pytest.mark.parametrize("stabilized", [False, True], ids=["lora", "rslora"])
def test_what_a_run_exports_computes_the_same_in_peft(torch: Any, base: Path, tmp_path: Path, stabilized: bool) -> None:
    config = adapters.run_config(base, {"rank_stabilized": stabilized, "alpha": 6.0})
    factors = adapters.save_run(tmp_path / "run", config)
    main(["export", "--format", "peft", "--checkpoint", str(tmp_path / "run"), "--output", str(tmp_path / "peft")])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a key that PEFT does not know, or misses
        model = peft.PeftModel.from_pretrained(causal(base), tmp_path / "peft")
    found = theirs(torch, model)
    np.testing.assert_allclose(found, adapters.unmerged_logits(base, config, factors, TOKENS), atol=EXACT)
    np.testing.assert_allclose(found, logits(opened(tmp_path / "run")), atol=EXACT)
    # The folder alone, by the name of the base in it.
    auto = peft.AutoPeftModelForCausalLM.from_pretrained(tmp_path / "peft", dtype="float32")
    assert np.array_equal(theirs(torch, auto), found)


def test_merged_weights_are_those_of_peft(torch: Any, save: Callable[..., tuple[Path, Any]], tmp_path: Path) -> None:
    folder, model = save(**SETTINGS["rslora"])
    assert main(["merge", "--adapter", str(folder), "--output", str(tmp_path / "hf"), "--check"]) == 0
    merged, found = model.merge_and_unload().state_dict(), causal(tmp_path / "hf").state_dict()
    assert found.keys() == merged.keys()
    for name, value in merged.items():
        np.testing.assert_allclose(found[name].numpy(), value.numpy(), atol=1e-6, err_msg=name)


def test_peft_reads_back_what_it_saved_through_ours(
    torch: Any, save: Callable[..., tuple[Path, Any]], tmp_path: Path
) -> None:
    folder, _ = save(**SETTINGS["all"])
    main(["import", "--source", str(folder), "--output", str(tmp_path / "ours")])
    main(["export", "--format", "peft", "--checkpoint", str(tmp_path / "ours"), "--output", str(tmp_path / "again")])
    before, after = (
        peft.utils.save_and_load.load_peft_weights(str(f), device="cpu") for f in (folder, tmp_path / "again")
    )
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    configs = [peft.LoraConfig.from_pretrained(f) for f in (folder, tmp_path / "again")]
    for name in ("r", "lora_alpha", "lora_dropout", "use_rslora", "bias", "task_type"):
        assert getattr(configs[0], name) == getattr(configs[1], name), name
    # PEFT names every module where it was asked for all; ours every kind.
    named = [{target.rsplit(".", 1)[-1] for target in config.target_modules} for config in configs]
    assert named[0] == named[1]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"use_dora": True}, "use_dora is true"),
        ({"bias": "all"}, 'bias is "all"'),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is"),
        ({"rank_pattern": {"q_proj": 8}}, "rank_pattern is"),
        ({"alpha_pattern": {"q_proj": 8}, "lora_alpha": 4}, r"alpha_pattern is .* merge it with PEFT"),
        ({"init_lora_weights": "pissa"}, 'init_lora_weights is "pissa"'),
        ({"layers_to_transform": [1], "target_modules": ["q_proj"]}, "2 factors are missing"),
        ({"target_modules": ["q_proj", "embed_tokens"]}, "are no LoRA factors of a LLaMA's layers"),
    ],
)
def test_what_ours_cannot_hold_is_refused_as_peft_saves_it(
    save: Callable[..., tuple[Path, Any]], tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    folder, _ = save(r=4, **settings)
    with pytest.raises(Exception, match=says) as caught:
        main(["import", "--source", str(folder), "--output", str(tmp_path / "ours")])
    assert type(caught.value).__name__ == "ConversionError"
    assert "\n" not in str(caught.value)
