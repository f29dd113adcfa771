"""Static files: the style sheet is its parts in order, one after another. No build step: this runs at start-up."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

ORDER = ("css/00-layers.css", "css/tokens.css", "css/base.css", "css/layout.css", "css/components/*.css",
         "css/pages/*.css", "css/utilities.css", "css/print.css")  # fmt: skip


def style_sheet(source: Path) -> str:
    """The parts under `source` in the order of the layers."""
    parts = [path for pattern in ORDER for path in sorted(source.glob(pattern))]
    return "\n".join(path.read_text() for path in parts)


def gather() -> None:
    """Write the style sheet and copy, name by content, and compress what changed. Nothing to do takes milliseconds."""
    source = settings.STATICFILES_DIRS[0]
    made = Path(settings.STATICFILES_DIRS[1])
    state = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            state.update(f"{path.relative_to(source)} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
    stamp = made / ".stamp"
    if (
        stamp.exists()
        and stamp.read_text() == state.hexdigest()
        and (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
    ):
        return
    (made / "css").mkdir(parents=True, exist_ok=True)
    (made / "css" / "leeward.css").write_text(style_sheet(source))
    call_command(
        "collectstatic", verbosity=0, interactive=False, clear=True, ignore_patterns=["components", "pages", ".stamp"]
    )
    stamp.write_text(state.hexdigest())
