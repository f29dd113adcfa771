"""Leeward: a home for peer support groups. Eight to twelve equals, an hour every two weeks, the lead in turn."""
