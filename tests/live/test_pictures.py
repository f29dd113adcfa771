"""How a change of a room reaches everybody who watches it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Thread
from time import sleep
from typing import Any

import pytest
from django.db import connections, transaction
from django.template.backends.jinja2 import Template

from leeward.domain.groups import actions as groups
from leeward.domain.meetings.rules import Block, BlockKind
from leeward.domain.people.models import Person
from leeward.domain.room.models import RoomEntry
from leeward.domain.room.rules import Move
from leeward.live.registry import registry
from tests.live.rooms import Scene, a_scene, device, past
from tests.live.watching import Watch, Watchers, all_show, wait_for
from tests.meeting import START
from tests.servers import Here

pytestmark = pytest.mark.django_db(transaction=True)


def newest(scene: Scene) -> int:
    return RoomEntry.objects.filter(room__meeting=scene.meeting).order_by("-seq").values_list("seq", flat=True)[0]


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was drawn for watchers, one line each drawing."""
    made: list[dict[str, Any]] = []
    render = Template.render

    def counted(self: Template, context: dict[str, Any] | None = None, request: Any = None) -> str:
        if self.template.name == "room/scene_only.html":
            made.append(context or {})
        return render(self, context, request)

    monkeypatch.setattr(Template, "render", counted)
    return made


def test_one_command_reaches_twelve_watchers_drawn_once_for_each_language_and_role(
    server: Here, watchers: Watchers, drawings: list[dict[str, Any]]
) -> None:
    scene = a_scene(size=12)
    ana = scene.here.people["Ana"].person
    Person.objects.filter(pk=ana).update(language="de")
    devices = [device(scene, name, server.url) for name in scene.names]
    watching = [watchers.add(one) for one in devices]
    watching.append(watchers.add(devices[1], role="screen"))
    before = newest(scene)
    assert [watch.numbers for watch in watching] == [[before]] * 13
    drawings.clear()
    assert devices[3].tap("raise", way="turn") == 204
    took = all_show(watching, before + 1)
    assert [watch.numbers for watch in watching] == [[before, before + 1]] * 13
    assert took < 2
    assert len(drawings) == 3  # en member, de member, en screen
    assert {len(watch.pictures) for watch in watching} == {1}


def test_numbers_only_grow_and_nobody_is_shown_anything_older(server: Here, watchers: Watchers) -> None:
    scene = a_scene()
    devices = {name: device(scene, name, server.url) for name in scene.names}
    watching = [watchers.add(one) for one in devices.values()]
    first = newest(scene)
    for one in devices.values():
        one.get()
    with ThreadPoolExecutor(5) as pool:  # five people at once, over real HTTP
        for move in ("raise", "pass", "lower", "accept") * 3:
            answers = set(pool.map(lambda one, move=move: one.tap(move, way="turn"), devices.values()))
            assert answers <= {204, 409}
    last = newest(scene)
    assert last > first + 10
    all_show(watching, last)
    for watch in watching:
        assert watch.numbers == sorted(watch.numbers)
        assert (watch.numbers[0], watch.numbers[-1]) == (first, last)
        assert watch.pictures[-1].said["html"] == watching[0].pictures[-1].said["html"]


def test_several_moves_of_one_transaction_are_one_picture(
    server: Here, watchers: Watchers, drawings: list[dict[str, Any]]
) -> None:
    scene = a_scene()
    watch = watchers.add(device(scene, "Ana", server.url))
    before = newest(scene)
    drawings.clear()
    with transaction.atomic():
        scene.move("Ana", Move.RAISE, way="turn", at=START)
        scene.move("Eli", Move.RAISE, way="turn", at=START)
        scene.move("Dara", Move.RAISE, way="turn", at=START)
    all_show([watch], before + 3)
    assert (watch.numbers, len(drawings)) == ([before, before + 3], 1)


def test_what_is_taken_back_is_not_shown(server: Here, watchers: Watchers) -> None:
    scene = a_scene()
    watch = watchers.add(device(scene, "Ana", server.url))
    before = newest(scene)
    with pytest.raises(KeyError), transaction.atomic():
        scene.move("Ana", Move.RAISE, way="turn", at=START)
        raise KeyError
    with transaction.atomic():
        scene.move("Dara", Move.RAISE, way="turn", at=START)
        with pytest.raises(KeyError), transaction.atomic():
            scene.move("Eli", Move.RAISE, way="turn", at=START)
            raise KeyError
    all_show([watch], before + 1)
    assert watch.numbers == [before, before + 1]
    shown = watch.pictures[-1].said["html"]
    assert "Dara has the floor" in shown
    assert "Then: Eli" not in shown


def in_between(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Do something between the look that lets somebody in and the moment from which they are sent pictures."""
    join = registry.join

    def done() -> None:
        do()
        connections.close_all()

    def late(*arguments: Any, **facts: Any) -> None:
        monkeypatch.setattr(registry, "join", join)
        doing = Thread(target=done)
        doing.start()
        doing.join()
        join(*arguments, **facts)

    monkeypatch.setattr(registry, "join", late)


def test_who_connects_while_something_moves_learns_of_it(
    server: Here, watchers: Watchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = a_scene()
    before = newest(scene)
    in_between(monkeypatch, lambda: scene.move("Ana", Move.RAISE, way="turn", at=START))
    watch = watchers.add(device(scene, "Dara", server.url))
    assert watch.numbers[-1] == before + 1


def test_who_leaves_while_they_connect_is_sent_away(
    server: Here, watchers: Watchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = a_scene()
    in_between(monkeypatch, lambda: groups.leave(scene.here.ticket("Dara", at=START), at=START))
    watch = watchers.add(device(scene, "Dara", server.url))
    wait_for(lambda: watch.closed > 0, seconds=1, what="the close")
    assert (watch.closed, watch.frames) == (4404, [])


def test_leaving_the_group_closes_the_socket_within_a_second(server: Here, watchers: Watchers) -> None:
    scene = a_scene()
    leaver, screen = device(scene, "Dara", server.url), device(scene, "Ana", server.url)
    gone, other = watchers.add(leaver), watchers.add(screen)
    groups.leave(scene.here.ticket("Dara", at=START), at=START)
    took = wait_for(lambda: gone.closed > 0, what="the close")
    assert (gone.closed, other.closed, took < 1) == (4404, 0, True)
    assert watchers.add(leaver).refused == 403
    scene.move("Ana", Move.RAISE, way="turn", at=START)
    all_show([other], newest(scene))
    last = gone.frames[-1].raw if gone.frames else ""
    assert "Ana has the floor" not in last


@pytest.mark.parametrize("how", ["everywhere", "this device"])
def test_signing_out_closes_the_socket_within_a_second(server: Here, watchers: Watchers, how: str) -> None:
    from leeward.domain.people import actions as people
    from leeward.domain.people.models import Visit

    scene = a_scene()
    one = device(scene, "Dara", server.url)
    gone, other = watchers.add(one), watchers.add(device(scene, "Ana", server.url))
    me = scene.here.people["Dara"]
    if how == "everywhere":
        people.end_visits(me, but_key=None, at=START)
    else:
        people.end_visit(me, visit=Visit.objects.get(person=me.person).pk, at=START)
    took = wait_for(lambda: gone.closed > 0, what="the close")
    assert (gone.closed, other.closed, took < 1) == (4404, 0, True)
    assert watchers.add(one).refused == 403


def test_signing_out_by_the_page_closes_the_socket_too(server: Here, watchers: Watchers) -> None:
    scene = a_scene()
    one = device(scene, "Dara", server.url)
    gone, other = watchers.add(one), watchers.add(device(scene, "Ana", server.url))
    assert one.post("/sign-out/") in (200, 302)
    took = wait_for(lambda: gone.closed > 0, seconds=2, what="the close")
    assert (other.closed, took < 1) == (0, True)


def test_the_close_says_over_to_everybody_once(server: Here, watchers: Watchers) -> None:
    scene = a_scene()
    devices = [device(scene, name, server.url) for name in scene.names]
    watching = [watchers.add(one) for one in devices]
    assert devices[1].name == "Ben"
    assert devices[1].tap("close") in (204, 302)
    wait_for(lambda: all(watch.over for watch in watching), what="the end")
    assert [frame.said for watch in watching for frame in watch.frames if "over" in frame.said] == [{"over": True}] * 5
    assert watchers.add(devices[0]).refused == 403


def test_a_room_that_somebody_else_closed_is_over_for_those_who_watch_it_here(
    server: Here, watchers: Watchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`leeward tick` closes a forgotten room in a process of its own, and cannot tell this one."""
    from leeward.domain.room import actions
    from leeward.lib import events
    from leeward.lib.tickets import Clock

    monkeypatch.setattr("leeward.live.registry.LOOKS_AT_LEAST_EVERY", 0.1)
    scene = a_scene(start=START)
    watch = watchers.add(device(scene, "Ana", server.url))
    late = past(scene, 60 + 120) + timedelta(seconds=1)
    wired = events._wiring
    assert wired is not None
    quiet = {event: [] if event.__module__.endswith("room.events") else done for event, done in wired.items()}
    events.connect(quiet)
    try:
        assert actions.fold_due(Clock(), group=scene.group, meeting=scene.meeting, at=late) is True
    finally:
        events.connect(wired)
    from leeward.lib import clock

    clock.move(ahead=late - datetime.now(late.tzinfo))
    wait_for(lambda: watch.over, seconds=3, what="the end")


SHORT = (Block(BlockKind.OPEN, "Talk", 5), Block(BlockKind.OPEN, "More talk", 20))


def test_the_end_of_a_block_comes_without_any_request(
    server: Here, watchers: Watchers, clock_at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leeward.live.registry.LOOKS_AT_LEAST_EVERY", 0.5)  # so soon a moved clock is noticed
    scene = a_scene(blocks=SHORT)
    watching = [watchers.add(device(scene, name, server.url)) for name in ("Ana", "Ben", "Dara")]
    before = newest(scene)
    clock_at(past(scene, 5) - timedelta(seconds=1.2))
    took = all_show(watching, before + 1)
    assert 0.8 < took < 3
    assert {watch.shows.phase for watch in watching if watch.shows} == {"overtime"}
    clock_at(past(scene, 5) + timedelta(seconds=19.5))
    all_show(watching, before + 2)
    assert {(watch.shows.phase, watch.shows.say) for watch in watching if watch.shows} == {("running", "More talk")}
    assert newest(scene) == before + 2


def test_that_somebody_may_take_the_lead_now_comes_without_any_request(
    server: Here, watchers: Watchers, clock_at: Callable[[datetime], None]
) -> None:
    scene = a_scene(names=("Ben", "Ana", "Dara"), begin=False)
    scene.move("Ben", Move.STEP_OUT, at=START)
    clock_at(past(scene, 5) - timedelta(seconds=1))
    ana, dara = (watchers.add(device(scene, name, server.url)) for name in ("Ana", "Dara"))
    before = ana.numbers[-1]
    took = wait_for(lambda: len(ana.pictures) > 0 and len(dara.pictures) > 0, what="the picture")
    assert took < 3
    html = ana.pictures[-1].said["html"]
    assert (ana.numbers, "Take the lead" in html) == ([before, before], True)
    for watch in (ana, dara):
        assert f'data-for="{scene.member("Ana")} {scene.member("Dara")}"' in watch.pictures[-1].said["html"]


def test_whoever_leads_and_loses_the_line_is_shown_as_cut_off_and_comes_back(
    server: Here, watchers: Watchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leeward.live.registry.GONE_AFTER", 0.3)
    scene = a_scene()
    ana = watchers.add(device(scene, "Ana", server.url))
    ben = watchers.add(device(scene, "Ben", server.url))
    watchers.drop(ben)
    wait_for(lambda: dict(ana.shows.people).get("Ben") == "cut off just now" if ana.shows else False, what="the mark")
    watchers.add(device(scene, "Ben", server.url))
    wait_for(lambda: dict(ana.shows.people).get("Ben") == "in the room" if ana.shows else False, what="the way back")


def test_a_second_socket_or_a_page_loaded_again_is_no_lost_connection(
    server: Here, watchers: Watchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leeward.live.registry.GONE_AFTER", 0.3)
    scene = a_scene()
    ben = device(scene, "Ben", server.url)
    watchers.add(device(scene, "Ana", server.url))
    first, _second = watchers.add(ben), watchers.add(ben)
    watchers.drop(first)
    before = newest(scene)
    sleep(0.8)
    assert newest(scene) == before


def test_a_socket_that_comes_back_hears_only_the_number(server: Here, watchers: Watchers) -> None:
    scene = a_scene()
    one = device(scene, "Ana", server.url)
    first = watchers.add(one)
    scene.move("Ana", Move.RAISE, way="turn", at=START)
    all_show([first], newest(scene))
    watchers.drop(first)
    again = watchers.add(one)
    assert [frame.said for frame in again.frames] == [{"seq": newest(scene)}]


def test_who_is_gone_leaves_nothing_behind(server: Here, watchers: Watchers) -> None:
    """However a socket ends: closed, torn, or torn in the middle of talking."""
    scene = a_scene()
    one = device(scene, "Ana", server.url)

    async def talk_and_tear(watch: Watch) -> None:
        assert watch.line is not None
        for _ in range(10):
            await watch.line.send("hello")
        watch.line.transport.abort()

    for turn in range(12):
        watch = watchers.add(one)
        if turn % 3 == 0:
            assert watch.line is not None
            watchers.loop.run(watch.line.close())
        elif turn % 3 == 1:
            watchers.drop(watch)
        else:
            watchers.loop.run(talk_and_tear(watch))
    wait_for(lambda: registry.watched() == (), seconds=5, what="an empty registry")
    assert registry._rooms == {}
