"""The floor: the same server, the same statements sent raw, the same number of bytes answered, nothing else.

`python -m benchmarks.floor PLAN PORT` serves the answers of PLAN (see `world.Answer`). The connections are the
product's own (same file, same pragmas, kept open), and every row is fetched. There is no middleware, no template, no
model; `bare` leaves out Django as well and speaks WSGI and `sqlite3` itself.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def _play(cursor: Any, statements: Iterable[tuple[str, list[Any]]]) -> None:
    begun = False
    for sql, values in statements:
        cursor.execute(sql, values)
        begun = begun or sql.startswith("BEGIN")
        if cursor.description:
            cursor.fetchall()
    if begun:
        cursor.execute("COMMIT")


def django_application(plan: dict[str, Any]) -> Any:
    """Bare Django: its handler, its cursor, one view."""
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.db import connection
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    from leeward.config import settings as product

    def answer(request: HttpRequest, place: str) -> HttpResponse:
        planned = plan[place]
        if request.method == "POST":
            request.POST.get("answer")
        with connection.cursor() as cursor:
            _play(cursor, planned["statements"])
        headers = dict(planned["headers"]) | {"Content-Length": str(planned["size"])}
        return HttpResponse(b" " * planned["size"], status=planned["status"], headers=headers)

    settings.configure(
        DATABASES=product.DATABASES, ROOT_URLCONF=(path("<path:place>", answer),), ALLOWED_HOSTS=["*"], MIDDLEWARE=[],
        INSTALLED_APPS=[], SECRET_KEY="bench", USE_TZ=True,
    )  # fmt: skip
    django.setup()
    return get_wsgi_application()


def bare_application(plan: dict[str, Any]) -> Any:
    """No framework: WSGI and `sqlite3`."""
    from leeward.config import settings as product

    own = threading.local()
    database: Any = product.DATABASES["default"]

    def cursor() -> sqlite3.Cursor:
        if not hasattr(own, "cursor"):
            own.connection = sqlite3.connect(database["NAME"], isolation_level=None, timeout=20)
            own.connection.executescript(database["OPTIONS"]["init_command"])
            own.cursor = own.connection.cursor()
        found: sqlite3.Cursor = own.cursor
        return found

    for planned in plan.values():
        planned["statements"] = [(sql.replace("%s", "?"), values) for sql, values in planned["statements"]]

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        planned = plan[environ["PATH_INFO"][1:]]
        _play(cursor(), planned["statements"])
        headers = [*map(tuple, planned["headers"]), ("Content-Length", str(planned["size"]))]
        start(f"{planned['status']} -", headers)
        return [b" " * planned["size"]]

    return application


def main(plan: str, port: str, kind: str) -> None:
    import uvicorn
    from a2wsgi import WSGIMiddleware

    answers = json.loads(Path(plan).read_text())
    pages: Any = WSGIMiddleware(
        {"django": django_application, "bare": bare_application}[kind](answers),
        workers=int(os.environ.get("LEEWARD_THREADS", "8")),
    )

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await pages(scope, receive, send)

    uvicorn.run(
        application, host="127.0.0.1", port=int(port), access_log=False, log_level="warning", server_header=False,
        lifespan="off",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
