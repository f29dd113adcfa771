"""Several web processes tell one another what they drew, over one publish/subscribe channel of Valkey or Redis.

The channel holds no truth: a message that is lost costs a picture, and whoever was cut off draws anew on return, and
asks again who may still watch. No command waits for the channel: a thread of its own speaks, another one listens.
Without `VALKEY_URL` there is one web process and nothing to tell.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import secrets
import threading
import time
from datetime import datetime
from typing import Any

from leeward.live.registry import Picture, registry

CHANNEL = "leeward.rooms"
TRY_AGAIN = 0.5  # seconds
PATIENCE = 2  # seconds until a server that says nothing counts as away
WAITING_MOST = 1000  # messages not yet spoken
SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}
_log = logging.getLogger("leeward.live")
_me = secrets.token_hex(8)
_unsaid: queue.Queue[str] = queue.Queue(WAITING_MOST)
_missed = threading.Event()  # others did not hear something
_started = False


def url() -> str:
    """`VALKEY_URL` as the client library spells it."""
    scheme, divider, rest = os.environ.get("VALKEY_URL", "").partition("://")
    return f"{SCHEMES.get(scheme, scheme)}{divider}{rest}"


def shared() -> bool:
    """Whether there may be other processes."""
    return _started


def _client() -> Any:
    """One connection that never tries again by itself: who was cut off must know it."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url(), socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0),
        decode_responses=True, health_check_interval=1,
    )  # fmt: skip


def check() -> str:
    """Why `VALKEY_URL` does not answer (yet), in words; empty when it does. Raises ValueError when it never will."""
    if not url():
        return ""
    import redis

    try:
        _client().ping()
    except (redis.AuthenticationError, redis.ResponseError) as no:
        raise ValueError(f"VALKEY_URL: the server answers, but refuses: {no}") from no
    except redis.RedisError as no:
        return str(no)
    except (TypeError, ValueError) as no:
        raise ValueError(
            "VALKEY_URL is not an address of Valkey or Redis. It looks like redis://127.0.0.1:6379/0"
        ) from no
    return ""


def start() -> None:
    """Speak and listen, in two threads, for as long as the process lives. Nothing to do without `VALKEY_URL`.

    Raises ValueError for an address that is none.
    """
    global _started
    if not url() or _started:
        return
    check()
    _started = True
    threading.Thread(target=_listen, name="leeward-bus-in", daemon=True).start()
    threading.Thread(target=_speak, name="leeward-bus-out", daemon=True).start()


# Listening ----------------------------------------------------------------------------------------------------------


def _listen() -> None:
    cut_off = False
    while True:
        try:
            channel = _client().pubsub()
            channel.subscribe(CHANNEL)
            while True:
                message = channel.get_message(timeout=1.0)
                if message is None:
                    if channel.health_check_response_counter > PATIENCE:
                        raise TimeoutError
                elif message["type"] == "subscribe":  # only from now on nothing is missed
                    cut_off = False
                    registry.refresh()
                elif message["type"] == "message":
                    _hear(message["data"])
        except Exception as no:  # whatever it is, this thread must not die
            if not cut_off:
                _log.warning("VALKEY_URL: cut off from the other processes (%s)", no)
            cut_off = True
            registry.recheck()
            time.sleep(TRY_AGAIN)


def _hear(data: str) -> None:
    try:
        said = json.loads(data)
        if said["from"] != _me:
            _take(said)
    except (ValueError, TypeError, KeyError):
        _log.warning("another process said something that this version does not understand")


def _take(said: dict[str, Any]) -> None:
    kind = said["kind"]
    if kind == "picture":
        due = datetime.fromisoformat(said["due"]) if said["due"] else None
        frames = {(language, role): frame for language, role, frame in said["frames"]}
        registry.show(Picture(said["meeting"], said["seq"], due, frames))
    elif kind == "over":
        registry.over(said["meeting"])
    elif kind == "lost":
        registry.lost_elsewhere(said["meeting"], said["membership"])
    elif kind == "dismissed":
        registry.dismiss(membership=said["membership"], person=said["person"])
    elif kind == "missed":
        registry.refresh()


# Speaking -----------------------------------------------------------------------------------------------------------


def _speak() -> None:
    client = _client()
    while True:
        try:
            message = _unsaid.get(timeout=TRY_AGAIN)
        except queue.Empty:
            message = ""
        try:
            if _missed.is_set():
                client.publish(CHANNEL, json.dumps({"from": _me, "kind": "missed"}))
                _missed.clear()
            if message:
                client.publish(CHANNEL, message)
        except Exception as no:  # whatever it is, this thread must not die
            if not _missed.is_set():
                _log.warning("VALKEY_URL: the other processes cannot be told (%s)", no)
            _missed.set()


def _say(**message: object) -> None:
    if not _started:
        return
    try:
        _unsaid.put_nowait(json.dumps({"from": _me, **message}))
    except queue.Full:
        _missed.set()


def tell(picture: Picture) -> None:
    frames = [[language, role, frame] for (language, role), frame in picture.frames.items()]
    due = picture.due.isoformat() if picture.due else ""
    _say(kind="picture", meeting=picture.meeting, seq=picture.seq, due=due, frames=frames)


def tell_over(meeting: str) -> None:
    _say(kind="over", meeting=meeting)


def tell_lost(meeting: str, membership: str) -> None:
    """Somebody's last socket here went; whoever has another of theirs says so."""
    _say(kind="lost", meeting=meeting, membership=membership)


def tell_dismissed(*, membership: str, person: str) -> None:
    _say(kind="dismissed", membership=membership, person=person)
