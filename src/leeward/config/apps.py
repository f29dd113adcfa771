"""At start: the wiring becomes the one table of consequences."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "leeward.config"
    label = "leeward_config"

    def ready(self) -> None:
        from leeward.config.live import connect as connect_live
        from leeward.config.wiring import WIRING
        from leeward.lib.events import connect

        connect(WIRING)
        connect_live()
