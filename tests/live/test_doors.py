"""Who gets a socket: exactly those to whom the page of the room is open. Everybody else is turned away alike."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.groups.rules import Member
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.rules import Rhythm, Way, shown_at
from leeward.domain.people import queries as people
from leeward.domain.people.models import Person, Visit
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.lib.ids import new_id
from tests.cast import NOW, ZONE, a_person, joins
from tests.live.rooms import Scene, a_later_meeting, a_scene, cookie_of, device
from tests.live.watching import Device, Watchers
from tests.meeting import START
from tests.servers import Here

pytestmark = pytest.mark.django_db(transaction=True)
AWAY = 403


@pytest.fixture
def scene() -> Scene:
    return a_scene()


def page_is_open(one: Device) -> bool:
    status, html = one.get()
    return status == 200 and "<live-room" in html


# Each gives the browser of somebody, or of somebody somewhere; the room of `scene` is open and runs.


def a_member(scene: Scene, url: str) -> Device:
    return device(scene, "Ana", url)


def somebody_who_pauses(scene: Scene, url: str) -> Device:
    groups.pause(scene.here.ticket("Eli", at=START), at=START)
    return device(scene, "Eli", url)


def signed_out(scene: Scene, url: str) -> Device:
    one = device(scene, "Ana", url)
    Visit.objects.filter(digest=people.visit_digest(one.cookie)).delete()
    return one


def without_a_cookie(scene: Scene, url: str) -> Device:
    return replace(device(scene, "Ana", url), cookie="")


def a_former_member(scene: Scene, url: str) -> Device:
    return device(scene, "Farah", url)


def of_another_group(scene: Scene, url: str) -> Device:
    return device(scene, "Gus", url)


def a_person_without_a_group(scene: Scene, url: str) -> Device:
    return device(scene, "Hana", url)


def a_newcomer_without_pledge(scene: Scene, url: str) -> Device:
    ivo = a_person("Ivo", at=NOW)
    joins(ivo, group=scene.here.ticket("Ana", at=NOW), core=False)
    return device(scene, "", url, cookie=cookie_of(ivo))


def an_account_that_was_closed(scene: Scene, url: str) -> Device:
    one = device(scene, "Chidi", url)
    Person.objects.filter(pk=scene.here.people["Chidi"].person).update(is_active=False)
    return one


def at_a_closed_room(scene: Scene, url: str) -> Device:
    one = device(scene, "Ana", url)
    scene.move("Ben", Move.CLOSE, at=START + timedelta(minutes=1))
    return one


def at_a_room_that_is_not_open_yet(scene: Scene, url: str) -> Device:
    return replace(device(scene, "Ana", url), meeting=a_later_meeting(scene).pk)


def at_another_groups_meeting(scene: Scene, url: str) -> Device:
    return replace(device(scene, "Ana", url), meeting=_lagoons_meeting(scene))


def at_another_groups_meeting_by_its_own_address(scene: Scene, url: str) -> Device:
    return replace(device(scene, "Ana", url), meeting=_lagoons_meeting(scene), group=scene.here.other_group)


def at_this_meeting_under_another_group(scene: Scene, url: str) -> Device:
    return replace(device(scene, "Gus", url), group=scene.here.other_group)


def at_a_meeting_that_never_was(scene: Scene, url: str) -> Device:
    return replace(device(scene, "Ana", url), meeting=new_id())


def with_garbage(scene: Scene, url: str) -> Device:
    return replace(device(scene, "Ana", url), cookie='"\\x00"; =; ' + "a" * 2000)


def with_half_a_cookie(scene: Scene, url: str) -> Device:
    whole = device(scene, "Ana", url)
    return replace(whole, cookie=whole.cookie[:-1])


def _lagoons_meeting(scene: Scene) -> str:
    gus: Member = scene.here.ticket("Gus")
    known = meeting_queries.next_meeting(gus, at=START)
    if known is not None:
        return known.pk
    for name in ("Lea", "Mia", "Noa", "Ole"):
        joins(a_person(name, at=NOW), group=gus)
    meetings.set_rhythm(gus, Rhythm(shown_at(START, ZONE), ZONE, cycle=(Way.HYBRID,)), place=None, at=NOW)
    row = meeting_queries.next_meeting(scene.here.ticket("Gus"), at=NOW)
    assert row is not None
    room.open_room(scene.here.ticket("Gus", at=START), meeting=row.pk, at=START)
    return row.pk


CASES: dict[Callable[[Scene, str], Device], bool] = {
    a_member: True,
    somebody_who_pauses: False,
    signed_out: False,
    without_a_cookie: False,
    a_former_member: False,
    of_another_group: False,
    a_person_without_a_group: False,
    a_newcomer_without_pledge: False,
    an_account_that_was_closed: False,
    at_a_room_that_is_not_open_yet: False,
    at_another_groups_meeting: False,
    at_another_groups_meeting_by_its_own_address: False,
    at_this_meeting_under_another_group: False,
    at_a_meeting_that_never_was: False,
    with_garbage: False,
    with_half_a_cookie: False,
    at_a_closed_room: False,  # the last: nobody comes in after it
}


def test_the_socket_opens_exactly_where_the_page_does(server: Here, watchers: Watchers, scene: Scene) -> None:
    opened: dict[str, tuple[bool, bool]] = {}
    for who in CASES:
        one = who(scene, server.url)
        watch = watchers.add(one)
        opened[who.__name__] = watch.came == 1, page_is_open(one)
        said = [set(frame.said) for frame in watch.frames]
        assert (watch.refused, said) == ((0, [{"seq"}]) if watch.came else (AWAY, [])), who.__name__
    assert opened == {who.__name__: (comes_in, comes_in) for who, comes_in in CASES.items()}


def handshake(port: int, path: str, *, cookie: str = "", origin: str | None = "same", more: str = "") -> bytes:
    """Everything the server answers to a handshake, less the date."""
    lines = [
        f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Cookie: leeward={cookie}",
    ]  # fmt: skip
    if origin is not None:
        lines.append(f"Origin: {f'http://localhost:{port}' if origin == 'same' else origin}")
    with socket.create_connection(("localhost", port), timeout=10) as line:
        line.sendall("\r\n".join([*lines, more, ""] if more else [*lines, "", ""]).encode())
        answer = b""
        while part := line.recv(65536):
            answer += part
            if answer.startswith(b"HTTP/1.1 101"):
                break
    return b"\r\n".join(part for part in answer.split(b"\r\n") if not part.lower().startswith(b"date:"))


def test_everybody_who_is_turned_away_gets_the_same_bytes(server: Here, scene: Scene) -> None:
    port, right = server.port, device(scene, "Ana", server.url)
    gus, farah = device(scene, "Gus", server.url), device(scene, "Farah", server.url)
    here, other = right.socket(), right.socket().replace(scene.meeting, new_id())
    answers = {
        "signed out": handshake(port, here),
        "garbage": handshake(port, here, cookie="x" * 3000),
        "another group": handshake(port, here, cookie=gus.cookie),
        "left": handshake(port, here, cookie=farah.cookie),
        "no such meeting": handshake(port, other, cookie=right.cookie),
        "no such role": handshake(port, here.replace("member", "lead"), cookie=right.cookie),
        "no such address": handshake(port, "/live/", cookie=right.cookie),
        "no address at all": handshake(port, "/" + "a" * 4000, cookie=right.cookie),
        "another site": handshake(port, here, cookie=right.cookie, origin="https://evil.example"),
    }
    assert len(set(answers.values())) == 1, answers
    assert answers["left"].startswith(b"HTTP/1.1 403")
    assert handshake(port, here, cookie=right.cookie).startswith(b"HTTP/1.1 101")  # the one that is let in


ORIGINS = {
    "same": True,
    "https://evil.example": False,
    "http://localhost.evil.example": False,
    "http://evil.example/localhost": False,
    "null": False,
    None: False,
}


def test_a_socket_opens_only_from_our_own_pages(server: Here, scene: Scene) -> None:
    one = device(scene, "Ana", server.url)
    answers = {origin: handshake(server.port, one.socket(), cookie=one.cookie, origin=origin) for origin in ORIGINS}
    assert {origin: answer.startswith(b"HTTP/1.1 101") for origin, answer in answers.items()} == ORIGINS


def test_other_cookies_of_the_same_host_do_not_shut_anybody_out(server: Here, watchers: Watchers, scene: Scene) -> None:
    """What the page reads past, the socket reads past."""
    for beside in ('prefs={"a": 1}', "theme=dark mode", "a[b]=c", "=", "naïve=ü"):
        one = device(scene, "Ana", server.url)
        one.cookie = f"{one.cookie}; {beside}"
        assert (page_is_open(one), watchers.add(one).came) == (True, 1), beside


def test_the_address_of_a_socket_is_no_page(server: Here, scene: Scene) -> None:
    one = device(scene, "Ana", server.url)
    assert one.get(one.socket())[0] == 404


def test_pictures_are_not_packed(server: Here, scene: Scene) -> None:
    one = device(scene, "Ana", server.url)
    answer = handshake(
        server.port, one.socket(), cookie=one.cookie, more="Sec-WebSocket-Extensions: permessage-deflate\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"permessage-deflate" not in answer
