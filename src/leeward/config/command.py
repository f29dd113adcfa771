"""The `leeward` command: everything an operator does, from the first start to the last check.

Answers for machines go to standard output (`--json`), progress and plain words to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

DEMO_LASTS = 12 * 3600
GRACE_SECONDS = 4
PING_SECONDS = 20  # a phone that is gone without a word is noticed within twice this
OF_A_REAL_SERVER = ("DATABASE_URL", "HELP_LINES", "MAIL_URL", "VALKEY_URL")  # the demo touches none of them
WEB_LOCK, WEB_LOCK_POSTGRES = "web.lock", 0x4C656577  # the number stands for "Leew"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class CannotDo(Exception):
    """What went wrong, in plain words. Ends the command with status 1."""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        result = arguments.do(arguments)
    except CannotDo as no:
        say(str(no))
        return 1
    except KeyboardInterrupt:
        return 130
    return int(result or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="leeward", description="Peer support groups, on your own server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, do: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(do=do)
        return made

    command("serve", serve, "Serve pages on HOST and PORT (127.0.0.1, 8000).")
    demo_command = command("demo", demo, "Make the lived-in demo in var/demo and print sign-in links for its cast.")
    demo_command.add_argument("--serve", action="store_true", help="serve it as well")
    demo_command.add_argument("--fresh", action="store_true", help="make it anew even when it is young")

    taking = command("import-group", import_group, "Take in a group from members.csv, attendance.csv, meetings.ics.")
    taking.add_argument("source", type=Path, metavar="DIR_OR_FILE", help="a folder of files, or one exported group")
    taking.add_argument("--name", default="", help="the group's name")
    taking.add_argument("--purpose", default="", help="one sentence: what the group is for")
    taking.add_argument("--zone", default="UTC", help="the group's time zone, like Europe/Berlin")
    taking.add_argument("--time", default="18:00", help="when meetings begin, HH:MM on the wall clock")
    taking.add_argument("--minutes", type=int, default=60, help="how long meetings take")
    taking.add_argument("--claims", action="store_true", help="print a claim link for each active member")
    taking.add_argument("--check", action="store_true", help="only check the files")
    taking.add_argument("--passphrase-file", type=Path, help="for an exported group: a file holding its passphrase")
    taking.add_argument("--json", action="store_true", help="a machine-readable result on standard output")

    giving = command("export-group", export_group, "Write a group into one file, sealed with a passphrase.")
    giving.add_argument("group", help="the group's id")
    giving.add_argument("file", type=Path)
    giving.add_argument(
        "--passphrase-file", type=Path, required=True, help="a file holding the passphrase (12+ characters)"
    )
    giving.add_argument("--json", action="store_true")

    doctor_command = command("doctor", doctor, "Check keys, database, sealed columns, record chains and help lines.")
    doctor_command.add_argument("--json", action="store_true")

    inviting = command("invite", invite, "Make accounts for addresses: mails each a sign-in link, or prints it.")
    inviting.add_argument("address", nargs="+")
    inviting.add_argument("--json", action="store_true")

    ticking = command("tick", tick, "Perform once what fell due.")
    ticking.add_argument("--json", action="store_true")
    return parser


def _start(*, migrate: bool = True) -> None:
    """Django, and the database at its newest tables."""
    _port()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leeward.config.settings")
    import django

    django.setup()
    if migrate:
        _migrate()


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Preparing the database …")
        call_command("migrate", verbosity=0, interactive=False)


def _answer(arguments: argparse.Namespace, result: dict[str, Any], text: str) -> None:
    if arguments.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        say(text)


# serve and demo ----------------------------------------------------------------------------------------------------


def serve(arguments: argparse.Namespace) -> None:
    home = Path(os.environ.get("LEEWARD_HOME", "var"))
    if (home / "demo.json").exists():
        raise CannotDo(f"{home} holds the demo. Serve it with `leeward demo --serve`, or set LEEWARD_HOME elsewhere.")
    _listen_first(again="leeward serve")
    shared = _may_share()
    _lock_home(home, shared=shared)
    _start(migrate=False)
    _lock_database(shared=shared)
    _migrate()
    _serve()


def _listen_first(*, again: str) -> None:
    """Find out that the port is taken before anything else is done. `again` is what to type with another port."""
    host, port = os.environ.get("HOST", "127.0.0.1"), _port()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotDo(
                f"Port {port} on {host} cannot be used: {error.strerror}. Choose another: PORT=8001 {again}"
            ) from error


def _port() -> int:
    port = os.environ.get("PORT", "8000")
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise CannotDo(f"PORT is {port!r}. It must be a number from 1 to 65535.")
    return int(port)


_held: list[Any] = []  # what this web process holds until it ends


def _may_share() -> bool:
    """Whether other web processes may run beside this one: without VALKEY_URL, whoever watches a room at another would
    miss what happens here."""
    from leeward.live import bus

    try:
        trouble = bus.check()
    except ValueError as wrong:
        raise CannotDo(str(wrong)) from wrong
    if trouble:
        say(f"VALKEY_URL does not answer yet: {trouble} Leeward starts all the same and keeps trying.")
    return bool(bus.url())


def _lock_home(home: Path, *, shared: bool) -> None:
    import fcntl

    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(home / WEB_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    _held.append(lock)
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        raise CannotDo(_second(str(home), shared=shared)) from taken


def _lock_database(*, shared: bool) -> None:
    """A PostgreSQL is locked as well: another machine has a home of its own."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    import psycopg

    try:
        held = psycopg.connect(**connection.get_connection_params(), autocommit=True)
    except psycopg.OperationalError as no:
        raise CannotDo(f"The database cannot be reached: {no}") from no
    _held.append(held)
    lock = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    if held.execute(f"SELECT {lock}({WEB_LOCK_POSTGRES})").fetchone() != (True,):
        raise CannotDo(_second("this database", shared=shared))


def _second(what: str, *, shared: bool) -> str:
    if shared:
        return (
            f"A web process without VALKEY_URL already serves {what}. Stop it, and start it again with the same"
            " VALKEY_URL as this one."
        )
    return (
        f"Another web process already serves {what}. Stop it first. To run several, give each the same VALKEY_URL,"
        " like redis://127.0.0.1:6379/0, so that they can tell one another what happens in a room."
    )


def server_settings() -> dict[str, Any]:
    """How uvicorn serves Leeward."""
    return {
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "ws_max_size": 64 * 1024,
        "ws_per_message_deflate": False,  # kilobytes of memory for each socket, and every picture packed anew for each
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "proxy_headers": bool(os.environ.get("BEHIND_PROXY")),
    }


def _serve() -> None:
    import uvicorn
    from django.conf import settings

    from leeward.web.assets import gather

    gather()
    from leeward.config.asgi import application

    say(f"Leeward is at {settings.PUBLIC_URL}/  (Ctrl+C stops it)")
    uvicorn.run(application, host=settings.HOST, port=settings.PORT, **server_settings())


def demo(arguments: argparse.Namespace) -> None:
    home = Path(os.environ.setdefault("LEEWARD_HOME", "var/demo"))
    left = [name for name in OF_A_REAL_SERVER if os.environ.pop(name, "")]
    if left:
        say(f"The demo leaves {', '.join(left)} alone: it keeps all its own in {home}.")
    if arguments.serve:
        _listen_first(again="make run")
    mark = home / "demo.json"
    if home.exists() and not mark.exists() and any(item.name != WEB_LOCK for item in home.iterdir()):
        raise CannotDo(f"{home} holds something that is not a demo. Nothing was touched.")
    made_at = json.loads(mark.read_text()).get("made_at") if mark.exists() else None
    young = made_at is not None and 0 <= time.time() - made_at < DEMO_LASTS
    if not young or arguments.fresh or arguments.serve:
        _lock_home(home, shared=False)
    if not young or arguments.fresh:
        say("Making the demo: a harbour with some weeks behind it …")
        _clear(home)
        mark.write_text("{}")
    _start()
    from leeward.config import demo as harbour

    if not young or arguments.fresh:
        harbour.build(say)
        mark.write_text(json.dumps({"made_at": time.time()}))
    say(harbour.links())
    if arguments.serve:
        _serve()


def _clear(home: Path) -> None:
    """Everything but the lock that this process holds."""
    home.chmod(0o700)
    for item in home.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item, ignore_errors=True)
        elif item.name != WEB_LOCK:
            item.unlink()


# operators ---------------------------------------------------------------------------------------------------------


def invite(arguments: argparse.Namespace) -> None:
    _start()
    from django.conf import settings

    from leeward.lib import clock
    from leeward.lib.tickets import Operator
    from leeward.web.people.entry import account_for

    lines: list[dict[str, Any]] = []

    def make() -> None:
        for address in arguments.address:
            link = account_for(Operator(), address=address, lasts=timedelta(days=7), at=clock.now())
            lines.append({"address": address, "link": link, "mailed": settings.LEEWARD_SENDS_MAIL})

    _in_words(make)
    text = "\n".join(
        f"{line['address']}: {'a letter is on its way' if line['mailed'] else line['link']}" for line in lines
    )
    _answer(arguments, {"invited": lines}, text)


def tick(arguments: argparse.Namespace) -> int:
    _start()
    from leeward.jobs.clock import Unfinished
    from leeward.jobs.clock import tick as perform
    from leeward.lib import clock

    unfinished = None
    try:
        done = perform(at=clock.now())
    except Unfinished as some:
        done, unfinished = some.done, some
    _answer(arguments, done, "\n".join(f"{duty}: {number}" for duty, number in done.items()))
    if unfinished is not None:
        say(f"Not everything could be done: {unfinished}")
    return int(unfinished is not None)


def doctor(arguments: argparse.Namespace) -> int:
    _start(migrate=False)
    from leeward.jobs.doctor import examine
    from leeward.lib import clock

    findings = examine(at=clock.now())
    problems = [finding for finding in findings if not finding["well"]]
    text = "\n".join(f"{'well   ' if f['well'] else 'PROBLEM'}  {f['what']}: {f['words']}" for f in findings)
    _answer(arguments, {"well": not problems, "findings": findings}, text)
    return 1 if problems else 0


def import_group(arguments: argparse.Namespace) -> None:
    _start()
    from leeward.config.moving import take_in

    _in_words(lambda: take_in(arguments, say=say, answer=_answer))


def export_group(arguments: argparse.Namespace) -> None:
    _start()
    from leeward.config.moving import give_out

    _in_words(lambda: give_out(arguments, answer=_answer))


def _in_words(do: Callable[[], None]) -> None:
    """What the domain refuses, in plain words."""
    from leeward.lib.refusals import NotHere, Refusal
    from leeward.web.words import sentence

    try:
        do()
    except Refusal as refusal:
        raise CannotDo(sentence(refusal)) from refusal
    except NotHere as absent:
        raise CannotDo("There is no group with this id.") from absent
    except OSError as error:
        raise CannotDo(f"{error.filename}: {error.strerror}") from error
