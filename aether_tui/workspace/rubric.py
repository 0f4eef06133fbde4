"""Maturity: where a pillar stands by the answers given, what to ask next, and the one practice to do next (diagnostics K).

Pure functions of answers. A pillar has a level from 1 to 5; a statement of level L holds with probability .9 where the
pillar is at L or above and .1 below it (slip = guess = .1), every level equally likely before. An answer of 4 or 5 says
that it holds, 1 or 2 that it does not, 3 says nothing either way, 0 that it does not apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aether_tui.workspace.questions import Content, Pillar, Practice, Statement

LEVELS = ("Ad Hoc", "Defined", "Managed", "Optimized", "Adaptive")
SLIP = GUESS = 0.1
SURE = 0.8
MOST_ASKED = 3
MOST_SHOWN = 5
"""Questions that do not apply count for nothing, but no pillar shows more than this many."""
START = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """A pillar by one person's answers: `level` is the most probable one (the lower of equals), None without an answer."""

    level: int | None
    p: float
    posterior: tuple[float, ...]
    asked: int

    @property
    def contested(self) -> bool:
        """Answers do not settle it."""
        return self.level is not None and self.p < SURE


def posterior(answers: Iterable[tuple[int, int]]) -> tuple[float, ...]:
    """Probability of each level after (level of the statement, answer) pairs."""
    weights = [1.0] * len(LEVELS)
    for level, value in answers:
        if value in {0, 3}:
            continue
        for index in range(len(LEVELS)):
            holds = 1 - SLIP if index + 1 >= level else GUESS
            weights[index] *= holds if value > 3 else 1 - holds
        total = sum(weights)
        weights = [weight / total for weight in weights]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def standing(pillar: Pillar, answers: Mapping[str, int]) -> Standing:
    """Where a pillar stands by these answers (statement id → 0–5)."""
    given = [(one.level, answers[one.id]) for one in pillar.statements if one.id in answers]
    chances = posterior(given)
    asked = sum(value > 0 for _, value in given)
    telling = any(level > 1 and value not in {0, 3} for level, value in given)
    best = max(chances)
    level = next(index + 1 for index, chance in enumerate(chances) if chance > best - 1e-9)
    return Standing(level if telling else None, best, chances, asked)


def next_statement(pillar: Pillar, answers: Mapping[str, int], start: int = START) -> Statement | None:
    """What to ask next about a pillar: binary search for the level, begun at `start`; None when it is settled.

    Level 1 is the floor: its statements are there to talk about, they cannot move the level and are not asked.
    """
    shown = [one for one in pillar.statements if one.id in answers]
    now = standing(pillar, answers)
    sure = now.level is not None and not now.contested
    if sure or now.asked >= MOST_ASKED or len(shown) >= MOST_SHOWN:
        return None
    free = [one for one in pillar.statements if one.level > 1 and one.id not in answers]
    if not free:
        return None
    if now.level is None:
        return min(free, key=lambda one: abs(one.level - max(2, start)))
    above = [sum(now.posterior[level - 1 :]) for level in range(1, len(LEVELS) + 1)]
    return min(free, key=lambda one: abs(above[one.level - 1] - 0.5))


def overall(levels: Sequence[int | None]) -> int | None:
    """The highest L that all but one pillar have, with none below L − 1; None while a pillar has no level."""
    known = [level for level in levels if level is not None]
    if not levels or len(known) < len(levels):
        return None
    many = len(known) - 1 if len(known) > 1 else 1
    fits = [L for L in range(1, 6) if sum(level >= L for level in known) >= many and min(known) >= L - 1]
    return max(fits, default=1)


# --- The one next practice ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advice:
    """The practice to do next: where it takes its pillar, whether the organisation moves with it, who blocks then."""

    practice: Practice
    pillar: str
    pillar_level: int
    moves_overall: bool
    overall_after: int | None
    still_blocking: tuple[str, ...]
    unlocks: int


def climbed(content: Content, assessed: Mapping[str, int], done: Iterable[str]) -> dict[str, frozenset[int]]:
    """Levels of each pillar that a practice done since it was assessed has added."""
    rungs: dict[str, set[int]] = {name: set() for name in content.pillars}
    for name in done:
        practice = content.practices.get(name)
        pillar = content.pillar_of.get(name, "")
        if practice is not None and pillar in assessed and practice.level > assessed[pillar]:
            rungs[pillar].add(practice.level)
    return {name: frozenset(levels) for name, levels in rungs.items()}


def with_done(content: Content, assessed: Mapping[str, int], done: Iterable[str]) -> dict[str, int]:
    """Levels after practices done since: each level of practice above the assessed one counts once."""
    rungs = climbed(content, assessed, done)
    return {name: level + len(rungs.get(name, ())) for name, level in assessed.items()}


def blocking(levels: Mapping[str, int | None]) -> tuple[str, ...]:
    """Pillars that keep the organisation from its next level, the lowest first; those without a level come last."""
    known = {name: level for name, level in levels.items() if level is not None}
    unknown = tuple(name for name in levels if name not in known)
    now = overall(list(levels.values()))
    if now is None:
        lowest = min(known.values(), default=0)
        return (*(name for name, level in known.items() if level == lowest), *unknown)
    target = now + 1
    if target > len(LEVELS):
        return ()
    below = [name for name, level in known.items() if level < target]
    return tuple(sorted(below, key=lambda name: known[name]))


def advise(content: Content, assessed: Mapping[str, int], done: Iterable[str]) -> Advice | None:
    """The one next practice: from the lowest pillar that blocks, prerequisites met, most unlocked per week of effort.

    None when every pillar is at the top, or nothing is assessed. Doing it moves its pillar by exactly one level.
    """
    finished = set(done)
    levels = with_done(content, assessed, finished)
    whole: dict[str, int | None] = {name: levels.get(name) for name in content.pillars}
    order = [name for name in blocking(whole) if name in levels]
    order += sorted((name for name in levels if name not in order), key=lambda name: levels[name])
    chosen: list[tuple[str, Practice]] = []
    rank = 99
    for pillar in order:
        if chosen and levels[pillar] > rank:
            break
        found = candidates(content, assessed, finished, pillar)
        if found:
            chosen += [(pillar, one) for one in found]
            rank = levels[pillar]
    if not chosen:
        return None
    pillar, practice = min(
        chosen, key=lambda one: (-dependents(content, one[1].id, finished) / one[1].effort_weeks, one[1].id)
    )
    after = {**whole, pillar: levels[pillar] + 1}
    now, then = overall(list(whole.values())), overall(list(after.values()))
    return Advice(
        practice=practice,
        pillar=pillar,
        pillar_level=levels[pillar] + 1,
        moves_overall=then != now,
        overall_after=then,
        still_blocking=blocking(after),
        unlocks=dependents(content, practice.id, finished) - 1,
    )


def candidates(content: Content, assessed: Mapping[str, int], done: set[str], pillar: str) -> list[Practice]:
    """Practices of the lowest level of a pillar that nothing has reached yet, whose prerequisites are met."""
    rungs = climbed(content, assessed, done)
    level = next((one for one in range(assessed[pillar] + 1, 6) if one not in rungs[pillar]), None)

    def met(name: str) -> bool:
        if name in done:
            return True
        needed, home = content.practices.get(name), content.pillar_of.get(name, "")
        return (
            needed is not None and home in assessed and (needed.level <= assessed[home] or needed.level in rungs[home])
        )

    return [
        one
        for one in content.practices.values()
        if content.pillar_of[one.id] == pillar
        and one.level == level
        and one.id not in done
        and all(map(met, one.needs))
    ]


def dependents(content: Content, name: str, done: set[str]) -> int:
    """The practice itself and how many others, not done yet, wait for it directly or through others."""
    found, look = {name}, [name]
    while look:
        here = look.pop()
        for other in content.practices.values():
            if here in other.needs and other.id not in found:
                found.add(other.id)
                look.append(other.id)
    return len(found - done) or 1
