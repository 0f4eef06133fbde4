"""Task taxonomies: the kinds of request that really come, found in redacted texts and mended by people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aether_tui.workspace.document import Document, Line, numbered

CategoryId = Annotated[str, Field(pattern=r"^c\d{2,6}$")]
Example = Annotated[str, Field(min_length=1, max_length=400)]


class Part(BaseModel):
    """Half of a category, as it was found or merged: what a split makes a category of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holds: list[Line] = Field(min_length=1, max_length=400, description="Names of its centroids in the model file")
    label: Line = Field(description="Its commonest words")
    size: int = Field(ge=0, description="Texts of the sample in it, repeats counted")
    examples: list[Example] = Field(default_factory=list, max_length=5, description="Redacted texts from its middle")


class Category(BaseModel):
    """One kind of request. `holds` names the centroids it was found by; nearest to one of them means in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: CategoryId = Field(description="Id; it stays when the label changes, and is never given again")
    label: Line = Field(description="What people call it")
    size: int = Field(ge=0, description="Texts of the sample in it, repeats counted")
    terms: list[Line] = Field(default_factory=list, max_length=12, description="Words that set it apart")
    examples: list[Example] = Field(default_factory=list, max_length=8, description="Redacted texts from its middle")
    holds: list[Line] = Field(min_length=1, max_length=400, description="Names of its centroids in the model file")
    parts: list[Part] = Field(default_factory=list, max_length=2, description="The halves it can be split into")
    moved: list[Example] = Field(
        default_factory=list, max_length=400, description="Texts a person moved here; their like is assigned here"
    )
    parents: list[CategoryId] = Field(default_factory=list, description="Categories that it was split from or found in")
    edits: list[Line] = Field(
        default_factory=list, description="What people did to it; a category with edits is kept when it is built again"
    )


class Retired(BaseModel):
    """A category that is no more; requests it was given to keep it, or count where it went."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: CategoryId = Field(description="Its id")
    label: Line = Field(description="What it was called")
    into: str = Field(default="", pattern=r"^(c\d{2,6})?$", description="Category it was merged into; empty: none")


class Taxonomy(Document):
    """One version of the task taxonomy; the newest is in force."""

    PLURAL: ClassVar[str] = "taxonomy"
    PREFIX: ClassVar[str] = "TAX-"

    id: str = Field(pattern=numbered("TAX-"), description="Id, and the file's name")
    built: datetime = Field(description="When it was built, UTC; requests that come later are assigned by it")
    source: Line = Field(description="What it was built from")
    texts: int = Field(ge=1, description="Texts, repeats counted")
    distinct: int = Field(ge=1, description="Distinct texts, near repeats counted once")
    seed: int = Field(default=0, description="Seed of every draw")
    chosen: Line = Field(description="How the number of categories was chosen")
    unsure_below: float = Field(allow_inf_nan=False, description="Margin under which a request is unsure")
    far_below: float = Field(allow_inf_nan=False, description="Likeness under which a request is far from all")
    model: str = Field(pattern=r"^[0-9a-f]{16}$", description="Hash of the model file beside it (centroids, no text)")
    previous: str = Field(default="", pattern=numbered("TAX-", or_none=True), description="The version before")
    categories: list[Category] = Field(min_length=1, max_length=400, description="Kinds of request")
    retired: list[Retired] = Field(default_factory=list, description="Categories of before")

    @model_validator(mode="after")
    def _sound(self) -> Taxonomy:
        ids = [*(one.id for one in self.categories), *(one.id for one in self.retired)]
        twice = next((one for one in ids if ids.count(one) > 1), None)
        if twice is not None:
            raise ValueError(f"two categories have the id {twice}; give one another")
        labels = [one.label.casefold() for one in self.categories]
        same = next((one for one in labels if labels.count(one) > 1), None)
        if same is not None:
            raise ValueError(f"two categories are called {same!r}; rename one, or merge them")
        held = [key for one in self.categories for key in one.holds]
        if len(set(held)) < len(held):
            raise ValueError("two categories hold the same centroid; take it from one")
        lost = next((one for one in self.retired if one.into and one.into not in ids), None)
        if lost is not None:
            raise ValueError(f"{lost.id} went into {lost.into}, which is no category")
        return self

    def find(self, name: str) -> Category | None:
        """A category in force by id or label."""
        folded = name.strip().casefold()
        return next((one for one in self.categories if folded in {one.id, one.label.casefold()}), None)

    def now(self) -> Mapping[str, str]:
        """For every id that was ever given: the id it counts under. A split one counts as itself."""
        into = {one.id: one.into for one in self.retired if one.into}
        found = {}
        for one in self._ids():
            at, seen = one, {one}
            while into.get(at, "") and into[at] not in seen:
                at = into[at]
                seen.add(at)
            found[one] = at
        return found

    def labels(self) -> Mapping[str, str]:
        """For every id that was ever given: the label it counts under."""
        label = {one.id: one.label for one in self.retired} | {one.id: one.label for one in self.categories}
        return {one: label[at] for one, at in self.now().items()}

    def next_id(self) -> str:
        """The next free id."""
        return f"c{max(int(one[1:]) for one in self._ids()) + 1:02d}"

    def _ids(self) -> list[str]:
        """Every id that was ever given."""
        return [*(one.id for one in self.categories), *(one.id for one in self.retired)]
