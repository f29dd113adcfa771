"""The picture of a room: what everybody who watches sees alike, drawn once for each language and role.

Nothing of one person only is in it: no mood before all are open, no thumb, no opt-out, no step. What a person may do,
and how many tokens they hold, stands in it for each member by id; the browser shows a member their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.template import engines
from django.utils import timezone, translation

from leeward.domain.meetings.rules import BlockKind
from leeward.domain.room import rules
from leeward.domain.room.queries import Scene
from leeward.domain.room.rules import Hand, Move, Phase, Raised, State
from leeward.web import words

MEMBER, SCREEN = "member", "screen"


@dataclass(frozen=True)
class PersonHere:
    """One member as the room lists them."""

    id: str
    name: str
    here: bool
    way: str
    lead: bool
    lost: bool
    without_device: bool
    said_step: bool
    tokens: int


@dataclass(frozen=True)
class LineCaught:
    number: int
    text: str
    kept: bool


@dataclass(frozen=True)
class RoomSeen:
    """A room at one moment, for any reader. `may` says for each move whose button is drawn, by membership id."""

    group: str
    meeting: str
    seq: int
    phase: str
    title: str
    kind: str
    clock: str
    deadline: str
    now: str
    minutes: int
    lead: str
    lead_name: str
    following: str
    stand: str
    may: dict[str, tuple[str, ...]]
    people: tuple[PersonHere, ...]
    holder: str
    holder_name: str
    offered: str
    offered_name: str
    queue: tuple[str, ...]
    waiting: tuple[str, ...]
    costs: bool
    follow_ups: bool
    moods: tuple[tuple[str, str], ...]
    moods_open: bool
    moods_told: int
    spotlight: str
    spotlight_name: str
    caught: tuple[LineCaught, ...]
    catching: bool
    question: str
    voters: tuple[str, ...]
    answered: tuple[tuple[str, str], ...]
    blocks: tuple[rules.Block, ...]
    index: int

    @property
    def here(self) -> tuple[str, ...]:
        return tuple(line.id for line in self.people if line.here)

    @property
    def not_here(self) -> tuple[str, ...]:
        return tuple(line.id for line in self.people if not line.here)

    @property
    def mine(self) -> str:
        """What decides which forms of one's own the page offers; when it changes the page is looked at anew."""
        return f"{self.phase} {self.kind} {'catch' if self.catching else ''} {'ask' if self.may['ask'] else ''}"

    @property
    def step_time(self) -> bool:
        """Whether the meeting has come to the steps."""
        return self.kind == BlockKind.COMMITMENT.value or self.phase == Phase.CLOSING.value


def clock_face(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def block_title(block: rules.Block | None) -> str:
    return "" if block is None else block.title or words.label(BlockKind(block.kind))


# Moves whose button does not depend on what else is said with them. A raised hand is drawn for everybody here who has
# none up, tokens or not: who may go on without any is nobody's business.
_PLAIN = (
    Move.START, Move.NEXT, Move.EXTEND, Move.PAUSE, Move.RESUME, Move.HOLD, Move.RELEASE, Move.OPEN_MOODS, Move.LOWER,
    Move.PASS, Move.SKIP, Move.VOLUNTEER, Move.UNVOLUNTEER, Move.END_QUESTION, Move.CLOSE, Move.STEP_OUT,
    Move.TAKE_LEAD,
)  # fmt: skip


def _may(state: State, ids: Iterable[str], at: datetime) -> dict[str, tuple[str, ...]]:
    present = [who for who in ids if who in state.present]
    may = {move.value: tuple(who for who in present if rules.may(state, who, move, at)) for move in _PLAIN}
    queued = {hand.who for hand in state.hands} | ({state.offered.who} if state.offered else set())
    talking = state.phase in rules.TABLE[Move.RAISE].phases
    may["raise"] = tuple(w for w in present if talking and w != state.holder and w not in queued)
    may["follow_up"] = tuple(w for w in present if rules.may(state, w, Move.RAISE, at, way=Hand.FOLLOW_UP.value))
    offered = state.offered.who if state.offered else ""
    may["accept"] = tuple(w for w in present if talking and w == offered)
    may["give"] = tuple(w for w in present if state.phase in rules.TABLE[Move.GIVE].phases and state.tokens(w) > 0)
    may["more_time"] = tuple(w for w in present if rules.may(state, w, Move.MORE_TIME, at, way="up"))
    asking = state.question is None and rules.may(state, present[0], Move.ASK, at, text="?") if present else False
    may["ask"] = tuple(present) if asking else ()
    return may


def seen(scene: Scene, *, at: datetime) -> RoomSeen:
    """Everything that pages and pictures of a room show."""
    state, names = scene.state, dict(scene.names)
    ids = tuple(names)

    def named(who: str | None) -> str:
        return names.get(who or "", "")

    def hands(raised: Iterable[Raised]) -> tuple[str, ...]:
        return tuple(named(hand.who) for hand in raised)

    block = state.block
    listed = [who for who in ids if who in state.present or who not in scene.away]
    return RoomSeen(
        group=scene.group,
        meeting=scene.meeting,
        seq=scene.seq,
        phase=state.phase.value,
        title=block_title(block),
        kind=block.kind if block else "",
        clock=clock_face(rules.seconds_left(state, at)),
        deadline=state.deadline.isoformat() if state.deadline else "",
        now=at.isoformat(),
        minutes=block.minutes if block else 0,
        lead=state.lead or "",
        lead_name=named(state.lead),
        following=block_title(state.following),
        stand=state.stand,
        may=_may(state, ids, at),
        people=tuple(_person(state, who, names[who]) for who in listed),
        holder=state.holder or "",
        holder_name=named(state.holder),
        offered=state.offered.who if state.offered else "",
        offered_name=named(state.offered.who) if state.offered else "",
        queue=hands(state.queue),
        waiting=tuple(hand.who for hand in state.queue),
        costs=state.costs,
        follow_ups=state.house.follow_ups,
        moods=tuple((names[who], state.moods[who]) for who in ids if who in state.moods) if state.moods_open else (),
        moods_open=state.moods_open,
        moods_told=sum(who in state.present for who in state.moods),
        spotlight=state.spotlight or "",
        spotlight_name=named(state.spotlight),
        caught=tuple(LineCaught(n, text, n in state.kept_lines) for n, text in enumerate(state.caught)),
        catching=block is not None and block.kind in rules.CATCHING_BLOCKS and state.phase is not Phase.HELD,
        question=state.question.text if state.question else "",
        voters=tuple(sorted(state.question.voters)) if state.question else (),
        answered=state.answered,
        blocks=state.blocks,
        index=state.index,
    )


def _person(state: State, who: str, name: str) -> PersonHere:
    step = state.steps.get(who)
    return PersonHere(
        id=who,
        name=name,
        here=who in state.present,
        way=state.present.get(who, ""),
        lead=state.lead == who,
        lost=who in state.lost,
        without_device=who in state.without_device,
        said_step=step is not None and step.seen == "group",
        tokens=state.tokens(who),
    )


def draw(scene: Scene, views: Iterable[tuple[str, str]], *, at: datetime) -> dict[tuple[str, str], str]:
    """(language, role) → HTML, one drawing each."""
    template = engines["jinja2"].get_template("room/scene_only.html")
    drawn = {}
    for language, role in views:
        with translation.override(language), timezone.override(scene.zone):
            drawn[language, role] = template.render({"v": seen(scene, at=at), "role": role, "me": None})
    return drawn
