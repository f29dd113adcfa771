"""What stands in no picture: moods before they are open, thumbs, steps, and who goes without tokens. Raw frames of both
roles are searched, and two meetings that differ in one secret only are compared byte by byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.meetings.rules import Block, BlockKind
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.lib.refusals import Refusal
from tests.live.rooms import Scene, a_scene, device, past
from tests.live.watching import Watch, Watchers, all_show
from tests.meeting import START
from tests.servers import Here

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = re.compile(r"zq(?:mood|step)\w+")
MOMENTS = re.compile(r'(deadline|now)=\\"[^"]*\\"|>\d+:\d\d<')


def everybody_watches(scene: Scene, watchers: Watchers, server: Here) -> list[Watch]:
    """Each member, and a big screen."""
    devices = [device(scene, name, server.url) for name in scene.names]
    return [*(watchers.add(one) for one in devices), watchers.add(devices[0], role="screen")]


def raw(watching: list[Watch]) -> str:
    return "\n".join(frame.raw for watch in watching for frame in watch.frames)


def alike(scene: Scene, frame: str) -> str:
    """A frame without what differs between any two meetings: ids and moments."""
    for number, name in enumerate(scene.names):
        frame = frame.replace(scene.member(name), f"member-{number}")
    frame = frame.replace(scene.group, "group").replace(scene.meeting, "meeting")
    return MOMENTS.sub("moment", frame)


class Meeting:
    """One meeting that is watched by all: after each move everybody's frame is kept."""

    def __init__(self, server: Here, watchers: Watchers, scene: Scene) -> None:
        self.scene = scene
        self.watching = everybody_watches(scene, watchers, server)

    def move(self, name: str, move: Move, *, at: datetime = START, **facts: str) -> list[str]:
        """The frames it brings: one for each who watches, ids and moments taken out."""
        seq = self.watching[0].numbers[-1] + 1
        self.scene.move(name, move, at=at, **facts)
        all_show(self.watching, seq)
        return [alike(self.scene, watch.frames[-1].raw) for watch in self.watching]


def but_the_number(frames: list[str]) -> list[str]:
    return [re.sub(r'"seq": \d+|data-seq=\\"\d+\\"', "", frame) for frame in frames]


def test_moods_are_in_no_frame_before_they_are_open_and_then_in_all(server: Here, watchers: Watchers) -> None:
    scene = a_scene()
    meeting = Meeting(server, watchers, scene)
    for name in ("Ana", "Ben", "Chidi", "Dara"):
        meeting.move(name, Move.MOOD, text=f"zqmood{name.lower()}")
    meeting.move("Eli", Move.RAISE, way="turn")
    before = raw(meeting.watching)
    assert len(before) > 20_000
    assert re.findall(SECRETS, before) == []
    assert "4 of 5 have answered" in before  # it is known that they were told
    opened = meeting.move("Ben", Move.OPEN_MOODS)
    assert [sorted(set(re.findall(SECRETS, frame))) for frame in opened] == [
        ["zqmoodana", "zqmoodben", "zqmoodchidi", "zqmooddara"]
    ] * 6


def test_a_thumb_changes_nothing_in_the_picture_but_its_number(server: Here, watchers: Watchers) -> None:
    meeting = Meeting(server, watchers, a_scene())
    asked = meeting.move("Ana", Move.ASK, text="Shall we go on by candlelight?")
    for name, thumb in (("Ana", "up"), ("Dara", "down"), ("Eli", "down")):
        after = meeting.move(name, Move.THUMB, way=thumb)
        assert but_the_number(after) == but_the_number(asked)
    answered = meeting.move("Ben", Move.END_QUESTION)
    assert but_the_number(answered) != but_the_number(asked)
    assert all("not carried" in frame for frame in answered)  # one word, no count


def test_a_thumb_on_more_time_changes_nothing_in_the_picture_but_its_number(
    server: Here, watchers: Watchers, clock_at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leeward.live.registry.LOOKS_AT_LEAST_EVERY", 0.2)
    scene = a_scene(blocks=(Block(BlockKind.OPEN, "Talk", 5), Block(BlockKind.OPEN, "More", 20)))
    meeting = Meeting(server, watchers, scene)
    late = past(scene, 5) + timedelta(seconds=1)
    clock_at(late)
    all_show(meeting.watching, meeting.watching[0].numbers[-1] + 1)  # the clock said so
    meeting.move("Ana", Move.MORE_TIME, way="down", at=late)
    told = [alike(scene, watch.frames[-1].raw) for watch in meeting.watching]
    assert but_the_number(meeting.move("Dara", Move.MORE_TIME, way="up", at=late)) == but_the_number(told)
    assert all("Five more minutes?" in frame for frame in told)


def test_a_step_for_ones_own_eyes_leaves_no_trace_in_the_picture(server: Here, watchers: Watchers) -> None:
    frames = {}
    for seen in ("me", "group"):
        meeting = Meeting(server, watchers, a_scene())
        frames[seen] = meeting.move("Dara", Move.COMMIT, text=f"zqstep{seen}", seen=seen)
        assert re.findall(SECRETS, raw(meeting.watching)) == []
    assert "has a step" in frames["group"][0]
    assert "has a step" not in frames["me"][0]


def spends_all_tokens(server: Here, watchers: Watchers, *, exempt: bool, goes_on: bool = False) -> list[list[str]]:
    """Eli comes in, speaks three times, and raises a hand with no token left. What everybody's frames were."""
    scene = a_scene(names=("Ben", "Ana", "Chidi", "Dara"))
    groups.need_no_tokens(scene.here.ticket("Eli", at=START), needed=exempt, at=START)
    scene.names = ("Ben", "Ana", "Chidi", "Dara", "Eli")
    meeting = Meeting(server, watchers, scene)
    frames = [meeting.move("Eli", Move.ARRIVE)]
    for _ in range(3):
        frames.append(meeting.move("Eli", Move.RAISE, way="turn"))
        frames.append(meeting.move("Eli", Move.PASS))
    frames.append(meeting.move("Ana", Move.GIVE, whom=scene.member("Dara")))
    if goes_on:
        frames.append(meeting.move("Eli", Move.RAISE, way="turn"))
    elif not exempt:
        with pytest.raises(Refusal, match="room_no_token"):
            room.move(scene.here.ticket("Eli", at=START), meeting=scene.meeting, move=Move.RAISE, way="turn", at=START)
    frames.append(meeting.move("Ana", Move.RAISE, way="turn"))
    return frames


def test_who_goes_without_tokens_is_in_no_frame(server: Here, watchers: Watchers) -> None:
    exempt = spends_all_tokens(server, watchers, exempt=True)
    others = spends_all_tokens(server, watchers, exempt=False)
    assert exempt == others
    assert (len(exempt), {len(frames) for frames in exempt}) == (9, {6})
    assert re.search(r'member-4\\" hidden>[^.]*You have 0 tokens', exempt[-1][0])
    differs = spends_all_tokens(server, watchers, exempt=True, goes_on=True)
    assert differs[:8] == exempt[:8]
    assert differs[8] != exempt[8]  # the comparison can see: here somebody spoke without a token
