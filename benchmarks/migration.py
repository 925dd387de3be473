"""How long does a store take to move to Valkey and back, and how long are writes refused?

`python -m benchmarks.migration`: users with a record of 4.5 kB, ten rows of the log and ten
contributions each, in LMDB, moved to one Valkey server beside it (`appendfsync everysec`) and back.
Of each way: the first pass, which copies; one that finds nothing to do; and the hand-over.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from penchant.launch.migrate import MigrateRequest, MoveReport, migrate
from penchant.store.base import Store
from penchant.store.codec import seal
from penchant.store.keys import Kind, encode
from penchant.store.lmdb import LmdbStore
from tests.support.valkey_servers import durability, valkey_cluster, valkey_server

RECORD_BYTES, ROW_BYTES, EACH, ITEMS = 4500, 200, 10, 1000
_TOGETHER = 500


def fill(store: Store, users: int) -> None:
    """Writes the users."""
    record, row = seal(os.urandom(RECORD_BYTES)), seal(os.urandom(ROW_BYTES))
    for start in range(0, users, _TOGETHER):
        with store.transaction() as transaction:
            for number in range(start, min(users, start + _TOGETHER)):
                user = f"user-{number}"
                transaction.put(encode(Kind.USER, user), record)
                for event in range(EACH):
                    transaction.put(encode(Kind.LOG, user, event * users + number), row)
                    item = (number + 97 * event) % ITEMS
                    transaction.put(encode(Kind.CONTRIBUTION, item, user), seal(bytes(32)))


def moved(source: str, target: str, *, finish: bool) -> MoveReport:
    """One run of the command."""
    return migrate(MigrateRequest(source=source, target=target, finish=finish)).stores[0]


def measured(source: str, target: str) -> dict[str, float]:
    """Seconds of each step of one way."""
    copied = moved(source, target, finish=False)
    compared = moved(source, target, finish=False)
    handed = moved(source, target, finish=True)
    rows = compared.passes[-1].source.rows
    return {
        "rows": rows,
        "copy_s": round(copied.seconds[0], 2),
        "compare_s": round(compared.seconds[-1], 2),
        "refused_s": round(handed.refused_s, 2),
        "rows_per_s": round(rows / compared.seconds[-1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--cluster", action="store_true", help="six nodes instead of one server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        directory, logged = Path(place) / "valkey", durability("everysec")
        store = LmdbStore(Path(place) / "first")
        fill(store, options.users)
        store.close()
        with ExitStack() as servers:
            if options.cluster:
                cluster = servers.enter_context(valkey_cluster(directory, *logged))
                away = cluster.address_of("bench")
            else:
                server = servers.enter_context(valkey_server(directory, *logged))
                away = f"valkey://{server.name}/bench"
            for source, target in (
                (f"lmdb:{place}/first", away),
                (away, f"lmdb:{place}/back"),
            ):
                way = source.partition(":")[0] + " to " + target.partition(":")[0]
                print(json.dumps({"way": way, **measured(source, target), **vars(options)}))


if __name__ == "__main__":
    main()
