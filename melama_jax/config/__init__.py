"""The typed configuration tree and how it is read: `load` for files, `parse_command_line` for commands."""

from melama_jax.config.adapter import AdapterConfig
from melama_jax.config.command_line import CommandParser, output_file, write_output
from melama_jax.config.evaluation import EvaluationConfig
from melama_jax.config.loading import dump_yaml, from_mapping, load, load_tree, parse_command_line
from melama_jax.config.model import ModelConfig, RopeScaling
from melama_jax.config.presets import PRESETS
from melama_jax.config.schema import (
    DOMAINS,
    BestConfig,
    CheckpointConfig,
    Config,
    DataConfig,
    EvalConfig,
    HealthConfig,
    InitConfig,
    LogConfig,
    MeshConfig,
    OptimizerConfig,
    ProfileConfig,
    RunConfig,
    Source,
    TrainConfig,
)

__all__ = [
    "DOMAINS",
    "PRESETS",
    "AdapterConfig",
    "BestConfig",
    "CheckpointConfig",
    "CommandParser",
    "Config",
    "DataConfig",
    "EvalConfig",
    "EvaluationConfig",
    "HealthConfig",
    "InitConfig",
    "LogConfig",
    "MeshConfig",
    "ModelConfig",
    "OptimizerConfig",
    "ProfileConfig",
    "RopeScaling",
    "RunConfig",
    "Source",
    "TrainConfig",
    "dump_yaml",
    "from_mapping",
    "load",
    "load_tree",
    "output_file",
    "parse_command_line",
    "write_output",
]
