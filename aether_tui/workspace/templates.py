"""Documents to start from: shipped content, one YAML file each, without an id."""

from __future__ import annotations

from importlib import resources

from aether_tui.errors import ConfigurationError
from aether_tui.problems import nearest
from aether_tui.workspace.document import Document
from aether_tui.workspace.yaml_file import read_yaml


def names(kind: type[Document]) -> tuple[str, ...]:
    """Templates of a kind; none for most kinds."""
    folder = resources.files("aether_tui.workspace") / "content" / kind.PLURAL
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name.removesuffix(".yaml") for path in folder.iterdir() if path.name.endswith(".yaml")))


def fields(kind: type[Document], name: str) -> dict[str, object]:
    """What a template says; raises ConfigurationError naming the nearest one when there is none of that name."""
    known = names(kind)
    if name not in known:
        near = nearest(name, known)
        raise ConfigurationError(
            f"no template {name!r}" + (f", did you mean {near!r}?" if near else ""),
            next_step=f"there are {', '.join(known)}" if known else "this kind has none",
        )
    path = resources.files("aether_tui.workspace") / "content" / kind.PLURAL / f"{name}.yaml"
    value, _ = read_yaml(path.read_bytes(), path.name)
    assert isinstance(value, dict)
    return value
