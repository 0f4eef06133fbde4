"""What one sync knows of a service that the next one needs: limits, ETags, since when a credential works, the last sweep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b

from aether_tui.cache import StreamState
from aether_tui.records.source import Limit, Memory
from aether_tui.sync.plan import Job

_MOST = 5_000

Known = Mapping[tuple[str, str], StreamState]


def credential(job: Job) -> str:
    """A few digits that tell one set of credentials from another; limits and expiry belong to it. Empty without any."""
    if not any(job.secrets.values()):
        return ""
    said = json.dumps(dict(sorted(job.secrets.items())))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=4, person=b"credential").hexdigest()


def settings(job: Job) -> str:
    """A few digits of what a source is asked for: another answer may mean other rows of what was read before."""
    said = job.settings.model_dump_json(exclude={"kind", "enabled", "url", "ca_bundle"}, exclude_defaults=True)
    return blake2b(said.encode(), digest_size=4, person=b"settings").hexdigest()


def recall(job: Job, known: Known) -> Memory:
    """What the streams of a source remember, the latest word on each limit."""
    memory, who = Memory(), credential(job)
    for (source, _), stream in sorted(known.items(), key=lambda pair: pair[1].last_attempt or datetime.min):  # noqa: DTZ901
        if source != job.name or stream.state.get("credential") != who:
            continue
        memory.limits.update(_limits(stream.state.get("limits")))
        memory.expires = str(stream.state.get("expires") or "") or memory.expires
        if stream.last_success and (memory.worked is None or stream.last_success > memory.worked):
            memory.worked = stream.last_success
    return memory


def begin(memory: Memory, known: StreamState | None) -> None:
    """What a stream was left with; nothing of this run yet."""
    memory.etags, memory.fresh = _texts(known, "etags"), {}
    memory.notes, memory.noted = _texts(known, "notes"), {}
    memory.read, memory.began = read_at(known), None


def read_at(known: StreamState | None) -> datetime | None:
    """When (naive UTC, the service's clock) the last reading of a stream to its end began."""
    try:
        return datetime.fromisoformat(str(known.state.get("read"))) if known else None
    except ValueError:
        return None


def swept_at(known: StreamState | None) -> datetime | None:
    """When (aware) deletions of a stream were last looked for."""
    try:
        return datetime.fromisoformat(str(known.state.get("swept"))) if known else None
    except ValueError:
        return None


def kept(job: Job) -> dict[str, object]:
    """What `recall` will find."""
    memory = job.network.memory
    limits = {name: [limit.remaining, limit.opens_at.isoformat()] for name, limit in sorted(memory.limits.items())}
    return {"credential": credential(job), "limits": limits, "expires": memory.expires}


def kept_of_stream(memory: Memory) -> dict[str, dict[str, str]]:
    """What a stream that was read to its end leaves; what is very much is not worth its room."""
    return {
        name: said if len(said) <= _MOST else {} for name, said in (("etags", memory.fresh), ("notes", memory.noted))
    }


def _texts(known: StreamState | None, name: str) -> dict[str, str]:
    found = known.state.get(name) if known else None
    return {str(key): str(said) for key, said in found.items()} if isinstance(found, dict) else {}


def _limits(said: object) -> Iterable[tuple[str, Limit]]:
    for name, pair in said.items() if isinstance(said, dict) else ():
        try:
            remaining, opens_at = pair
            at = datetime.fromisoformat(opens_at)
            yield str(name), Limit(float(remaining), at if at.tzinfo else at.replace(tzinfo=UTC))
        except (TypeError, ValueError):
            continue
