"""What do two processes, or Ray on this machine, gain for jobs in bulk?

`python -m benchmarks.bulk_workers --encoder DIRECTORY`: seconds of making the records of a store
in LMDB (MovieLens-100K three times: 300,000 events), of reading its log for a refresh, of encoding
the 1,682 films with an encoder that `penchant export` made, and of an evaluation on the log, each
alone, with two processes and, where it is installed, with a local Ray. Starts of processes are part
of it. Prints digests of the outcomes too, which must be equal.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.util
import json
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import LogRow, StoredItem
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.shared_encoder import SharedEncoder
from penchant.evaluation.evaluate import EvaluationRequest, evaluate
from penchant.evaluation.model_settings import ModelSettings
from penchant.evaluation.replay_log import ReplayLog
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.log_source import LogSource
from penchant.refresh.record_workers import record_workers
from penchant.refresh.remembered_log import RememberedLog
from penchant.refresh.user_outcomes import OutcomeReaders
from penchant.service.rebuilt_records import rebuild_records
from penchant.store.items import write_item
from penchant.store.keys import Kind, encode
from penchant.store.lmdb import LmdbStore
from penchant.store.users import write_event
from penchant.system.workers import ALONE, Workers

COPIES = 3
WHO = {"alone": ALONE, "two processes": Workers(2), "Ray": Workers(2, "local")}


def fill(address: str) -> None:
    """Writes the films, and each user's log some times."""
    films = read_movielens()
    log: dict[str, list[LogRow]] = {}
    for event in films.ratings:
        for copy in range(COPIES):
            user = f"{event.user}-{copy}"
            rows = log.setdefault(user, [])
            mine = dataclasses.replace(event, user=user)
            rows.append(LogRow(mine, len(rows) + 1, event.occurred_at_us))
    with closing(LmdbStore(Path(address.partition(":")[2]))) as store:
        with store.transaction() as transaction:
            for number, film in enumerate(films.films):
                write_item(transaction, StoredItem(film, number, alive=True))
        users = list(log)
        for start in range(0, len(users), 100):
            with store.transaction() as transaction:
                for user in users[start : start + 100]:
                    for row in log[user]:
                        write_event(transaction, row)
    with closing(LmdbStore(Path(address.partition(":")[2]))) as store:
        rebuild_records(store, DEFAULT_SIGNALS, 256)


def records(address: str, workers: Workers) -> bytes:
    """Makes all records."""
    with closing(LmdbStore(Path(address.partition(":")[2]))) as store:
        rebuild_records(
            store,
            DEFAULT_SIGNALS,
            128,
            make=record_workers(address, DEFAULT_SIGNALS, 128, workers),
        )
        with store.snapshot() as snapshot:
            return b"".join(value for _, value in snapshot.scan(encode(Kind.USER)))


def log(address: str, workers: Workers) -> bytes:
    """Reads the log."""
    with (
        closing(LmdbStore(Path(address.partition(":")[2]))) as store,
        store.snapshot() as snapshot,
    ):
        rows = {number: number for number in range(len(read_movielens().films))}
        readers = OutcomeReaders(workers, address)
        found = RememberedLog(readers).read(snapshot, DEFAULT_SIGNALS, rows, RetiredSignals())
        return found.item.tobytes() + found.reward.tobytes() + found.at_us.tobytes()


def texts(encoder: Path, workers: Workers) -> bytes:
    """Encodes the films."""
    shared = SharedEncoder(OnnxEncoder.load(encoder, threads=1), encoder, workers=workers)
    return shared.encode([film.text for film in read_movielens().films]).tobytes()


def replayed(encoder: Path, workers: Workers) -> bytes:
    """Evaluates on the log, refitted twice."""
    request = EvaluationRequest(
        ReplayLog(LogSource(dataset="movielens")),
        ModelSettings(encoder),
        replay=ReplayConfig(refresh_every=25_000),
        workers=workers,
    )
    return evaluate(request).results[0].rank.tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    encoder = parser.parse_args().encoder
    with tempfile.TemporaryDirectory() as place:
        address = f"lmdb:{place}/store"
        fill(address)
        for name, workers in WHO.items():
            if workers.ray and importlib.util.find_spec("ray") is None:
                continue
            for job, work in {
                "records": partial(records, address),
                "log": partial(log, address),
                "texts": partial(texts, encoder),
                "evaluate": partial(replayed, encoder),
            }.items():
                began_s = time.perf_counter()
                digest = hashlib.blake2b(work(workers), digest_size=6).hexdigest()
                took_s = round(time.perf_counter() - began_s, 1)
                print(json.dumps({"who": name, "job": job, "s": took_s, "digest": digest}))


if __name__ == "__main__":
    main()
