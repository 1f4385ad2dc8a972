"""python -m melama_jax.preflight --config FILE: whether this job could train here; one table, exit 1 if not."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
from rich.table import Table
from rich.text import Text

from conversion import direct
from melama_jax.config import CommandParser, Config, output_file, parse_command_line, write_output
from melama_jax.data.cache import check_inputs, plan_caches, read_manifest, why_stale
from melama_jax.errors import ConfigError, DataError, MeshError, run_command
from melama_jax.parallel import distributed
from melama_jax.parallel.agreement import exchange
from melama_jax.parallel.mesh import build_mesh
from melama_jax.parallel.peers import Peers
from melama_jax.planning.preflight import Check, Finding, Preflight, limited, some
from melama_jax.planning.site import Site
from melama_jax.training import state as states
from melama_jax.training.report import format_bytes, make_console
from melama_jax.training.run_folder import has_checkpoints


def main(argv: Sequence[str] | None = None) -> int:
    """Check devices, links, folders, data, clocks and versions; in one process or in all processes of a job."""
    parser = CommandParser(prog="python -m melama_jax.preflight", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the findings as JSON")
    parser.add_argument(
        "--timeout",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="longest that the processes may take to meet, and each check; default 120",
    )
    config, given = parse_command_line(__doc__ or "", argv, parser=parser, describe=direct.describe_initial)
    if not 1 <= given.timeout <= 3600:
        raise ConfigError(f"--timeout {given.timeout:g} must be 1 to 3600 seconds")
    begun = time.monotonic()
    cluster = distributed.detect()
    if given.json is not None and cluster.process_id == 0:  # the others write nothing, and may not have the folder
        output_file(given.json)
    console = make_console()
    try:
        distributed.initialize(console.print, timeout_seconds=given.timeout)
    except MeshError as error:
        if cluster.process_id == 0:
            findings = [Finding("processes", "failed", str(error))]
            console.print(_table(findings))
            _write(given.json, findings, 0, time.monotonic() - begun)
        else:
            print(f"error: {error}", file=sys.stderr)
        return 1

    peers = Peers(timeout_seconds=30, code=1)  # before JAX gives up, which would end all without a table
    preflight = Preflight(timeout_seconds=given.timeout)
    site = Site(config, timeout_seconds=given.timeout, lost=preflight.lost)
    findings = preflight.run([*site.checks(), *_data_checks(config, given.timeout, preflight.lost)])
    failed = preflight.agree(any(finding.result == "failed" for finding in findings))
    if jax.process_index() == 0:
        console.print(_table(findings))
        console.print(f"{jax.process_count()} process(es), {time.monotonic() - begun:.1f} s")
        _write(given.json, findings, jax.device_count(), time.monotonic() - begun)
    peers.close()
    preflight.leave()
    return int(failed)


def _data_checks(config: Config, timeout_seconds: float, lost: Collection[int]) -> list[Check]:
    folders: list[str] = []

    def sources() -> dict[str, int]:
        _, _, found = check_inputs(config)
        files = [file for files, _ in found.values() for file in files]
        for file in files:
            if not os.access(file.path, os.R_OK):
                raise DataError(f"{file.path}: cannot be read")
        return {"files": len(files), "bytes": sum(file.size for file in files)}

    def judge_sources(found: Mapping[int, dict[str, int]]) -> Finding:
        figure = f"{found[0]['files']:,} files, {format_bytes(found[0]['bytes'])}"
        odd = [process for process, said in found.items() if said != found[0]]
        if odd:
            return Finding("sources", "failed", f"{some(odd)}: other files than process 0", "share data.root")
        return Finding("sources", "ok", f"{figure}, readable, and the vocabulary")

    def cache() -> dict[str, Any]:
        said: dict[str, Any] = {}
        if jax.process_index() == 0:
            said = limited(lambda: _look_into_cache(config), timeout_seconds / 3)
        told = exchange("preflight-data/folders", json.dumps(said), timeout_seconds=timeout_seconds / 2, without=lost)
        folders[:] = json.loads(told.get(0, "{}")).get("value", {}).get("folders", [])
        return said | {"missing": [folder for folder in folders if read_manifest(Path(folder)) is None]}

    def judge_cache(found: Mapping[int, dict[str, Any]]) -> Finding:
        name = "data cache"
        if "late" in found[0]:
            figure = f"the sources are not hashed yet, and that takes longer than {timeout_seconds / 3:.0f} s"
            return Finding(name, "warning", figure, "python -m melama_jax.data.prepare --config F, before the job")
        if "error" in found[0]:
            return Finding(name, "failed", found[0]["error"])
        value = found[0]["value"]
        if value["stale"]:
            first, reason = next(iter(value["stale"].items()))
            figure = f"not prepared: {', '.join(value['stale'])} ({first}: {reason})"
            advice = "train would tokenize first; do it before: python -m melama_jax.data.prepare --config F"
            return Finding(name, "warning", figure, advice)
        blind = [process for process, said in found.items() if said["missing"]]
        if blind:
            figure = f"{some(blind)}: not there, while process 0 has it in {config.data.cache_dir}"
            return Finding(name, "failed", figure, "data.cache_dir must lie on a file system that all hosts share")
        return Finding(name, "ok", f"prepared: {value['rows']:,} rows for training")

    def weights() -> str:
        if has_checkpoints(Path(config.run.dir)):
            return "the run goes on from its own checkpoints"
        if config.init.from_ is None:
            return "drawn from the seed"
        direct.check_initial(config, states.abstract_weights(config, build_mesh(config.mesh)))
        return f"can be read: {config.init.from_}"

    return [
        Check("sources", sources, judge_sources),
        Check("data cache", cache, judge_cache),
        Check("first weights", weights, lambda found: Finding("first weights", "ok", found[0])),
    ]


def _look_into_cache(config: Config) -> dict[str, Any]:
    """Which rows are there, by hashing what has not been hashed before; keeps nothing."""
    plan = plan_caches(config, echo=lambda text: None, remember=False)
    stale = {task.task: reason for task in plan.tasks if (reason := why_stale(task)) is not None}
    manifests = [read_manifest(task.folder) or {} for task in plan.tasks]
    if stale:
        _try_folder(Path(config.data.cache_dir).absolute())
    return {
        "stale": stale,
        "folders": [] if stale else [str(task.folder.absolute()) for task in plan.tasks],
        "rows": sum(manifest.get("splits", {}).get("train", {}).get("rows", 0) for manifest in manifests),
    }


def _try_folder(folder: Path) -> None:
    """Refuse a cache folder in which, or in whose nearest parent, nothing can be made."""
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        Path(tempfile.mkdtemp(prefix=".preflight-", dir=parent)).rmdir()
    except OSError as error:
        raise DataError(f"data.cache_dir {folder}: cannot be written ({parent}: {error.strerror})") from None


def _table(findings: Sequence[Finding]) -> Table:
    colors = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "dim"}
    table = Table(title="Pre-flight", title_justify="left")
    for header in ("check", "result", "figure", "what to do"):
        table.add_column(header, overflow="fold")
    for finding in findings:
        table.add_row(finding.check, Text(finding.result, colors[finding.result]), finding.figure, finding.advice)
    return table


def _write(path: Path | None, findings: Sequence[Finding], devices: int, seconds: float) -> None:
    if path is None:
        return
    tree = {
        "ok": all(finding.result != "failed" for finding in findings),
        "processes": jax.process_count() if devices else 0,
        "devices": devices,
        "seconds": round(seconds, 2),
        "checks": [vars(finding) for finding in findings],
    }
    write_output(path, json.dumps(tree, indent=2) + "\n")


if __name__ == "__main__":
    run_command(main)
