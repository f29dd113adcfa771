"""Every sentence of a refusal and every label of a vocabulary, translatable. Rules name codes; here they speak."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leeward.domain.founding.rules import Step
from leeward.domain.groups.rules import Format, Stage
from leeward.lib.refusals import Refusal
from leeward.lib.register import Keep, Seen

Words = str | Promise

REFUSALS: dict[str, Words] = {
    # what was typed
    "not_text": _("This holds characters that are not text. Please type it again."),
    "missing": _("Please fill this in."),
    "too_short": _("Please write at least %(least)s characters."),
    "too_long": _("Please keep this to %(most)s characters: it is %(over)s too long."),
    "out_of_bounds": _("Please choose a number from %(least)s to %(most)s."),
    "name_starts_oddly": _("Please start the name with a letter or a number."),
    "adults_only": _("Leeward is for people aged %(age)s and over. Please tick the box if that is you."),
    # groups
    "by_poll_only": _("The group has met by now. A thumbs poll among its members changes this."),
    "not_while_paused": _("You are on a break. Come back first, whenever you like."),
    "too_many_open": _("There are %(most)s open invitations. Please withdraw one, or wait until one ends."),
    "already_claimed": _("Somebody has this place by now."),
    "for_another_address": _("This invitation was sent to another address. Ask for a link of your own."),
    "has_a_place_already": _("You have a place in this group already."),
    "name_taken": _("Somebody here has a name that looks like this one. Please choose another."),
    "offer_over": _("This seat is not held for you any more. You can ask for a new invitation."),
    # places
    "link_not_web": _("Please give a link that starts with https:// or http://."),
    "room_or_link": _("Please give an address, a link, or both."),
    "date_far_off": _("Please check the year."),
    "too_many_places": _("There are %(most)s places on the list. Please take one off first."),
    # founding
    "country_not_ready": _("No help line for this country has been checked lately, so no group can open there yet."),
    "core_first": _("A first date needs %(least)s people who said \u201cI'm in\u201d. Still missing: %(missing)s."),
    "step_taken": _("Somebody has taken this step by now."),
    "step_shows_itself": _("This step is done when it shows: there is nothing to tick."),
    "no_such_step": _("There is no such step."),
    "launch_over": _("The group has met: the launch path is behind you."),
    # a group's way in and out
    "import_no_folder": _("There is no such folder."),
    "import_nothing": _("Nothing to read: we look for members.csv, attendance.csv or meetings.ics."),
    "import_no_rows": _("No row of these files could be used (%(refused)s were left out)."),
    "import_unreadable": _("%(file)s could not be opened."),
    "import_empty": _("%(file)s is empty."),
    "import_not_utf8": _("%(file)s, line %(line)s: this is not UTF-8 text. Please save the file as CSV UTF-8."),
    "import_line_too_long": _("%(file)s, line %(line)s is longer than %(kib)s KiB. That is not a list of this kind."),
    "import_file_too_large": _("%(file)s is larger than %(mib)s MiB."),
    "import_too_many_lines": _("%(file)s has more than %(most)s lines."),
    "import_too_many_people": _("%(file)s names more than %(most)s people. A group is smaller than that."),
    "import_too_many_meetings": _("%(file)s holds more than %(most)s meetings."),
    "import_too_many_events": _("%(file)s holds more events than we read at once (at most %(most)s)."),
    "import_unusable": _("%(file)s: more than %(most)s rows cannot be used, up to line %(line)s. Is it the right file?"),
    "import_columns_missing": _("%(file)s: the first line has to name its columns. Missing: %(columns)s."),
    "import_columns_twice": _("%(file)s: more than one column could be: %(columns)s. Please rename the others."),
    "import_not_a_calendar": _("%(file)s is not a calendar file: it should begin with BEGIN:VCALENDAR."),
    "passphrase_short": _("Please use a passphrase of at least %(least)s characters. Four words do well."),
    "portable_not_a_group": _("This file is not a group that Leeward wrote."),
    "portable_version": _("This file is of version %(version)s. This Leeward reads version %(known)s."),
    "portable_too_large": _("This is larger than %(mib)s MiB, which is more than we read at once."),
    "portable_closed": _("It did not open: another passphrase, or the file was changed on the way."),
}

LABELS: dict[Enum, Words] = {
    Format.TOPIC_CIRCLE: _("Topic circle"),
    Format.SKILL_POD: _("Skill pod"),
    Format.LIFE_STAGE_COHORT: _("Life-stage group"),
    Format.HYBRID_COMMUNITY: _("Hybrid community"),
    Stage.INVITED: _("invited"),
    Stage.NEWCOMER: _("new here"),
    Stage.MEMBER: _("member"),
    Stage.PAUSED: _("on a break"),
    Stage.LEFT: _("left"),
    Step.SURVEY: _("Ask around"),
    Step.CORE: _("Five to seven people are in"),
    Step.PURPOSE: _("Say what it is for"),
    Step.PLEDGE: _("Draft a pledge"),
    Step.PLACE: _("Find a room or a link"),
    Step.AGENDA: _("Look at the first agenda"),
    Step.DATE: _("Set a first date"),
    Seen.PUBLIC: _("everybody"),
    Seen.NETWORK: _("groups of the network"),
    Seen.GROUP: _("the members of this group"),
    Seen.PERSON: _("only you"),
    Seen.SECRET: _("nobody"),
    Keep.ACCOUNT: _("as long as your account exists"),
    Keep.GROUP_LIFE: _("as long as the group exists"),
    Keep.MONTHS_13: _("13 months"),
    Keep.MONTHS_24: _("24 months"),
    Keep.UNTIL_CLOSE: _("until it closes"),
    Keep.DAYS_7_AFTER: _("7 days after it ends"),
    Keep.HOURS_48: _("48 hours"),
    Keep.MINUTES_30: _("30 minutes"),
    Keep.DAYS_14: _("14 days"),
    Keep.OPERATOR: _("as long as the operator keeps it"),
}

EXPLAINED: dict[Enum, Words] = {
    Step.SURVEY: _("Talk to people. Who would come, and when do they have an hour?"),
    Step.CORE: _("Five people who say \u201cI'm in\u201d are enough for a first date."),
    Step.PURPOSE: _("One sentence that stands on top of every agenda."),
    Step.PLEDGE: _("A few lines on what stays among you. You agree on it at the first meeting."),
    Step.PLACE: _("Somewhere quiet and free of charge, or a link to meet online."),
    Step.AGENDA: _("An hour has its parts: how we are, one person's topic, everybody's ideas, one next step."),
    Step.DATE: _("Choose a day and an hour. The next dates follow by themselves."),
    Format.TOPIC_CIRCLE: _("Sharing what works: one topic a meeting, then everybody's ideas. Knowing more makes it lighter."),
    Format.SKILL_POD: _("Practising together: a skill, tried out and talked over. Repetition makes it yours."),
    Format.LIFE_STAGE_COHORT: _("People in the same place in life. Hearing \u201cme too\u201d takes the edge off."),
    Format.HYBRID_COMMUNITY: _("Some in the room, some online, every time. Nobody drops out for want of a way in."),
}


# Why a row of an imported file was left out.
ROWS: dict[str, Words] = {
    "no_date": _("no date"),
    "not_a_date": _("the date is not written as YYYY-MM-DD"),
    "date_out_of_range": _("the year is not between %(first)s and %(last)s"),
    "ahead": _("it lies ahead"),
    "role_unknown": _("a role we do not know"),
    "nobody_named": _("nobody is named"),
    "formula": _("the name begins like a formula (= + - @)"),
    "not_text": _("it holds characters that are not text"),
    "name_starts_oddly": _("the name does not start with a letter or a number"),
    "too_long": _("the name is longer than %(most)s characters"),
    "too_many_cells": _("more than %(columns)s cells"),
    "broken_quotes": _("a quotation mark is not closed on its line"),
    "already_listed": _("already listed on line %(first)s"),
    "left_before_joined": _("left before joining"),
    "stints_overlap": _("overlaps with an earlier row of the same person"),
    "too_many_stints": _("more than %(most)s rows of the same person"),
    "not_a_number": _("the count is not a number"),
    "event_broken": _("the event cannot be read"),
    "cancelled": _("the event was cancelled"),
    "rule_unusual": _("an unusual rule of recurrence"),
    "rule_no_dates": _("the rule of recurrence gives no date"),
    "rules_too_heavy": _("too many rules of recurrence in one file"),
    "too_many_dates": _("more than %(most)s dates"),
}


def row_reason(reason: str, facts: Mapping[str, object]) -> str:
    return str(ROWS[reason]) % facts


def label(value: Enum) -> str:
    return str(LABELS[value])


def choices(kind: type[Enum]) -> list[tuple[str, Words]]:
    return [(value.value, LABELS[value]) for value in kind]


def sentence(refusal: Refusal) -> str:
    """The refusal in plain words, with its numbers and dates filled in."""
    return str(REFUSALS[refusal.code]) % {name: _fact(value) for name, value in refusal.facts.items()}


def _fact(value: object) -> str:
    from leeward.web import moments

    if isinstance(value, Enum) and value in LABELS:
        return label(value)
    if isinstance(value, datetime):
        return moments.day_and_time(value)
    if isinstance(value, date):
        return moments.day(value)
    return str(value)
