"""What a user can set, as frozen structs; each field's comment is the line that `init` writes beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from equipoise import catalog, retrieval
from equipoise.encoders import PairingSettings
from equipoise.learning import StatisticsSettings

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0.0, le=1e10)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the TOML; a key that it does not know is refused."""


class CatalogTable(Table, frozen=True):
    """Where the items come from, and which column is what.

    path: CSV, TSV, JSONL, Parquet or a list of names; None: items are put in by code.
    item_id: the column that names an item; None: all columns are guessed. text: columns that an encoder reads.
    attributes: columns of facts; None: all others. published_at: the column with an item's date.
    lists: attribute to the separator of its values, such as `genres = "|"`. kinds: attribute to `number`, `yes_no`,
    `text` or `list` where it should not be inferred, such as `postcode = "text"`.
    """

    path: str | None = None
    item_id: str | None = None
    text: tuple[str, ...] = ()
    attributes: tuple[str, ...] | None = None
    published_at: str | None = None
    lists: dict[str, str] = {}
    kinds: dict[str, catalog.Kind] = {}


class EncoderTable(Table, frozen=True):
    """name: `minilm`, `hashing`, `numeric`, `multilingual`, a directory with an ONNX model, or `org/name`.

    layers: 0 to 6, pooled beside each other; empty: the last alone. columns: the attributes that `numeric` reads.
    threads: for encoding many texts; a request always takes one. store_requests: keep request texts' vectors on disk.
    """

    name: str = "minilm"
    layers: tuple[Whole, ...] = ()
    columns: tuple[str, ...] = ()
    threads: Count = 2
    store_requests: bool = False


class RetrievalTable(Table, frozen=True):
    """candidates: k, how many items a policy weighs. index: `auto`, `exact` or `faiss`.

    near: share of the candidates that may come from near the request. mean: those high by the policy's mean.
    draw: those high by one posterior draw. fresh: the newest. hide_seen: never show an item twice to one user.
    """

    candidates: Count = 200
    index: retrieval.Kind = "auto"
    near: Share = 0.4
    mean: Share = 0.3
    draw: Share = 0.2
    fresh: Share = 0.1
    hide_seen: bool = False


class PolicyTable(Table, frozen=True):
    """name: how to explore. posterior: what to believe with.

    floor: the least probability any candidate gets. settings: the policy's own, see docs/policies.
    """

    name: str = "thompson"
    posterior: str = "mixed"
    floor: Share = 0.0002
    settings: dict[str, Any] = {}


class JournalTable(Table, frozen=True):
    """path: the journal's file, or `:memory:`. window_seconds: how long feedback is waited for.

    durability: `normal` survives a killed process, `full` a power cut too. checkpoint_every: settled decisions
    from one checkpoint to the next.
    """

    path: str = "equipoise.db"
    window_seconds: Seconds = 1800.0
    durability: Literal["normal", "full"] = "normal"
    checkpoint_every: Count = 5000


class PromotionTable(Table, frozen=True):
    """When a challenger goes on, and when it goes back; read when a promotion starts, and fixed until it ends.

    margin: what challenger minus incumbent must exceed, in reward per slot; below 0 tolerates a small loss.
    shadow_margin: the same for the shadow, which sees less; None: as `margin`.
    level: of each stage's confidence sequence; a stage that should not be passed ever is with (1 - level) / 2.
    shares: of the traffic that the challenger gets, one stage after the other, after the shadow.
    least: decisions of a stage before it can end. clip: the most that a decision's importance weight counts in the
    shadow. shadow_slots: how many top slots the shadow compares; each more needs many more decisions.
    """

    margin: float = 0.0
    shadow_margin: float | None = None
    level: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.95
    shares: tuple[Share, ...] = (0.1, 0.5)
    least: Count = 100
    clip: Annotated[float, msgspec.Meta(ge=1.0, le=1e6)] = 10.0
    shadow_slots: Count = 1


class Settings(Table, frozen=True):
    """The whole configuration. seed: all dice derive from it and the decision_id. reward: see
    docs/how-to/feedback-and-rewards.md. blas_threads: of numpy's products, for the whole process, since many make
    small products several times slower; 0 leaves them as they are."""

    catalog: CatalogTable = CatalogTable()
    encoder: EncoderTable = EncoderTable()
    pairing: PairingSettings = PairingSettings()
    retrieval: RetrievalTable = RetrievalTable()
    policy: PolicyTable = PolicyTable()
    statistics: StatisticsSettings = StatisticsSettings()
    journal: JournalTable = JournalTable()
    promotion: PromotionTable = PromotionTable()
    reward: dict[str, Any] = {}
    seed: Seed = 20
    blas_threads: Whole = 1
    folder: str = "."

    def at(self, path: str) -> Path:
        """A path of the configuration, seen from the folder of its file."""
        return Path(self.folder) / Path(path).expanduser()

    @property
    def in_memory(self) -> bool:
        return self.journal.path == ":memory:"

    @property
    def state_folder(self) -> Path | None:
        """Where catalogue, vectors, pairing and checkpoints are kept: beside the journal; None in memory."""
        if self.in_memory:
            return None
        path = self.at(self.journal.path)
        return path.with_name(path.stem + ".state")
