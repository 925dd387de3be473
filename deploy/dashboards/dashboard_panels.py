"""What the dashboard shows, in the order in which one looks: symptoms, layers, resources."""

from __future__ import annotations

from dataclasses import dataclass

RATE = "$__rate_interval"
"""Grafana's window for rates: four scrapes or more."""


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of Prometheus, and what its curves are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class DashboardPanel:
    """One chart."""

    title: str
    unit: str
    """Grafana's name of the unit."""
    queries: tuple[Query, ...]
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class DashboardRow:
    """The charts of one layer."""

    title: str
    panels: tuple[DashboardPanel, ...]


INSTANCE = 'instance=~"$instance"'
COLD, GAIN, LOSS = 'user="cold"', 'sign="gain"', 'sign="loss"'


def _rate(name: str, by: str, labels: str = "", window: str = RATE) -> str:
    selector = ", ".join(part for part in (INSTANCE, labels) if part)
    return f"sum by ({by}) (rate({name}{{{selector}}}[{window}]))"


def _quantile(q: float, name: str, by: str, labels: str = "") -> str:
    return f"histogram_quantile({q:g}, {_rate(f'{name}_bucket', f'{by}, le', labels)})"


def _gauge(name: str, labels: str = "") -> str:
    return f"{name}{{{', '.join(part for part in (INSTANCE, labels) if part)}}}"


def _panel(title: str, unit: str, *queries: tuple[str, str], meaning: str = "") -> DashboardPanel:
    return DashboardPanel(title, unit, tuple(Query(*one) for one in queries), meaning)


SYMPTOMS = DashboardRow(
    "Symptoms: what users notice",
    (
        _panel("Calls", "reqps", (_rate("penchant_requests_total", "method"), "{{method}}")),
        _panel(
            "Calls that fail by the server's fault",
            "percentunit",
            ("penchant:fault_ratio:rate5m", "5 minutes"),
            ("penchant:fault_ratio:rate1h", "1 hour"),
            ("vector(0.001)", "objective"),
            meaning="Above the objective, the month's error budget shrinks faster than it may.",
        ),
        _panel(
            "Errors by reason", "reqps", (_rate("penchant_errors_total", "reason"), "{{reason}}")
        ),
        _panel(
            "Seconds of a ranking",
            "s",
            *[
                (_quantile(q, "penchant_request_seconds", "method", 'method="rank"'), f"p{q:.0%}")
                for q in (0.5, 0.95, 0.99)
            ],
        ),
        _panel(
            "Seconds of other calls, p99",
            "s",
            (
                _quantile(0.99, "penchant_request_seconds", "method", 'method!="rank"'),
                "{{method}}",
            ),
        ),
        _panel(
            "Mean reward by arm",
            "none",
            (
                f"({_rate('penchant_rewards_total', 'arm', GAIN, '5m')}"
                f" - {_rate('penchant_rewards_total', 'arm', LOSS, '5m')})"
                f" / ({_rate('penchant_outcomes_total', 'arm', '', '5m')} > 0)",
                "{{arm}}",
            ),
            meaning="Of events other than impressions, -1 to 1.",
        ),
        _panel(
            "Rankings for users without an event",
            "percentunit",
            (
                f"{_rate('penchant_rankings_total', 'instance', COLD)}"
                f" / {_rate('penchant_rankings_total', 'instance')}",
                "{{instance}}",
            ),
        ),
        _panel(
            "Servers and processes",
            "s",
            ('up{job="penchant"}', "up {{instance}}"),
            (f"time() - {_gauge('penchant_alive_timestamp_seconds')}", "silent {{process}}"),
        ),
    ),
)

LAYERS = DashboardRow(
    "Layers: where it comes from",
    (
        _panel(
            "Waiting in a process, p99",
            "s",
            (_quantile(0.99, "penchant_wait_seconds", "model, lane"), "{{model}} {{lane}}"),
        ),
        _panel(
            "Waiting in Triton, mean",
            "µs",
            (
                f"{_rate('nv_inference_queue_duration_us', 'model')}"
                f" / ({_rate('nv_inference_request_success', 'model')} > 0)",
                "{{model}}",
            ),
        ),
        _panel(
            "Calls that wait",
            "short",
            (_gauge("penchant_waiting_calls"), "{{process}} {{lane}}"),
        ),
        _panel(
            "Hot path",
            "short",
            (_gauge("penchant_native"), "{{process}}"),
            meaning="1: the compiled module answers. 0: NumPy does, at several times the cost.",
        ),
        _panel(
            "Calls answered together, mean",
            "short",
            (
                f"{_rate('penchant_batch_calls_sum', 'model')}"
                f" / ({_rate('penchant_batch_calls_count', 'model')} > 0)",
                "{{model}}",
            ),
        ),
        _panel(
            "Feedback: p99 until rankings see it, and of commits",
            "s",
            (_quantile(0.99, "penchant_staleness_seconds", "instance"), "seen"),
            (_quantile(0.99, "penchant_commit_seconds", "instance"), "commit"),
        ),
        _panel(
            "Events",
            "short",
            (_rate("penchant_commit_events_sum", "instance"), "accepted a second"),
            (_rate("penchant_refused_events_total", "reason"), "refused: {{reason}}"),
            (_rate("penchant_shown_total", "arm"), "shown: {{arm}}"),
        ),
        _panel(
            "Folds and texts",
            "s",
            (_quantile(0.99, "penchant_fold_seconds", "model"), "fold of a user, p99: {{model}}"),
            (
                f"{_rate('penchant_encoder_batch_texts_sum', 'model')}"
                f" / ({_rate('penchant_encoder_batch_texts_count', 'model')} > 0)",
                "texts a run of the encoder",
            ),
        ),
        _panel(
            "Reservations",
            "short",
            (_rate("penchant_reservations_total", "outcome"), "{{outcome}}"),
        ),
        _panel(
            "Callers refused, and readings of the token keys",
            "reqps",
            (_rate("penchant_refused_calls_total", "cause"), "{{cause}}"),
            (_rate("penchant_token_keys_read_total", "result"), "keys read: {{result}}"),
        ),
        _panel(
            "Ages of the clocks",
            "s",
            (_gauge("penchant_newest_event_age_seconds"), "newest event"),
            (_gauge("penchant_refresh_age_seconds"), "refresh"),
            (_gauge("penchant_refresh_duration_seconds"), "duration of the last refresh"),
            (_gauge("penchant_release_age_seconds"), "release"),
            (_gauge("penchant_ship_age_seconds"), "shipping"),
        ),
        _panel(
            "Refresh",
            "short",
            (_gauge("penchant_refresh_new_events"), "new events"),
            (_gauge("penchant_refresh_failures"), "failures"),
        ),
        _panel(
            "Versions",
            "short",
            (_gauge("penchant_catalog_version"), "catalog"),
            (_gauge("penchant_rollout"), "on trial"),
            (_gauge("penchant_release_info"), "release {{release}} encoder {{encoder}}"),
        ),
        _panel(
            "Drift",
            "none",
            (_gauge("penchant_item_vector_drift"), "item vectors, last two versions"),
            (_quantile(0.5, "penchant_interest_drift", "instance"), "interest, p50 of commits"),
            (_gauge("penchant_calibration_error"), "calibration error"),
        ),
        _panel(
            "Share of the catalog at the top of recent rankings",
            "percentunit",
            (
                "max by (instance) (penchant_recent_top_items)"
                " / max by (instance) (penchant_items)",
                "{{instance}}",
            ),
        ),
        _panel(
            "Items and users",
            "short",
            (_gauge("penchant_items"), "items"),
            (_gauge("penchant_users"), "users"),
        ),
    ),
)

RESOURCES = DashboardRow(
    "Resources: what runs out",
    (
        _panel(
            "Store and disk",
            "percentunit",
            (_gauge("penchant_store_fill"), "store filled"),
            (_gauge("penchant_disk_free_ratio"), "disk free"),
        ),
        _panel(
            "A store in a network",
            "short",
            (_gauge("penchant_store_away"), "away"),
            (_rate("penchant_degraded_rankings_total", "instance"), "degraded rankings a second"),
            (
                _gauge("penchant_store_durability_info"),
                "logged {{logged}}, synced {{synced}}, waits for {{waits_for}}",
            ),
        ),
        _panel("Disk free", "bytes", (_gauge("penchant_disk_free_bytes"), "{{instance}}")),
        _panel(
            "Restarts",
            "short",
            (_gauge("penchant_restarts"), "{{instance}}"),
            (
                f"time() - {_gauge('penchant_last_restart_timestamp_seconds')} < 3600",
                "seconds since: {{reason}}",
            ),
        ),
        _panel(
            "Doubts and damage",
            "short",
            (
                f"sum by (cause) (increase(penchant_clock_doubts_total{{{INSTANCE}}}[1h]))",
                "clock: {{cause}}",
            ),
            (
                f"sum by (kind) (increase(penchant_catalog_mends_total{{{INSTANCE}}}[1h]))",
                "mended: {{kind}}",
            ),
        ),
    ),
)

ROWS = (SYMPTOMS, LAYERS, RESOURCES)
