"""What follows from what, on one page. A reaction stands higher on the street than the event it hears.

Every event of the house has a line, even when nothing follows; the journal comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leeward.config import live
from leeward.domain.commitments import events as commitments
from leeward.domain.founding import events as founding
from leeward.domain.groups import events as groups
from leeward.domain.ideas import events as ideas
from leeward.domain.journal import actions as journal
from leeward.domain.meetings import actions as meetings_actions
from leeward.domain.meetings import events as meetings
from leeward.domain.people import events as people
from leeward.domain.places import events as places
from leeward.domain.pledges import actions as pledges_actions
from leeward.domain.pledges import events as pledges
from leeward.domain.polls import actions as polls_actions
from leeward.domain.polls import events as polls
from leeward.domain.portability import events as portability
from leeward.domain.room import actions as room_actions
from leeward.domain.room import events as room
from leeward.lib.events import Event, Reaction
from leeward.notices import seats

WIRING: Mapping[type[Event], Sequence[Reaction]] = {
    people.PersonJoined: [],
    people.DevicesSignedOut: [live.after_devices_signed_out],
    groups.GroupFounded: [journal.note],
    groups.GroupChanged: [journal.note],
    groups.InvitationMade: [journal.note],
    groups.InvitationWithdrawn: [journal.note],
    groups.MemberJoined: [journal.note],
    groups.MemberClaimed: [journal.note],
    groups.MemberPaused: [journal.note, room_actions.after_member_gone, live.after_member_left],
    groups.MemberReturned: [journal.note],
    groups.MemberLeft: [
        journal.note,
        pledges_actions.after_member_left,
        meetings_actions.after_member_left,
        polls_actions.after_member_left,
        room_actions.after_member_gone,
        live.after_member_left,
    ],
    groups.StoodInLine: [],
    groups.SeatOffered: [seats.after_seat_offered],
    groups.SaidImIn: [journal.note],
    places.PlaceAdded: [journal.note],
    places.PlaceChanged: [journal.note],
    places.PlaceRetired: [journal.note],
    founding.LaunchStepTaken: [journal.note],
    founding.LaunchStepGivenBack: [journal.note],
    founding.LaunchStepDone: [journal.note],
    portability.GroupTakenIn: [],
    meetings.RhythmSet: [journal.note],
    meetings.TalkRulesSet: [journal.note],
    meetings.MeetingPlanned: [],
    meetings.MeetingMoved: [journal.note],
    meetings.MeetingCancelled: [journal.note],
    meetings.MeetingConfirmed: [journal.note],
    meetings.RsvpGiven: [],
    meetings.AgendaChanged: [journal.note],
    meetings.MeetingOpened: [journal.note],
    meetings.MeetingClosed: [journal.note],
    meetings.RecordSealed: [journal.note],
    meetings.RecordCorrected: [journal.note],
    meetings.LeafRemoved: [journal.note],
    ideas.IdeaKept: [],
    ideas.IdeaLetGo: [],
    commitments.CommitmentMade: [],
    commitments.CommitmentLetGo: [],
    room.RoomMoved: [live.after_room_moved],
    room.RoomForgotten: [live.after_room_forgotten],
    pledges.PledgeDrafted: [journal.note],
    pledges.PledgeAdopted: [journal.note],
    pledges.PledgeAgreed: [journal.note],
    polls.PollOpened: [journal.note],
    polls.PollClosed: [journal.note],
}
