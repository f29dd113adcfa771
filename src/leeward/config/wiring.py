"""What follows from what, on one page. A reaction stands higher on the street than the event it hears.

Every event of the house has a line, even when nothing follows; the journal comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leeward.domain.founding import events as founding
from leeward.domain.groups import events as groups
from leeward.domain.journal import actions as journal
from leeward.domain.people import events as people
from leeward.domain.places import events as places
from leeward.lib.events import Event, Reaction

WIRING: Mapping[type[Event], Sequence[Reaction]] = {
    people.PersonJoined: [],
    people.DevicesSignedOut: [],
    groups.GroupFounded: [journal.note],
    groups.GroupChanged: [journal.note],
    groups.InvitationMade: [journal.note],
    groups.InvitationWithdrawn: [journal.note],
    groups.MemberJoined: [journal.note],
    groups.MemberClaimed: [journal.note],
    groups.MemberPaused: [journal.note],
    groups.MemberReturned: [journal.note],
    groups.MemberLeft: [journal.note],
    groups.StoodInLine: [],
    groups.SeatOffered: [],
    groups.SaidImIn: [journal.note],
    places.PlaceAdded: [journal.note],
    places.PlaceChanged: [journal.note],
    places.PlaceRetired: [journal.note],
    founding.LaunchStepTaken: [journal.note],
    founding.LaunchStepGivenBack: [journal.note],
    founding.LaunchStepDone: [journal.note],
}
