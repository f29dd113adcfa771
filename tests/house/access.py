"""Who may open what: a row for every address. `test_access.py` walks through all of them as everybody.

all        everybody gets the same page
entrance   everybody; who is signed in is led on
mine       the signed-in; others are sent to sign in, or get the not-found page
token      whoever holds it
group      members of the group; everybody else gets the one not-found page
founders   members too, as far as the page's own rule lets them; everybody else the one not-found page
demo       the demo on the machine itself; here the one not-found page
"""

ACCESS: dict[str, str] = {
    "front": "all", "help": "all", "help_country": "all",
    "sign_in": "entrance", "account_login": "entrance", "sign_in_code": "entrance",
    "account_confirm_login_code": "entrance", "passkey_sign_in": "entrance", "passkey_challenge": "entrance",
    "arrived": "entrance", "introduce": "entrance", "sign_out": "entrance", "sign_in_again": "entrance",
    "enter": "token", "invitation": "token", "outbox": "demo",
    "account": "mine", "add_passkey": "mine", "remove_passkey": "mine", "end_visit": "mine", "end_visits": "mine",
    "join_room": "entrance",
    "home": "mine", "found": "mine", "waiting": "mine", "take_seat": "mine", "leave_line": "mine",
    "bring": "mine", "bring_checked": "mine",
    **dict.fromkeys((
        "group", "group_settings", "group_people", "tokens", "pause", "come_back", "say_im_in", "take_back_im_in",
        "leave",
        "invitations", "claim_invitations", "withdraw_invitation",
        "places", "new_place", "place", "retire_place",
        "launch", "take_step", "give_step_back", "mark_step_done",
        "pledge", "draft", "adopt", "agree", "spoken_yes",
        "dates", "rhythm", "record", "record_markdown", "record_csv", "remove_leaf",
        "meeting", "rsvp", "turn", "turn_back", "confirm", "cancel", "change", "agenda", "addendum", "withdraw_item",
        "new_poll", "propose", "poll", "vote", "let_go",
        "room", "open_room", "close_room", "speak_for", "move", "say_mood", "catch_line", "ask", "big_screen",
        "ideas", "let_idea_go", "talk",
    ), "group"),
}  # fmt: skip
