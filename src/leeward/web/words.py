"""Every sentence of a refusal and every label of a vocabulary, translatable. Rules name codes; here they speak."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum

from django.core import validators
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leeward.domain.founding.rules import Step
from leeward.domain.groups.rules import Format, Member, Stage, refuse_before_polls
from leeward.domain.meetings.rules import Answer, BlockKind, LeafKind, Standing, Way
from leeward.domain.polls.rules import Change, Outcome
from leeward.domain.room.rules import Voice
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
    "address_unreadable": _("Please give an e-mail address like name@example.org."),
    # groups
    "by_poll_only": _("The group has met by now. A thumbs poll among its members changes this."),
    "founders_decide": _("Until the first meeting is over, whoever founded the group changes this."),
    "core_decides": _("Whoever founded the group has left. Until the first meeting is over, the core changes this."),
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
    "no_help_lines": _("No help line of this group's country has been checked lately. Ask whoever runs this server."),
    # pledge
    "pledge_first": _("First comes your yes to the pledge."),
    "pledge_changed": _("The text has changed meanwhile. Please read it again."),
    "too_many_lines": _("Please keep it to %(most)s sentences."),
    "witness_another": _("It takes three people: who says yes, who heard it, and you."),
    "witness_pledge_first": _("Whoever heard it needs a yes of their own first."),
    "spoken_in_the_room": _("Whoever leads writes this down while the meeting goes on."),
    # meetings
    "zone_unknown": _("Please choose a time zone from the list."),
    "time_unreadable": _("Please give the time like 18:30."),
    "year_out_of_bounds": _("Please check the year: it has to lie between %(least)s and %(most)s."),
    "in_the_past": _("This lies in the past. Please choose a later time."),
    "after_the_poll": _("Thumbs take three days. Please choose a first date after that."),
    "lead_only": _("Whoever leads this meeting does that."),
    "turn_taken": _("Somebody leads already, and somebody stands by."),
    "meeting_over": _("This meeting is over or does not happen."),
    "meeting_open": _("This meeting is going on already."),
    "too_early": _("The room opens at %(opens)s."),
    "agenda_empty": _("Please keep at least one block with minutes."),
    "too_many_blocks": _("Please keep it to %(most)s blocks."),
    "block_minutes": _("A block takes 1 to %(most)s minutes."),
    "agenda_too_long": _("The blocks take %(total)s minutes, but the meeting has %(minutes)s."),
    "too_many_items": _("There are %(most)s topics already. Take one back first."),
    "rsvp_over": _("This meeting is over."),
    "answer_impossible": _("This meeting does not happen that way."),
    "not_sealed": _("There is no record yet: it is sealed when the meeting closes."),
    # polls
    "poll_closed": _("This poll is closed."),
    "not_eligible": _("You were not yet part of this question when it was asked."),
    "too_many_polls": _("There are %(most)s open questions. Let some close first."),
    "found_by_yourself": _("Until the first meeting is over you can change this yourself."),
    "room_is_open": _("A meeting is going on. Ask again when it is over."),
    "asked_already": _("The group is answering this question already."),
    # the room
    "room_closed": _("The meeting is closed."),
    "room_not_now": _("That does not fit just now. Look again."),
    "room_come_in_first": _("First say that you are here."),
    "room_lead_only": _("Whoever leads does that."),
    "room_who": _("Please choose who."),
    "room_not_here": _("They are not here."),
    "room_lead_here": _("The lead is here, or it is too early to take over."),
    "room_extended_enough": _("There was more time often enough."),
    "room_before_start": _("It is not time yet. The meeting can be closed once it could have begun."),
    "room_one_is_no_meeting": _("One person is no meeting. Left alone, the room closes by itself."),
    "room_no_lead": _("They have not said yes to the pledge with a device of their own."),
    "room_own_device": _("They are here with a device of their own and do that themselves."),
    "room_own_step": _("They have written a step of their own."),
    "room_two_words": _("Two words are enough here, and none is fine."),
    "room_hand_up": _("Your hand is up already."),
    "room_no_hand": _("That hand is not up."),
    "room_no_token": _("No token is left. Somebody can give you one; listening is free."),
    "room_no_follow_up": _("A short question is not possible just now."),
    "room_not_your_turn": _("The floor was offered to somebody else."),
    "room_no_floor": _("That person does not have the floor."),
    "room_nobody_to_skip": _("There is nobody to skip."),
    "room_spotlight_taken": _("Somebody took the spotlight already."),
    "room_lines_enough": _("There are enough lines for today."),
    "room_asked_already": _("One question at a time."),
    "room_asked_enough": _("There were enough questions today."),
    "room_own_only": _("A step for one's own eyes only can be written by oneself only."),
    # a group's way in and out
    "who_are_you": _("Please choose which of these people you are."),
    "passphrase_no_file": _("The file with the passphrase is not there. Please check its name."),
    "export_no_folder": _("The folder that this file shall go to is not there."),
    "passphrase_missing": _("Please give a file with the passphrase: --passphrase-file FILE."),
    "import_no_folder": _("There is no such folder, and no such file."),
    "import_nothing": _("Nothing to read: we look for members.csv, attendance.csv or meetings.ics."),
    "import_nobody_active": _("Nobody in these lists is a member now. Please add members.csv with all who are."),
    "import_no_rows": _("No row of these files could be used (%(refused)s were left out)."),
    "import_unreadable": _("%(file)s could not be opened."),
    "import_empty": _("%(file)s is empty."),
    "import_not_utf8": _("%(file)s, line %(line)s: this is not UTF-8 text. Please save the file as CSV UTF-8."),
    "import_line_too_long": _("%(file)s, line %(line)s is longer than %(kib)s KiB. That is not a list of this kind."),
    "import_file_too_large": _("%(file)s is larger than %(mib)s MiB."),
    "import_too_many_lines": _("%(file)s has more than %(most)s lines."),
    "import_too_many_people": _("%(file)s names more than %(most)s people. A group is smaller than that."),
    "import_too_many_meetings": _("%(file)s holds more than %(most)s meetings."),
    "import_too_many_events": _("%(file)s holds more entries than we read at once (at most %(most)s)."),
    "import_unusable": _("%(file)s: over %(most)s rows cannot be used (up to line %(line)s). Is it the right one?"),
    "import_columns_missing": _("%(file)s: the first line has to name its columns. Missing: %(columns)s."),
    "import_columns_twice": _("%(file)s: more than one column could be: %(columns)s. Please rename the others."),
    "import_not_a_calendar": _("%(file)s is not a calendar file: it should begin with BEGIN:VCALENDAR."),
    "passphrase_short": _("Please use a passphrase of at least %(least)s characters. Four words do well."),
    "portable_not_a_group": _("This file is not a group that Leeward wrote."),
    "portable_record_changed": _(
        "Record %(number)s of this file was changed after it was sealed. Nothing was taken in."
    ),
    "portable_version": _("This file is of version %(version)s. This Leeward reads version %(known)s."),
    "portable_too_large": _("This is larger than %(mib)s MiB, which is more than we read at once."),
    "portable_closed": _("It did not open: another passphrase, or the file was changed on the way."),
}

# What a form says of what was typed, instead of the framework's own messages.
FIELD_MESSAGES: dict[str, Words] = {
    "required": _("Please fill this in."),
    "invalid": _("Please check this: it could not be read."),
    "invalid_choice": _("Please choose from the list."),
    "empty": _("This file is empty."),
    "missing": _("Please choose a file."),
}
VALIDATOR_MESSAGES: dict[type, Words] = {
    validators.MaxLengthValidator: _("Please keep this to %(limit_value)s characters: it has %(show_value)s."),
    validators.MinValueValidator: _("Please choose at least %(limit_value)s."),
    validators.MaxValueValidator: _("Please choose at most %(limit_value)s."),
    validators.EmailValidator: _("Please give an e-mail address like name@example.org."),
    validators.ProhibitNullCharactersValidator: _("This holds characters that are not text. Please type it again."),
}

# By vocabulary: two vocabularies may use one code ("online" is a way and an answer).
LABELS: dict[type[Enum], dict[Enum, Words]] = {
    Format: {
        Format.TOPIC_CIRCLE: _("Topic circle"),
        Format.SKILL_POD: _("Skill pod"),
        Format.LIFE_STAGE_COHORT: _("Life-stage group"),
        Format.HYBRID_COMMUNITY: _("Hybrid community"),
    },
    Stage: {
        Stage.INVITED: _("invited"),
        Stage.NEWCOMER: _("new here"),
        Stage.MEMBER: _("member"),
        Stage.PAUSED: _("on a break"),
        Stage.LEFT: _("left"),
    },
    Step: {
        Step.SURVEY: _("Ask around"),
        Step.CORE: _("Five to seven people are in"),
        Step.PURPOSE: _("Say what it is for"),
        Step.PLEDGE: _("Draft a pledge"),
        Step.PLACE: _("Find a room or a link"),
        Step.AGENDA: _("Look at the first agenda"),
        Step.DATE: _("Set a first date"),
    },
    Seen: {
        Seen.PUBLIC: _("everybody"),
        Seen.NETWORK: _("groups of the network"),
        Seen.GROUP: _("the members of this group"),
        Seen.PERSON: _("only you"),
        Seen.SECRET: _("nobody"),
    },
    Keep: {
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
    },
    Way: {
        Way.IN_PERSON: _("in the room"),
        Way.ONLINE: _("online"),
        Way.HYBRID: _("in the room or online"),
    },
    Answer: {
        Answer.ROOM: _("I come, in the room"),
        Answer.ONLINE: _("I come, online"),
        Answer.CANT: _("I can't come"),
    },
    Standing: {
        Standing.PLANNED: _("planned"),
        Standing.CONFIRMED: _("still on"),
        Standing.UNCONFIRMED: _("not confirmed yet"),
        Standing.OPEN: _("going on now"),
        Standing.HELD: _("over"),
        Standing.CANCELLED: _("cancelled"),
        Standing.NOT_HELD: _("did not happen"),
    },
    BlockKind: {
        BlockKind.PLEDGE: _("Our pledge"),
        BlockKind.MOOD: _("How we are"),
        BlockKind.SPOTLIGHT: _("One person's topic"),
        BlockKind.BRAINSTORM: _("Everybody's ideas"),
        BlockKind.PRACTICE: _("Practice"),
        BlockKind.EXPERIENCE: _("What we live through"),
        BlockKind.OPEN: _("Open time"),
        BlockKind.COMMITMENT: _("One step each"),
    },
    LeafKind: {
        LeafKind.ORIGIN: _("Origin"),
        LeafKind.DATE: _("Date"),
        LeafKind.WAY: _("Way"),
        LeafKind.PLACE: _("Place"),
        LeafKind.THEME: _("Theme"),
        LeafKind.TOPIC: _("Topic"),
        LeafKind.STEP: _("Step"),
        LeafKind.NEXT: _("Next date"),
        LeafKind.ADDENDUM: _("Addendum"),
    },
    Voice: {
        Voice.SHARED: _("The talking was shared among you."),
        Voice.UNEVEN: _("The talking was somewhat uneven."),
        Voice.FEW: _("Few voices did most of the talking."),
    },
    Outcome: {
        Outcome.CARRIED: _("carried"),
        Outcome.NOT_CARRIED: _("not carried"),
        Outcome.NOT_ENOUGH_ANSWERED: _("not enough answered"),
    },
    Change: {
        Change.NAME: _("Name"),
        Change.PURPOSE: _("Purpose"),
        Change.COHORT: _("Who we are"),
        Change.FORMAT: _("How we work"),
        Change.CAPACITY: _("Seats"),
        Change.RHYTHM: _("Rhythm"),
        Change.PLEDGE: _("Pledge"),
        Change.TALK: _("Talk tokens"),
    },
}

EXPLAINED: dict[Enum, Words] = {
    Step.SURVEY: _("Talk to people. Who would come, and when do they have an hour?"),
    Step.CORE: _("Five people who say \u201cI'm in\u201d are enough for a first date."),
    Step.PURPOSE: _("One sentence that stands on top of every agenda."),
    Step.PLEDGE: _("A few lines on what stays among you. You agree on it at the first meeting."),
    Step.PLACE: _("Somewhere quiet and free of charge, or a link to meet online."),
    Step.AGENDA: _("An hour has its parts: how we are, one person's topic, everybody's ideas, one next step."),
    Step.DATE: _("Choose a day and an hour. The next dates follow by themselves."),
    Format.TOPIC_CIRCLE: _(
        "Sharing what works: one topic a meeting, then everybody's ideas. Knowing more makes it lighter."
    ),
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
    "event_broken": _("the entry cannot be read"),
    "cancelled": _("the entry was cancelled"),
    "rule_unusual": _("an unusual rule of recurrence"),
    "rule_no_dates": _("the rule of recurrence gives no date"),
    "rules_too_heavy": _("too many rules of recurrence in one file"),
    "too_many_dates": _("more than %(most)s dates"),
}


def row_reason(reason: str, facts: Mapping[str, object]) -> str:
    return str(ROWS[reason]) % facts


def label(value: Enum) -> str:
    return str(LABELS[type(value)][value])


def choices(kind: type[Enum]) -> list[tuple[str, Words]]:
    return [(value.value, LABELS[kind][value]) for value in kind]


def sentence(refusal: Refusal) -> str:
    """The refusal in plain words, with its numbers and dates filled in."""
    return str(REFUSALS[refusal.code]) % {name: _fact(value) for name, value in refusal.facts.items()}


def who_decides(ticket: Member) -> str:
    """Who changes what a group is, for somebody who may not alone; nothing once polls decide."""
    try:
        refuse_before_polls(ticket)
    except Refusal as refusal:
        return sentence(refusal)
    return ""


def _fact(value: object) -> str:
    from leeward.web import moments

    if isinstance(value, Enum) and type(value) in LABELS:
        return label(value)
    if isinstance(value, datetime):
        return moments.day_and_time(value)
    if isinstance(value, date):
        return moments.day(value)
    return str(value)
