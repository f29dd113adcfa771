"""Every address, a line each. `tests/house/access.py` has a row for each of them."""

from __future__ import annotations

from django.urls import path, register_converter

from leeward.lib.ids import ALPHABET, ID_LENGTH, TOKEN_LENGTH
from leeward.web import errors
from leeward.web.commitments import views as commitments
from leeward.web.founding import views as founding
from leeward.web.front import views as front
from leeward.web.groups import views as groups
from leeward.web.ideas import views as ideas
from leeward.web.meetings import views as meetings
from leeward.web.people import views as people
from leeward.web.places import views as places
from leeward.web.pledges import views as pledges
from leeward.web.polls import views as polls
from leeward.web.portability import views as portability
from leeward.web.room import views as room
from leeward.web.safety import views as safety


class Id:
    regex = f"[{ALPHABET}]{{{ID_LENGTH}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Token(Id):
    regex = f"[{ALPHABET}]{{{TOKEN_LENGTH}}}"


register_converter(Id, "id")
register_converter(Token, "token")

urlpatterns = [
    path("", front.front, name="front"),
    # people
    path("sign-in/", people.sign_in, name="sign_in"),
    path("sign-in/", people.sign_in, name="account_login"),
    path("sign-in/code/", people.sign_in_code, name="sign_in_code"),
    path("sign-in/code/", people.sign_in_code, name="account_confirm_login_code"),
    path("sign-in/passkey/", people.passkey_sign_in, name="passkey_sign_in"),
    path("sign-in/passkey/challenge/", people.passkey_challenge, name="passkey_challenge"),
    path("sign-in/again/", people.sign_in_again, name="sign_in_again"),
    path("sign-out/", people.sign_out, name="sign_out"),
    path("enter/<token:token>/", people.enter, name="enter"),
    path("arrived/", people.arrived, name="arrived"),
    path("welcome/", people.introduce, name="introduce"),
    path("account/", people.account, name="account"),
    path("account/passkey/", people.add_passkey, name="add_passkey"),
    path("account/passkey/<int:passkey>/removal/", people.remove_passkey, name="remove_passkey"),
    path("account/devices/<id:visit>/end/", people.end_visit, name="end_visit"),
    path("account/devices/end/", people.end_visits, name="end_visits"),
    path("outbox/", people.letters, name="outbox"),
    # safety
    path("help/", safety.help_now, name="help"),
    path("help/<str:country>/", safety.help_now, name="help_country"),
    # groups
    path("home/", groups.home, name="home"),
    path("found/", groups.found, name="found"),
    path("i/<token:token>/", groups.invitation, name="invitation"),
    path("waiting/<id:waiting>/", groups.waiting, name="waiting"),
    path("waiting/<id:waiting>/seat/", groups.take_seat, name="take_seat"),
    path("waiting/<id:waiting>/leaving/", groups.leave_line, name="leave_line"),
    path("g/<id:group>/", groups.group, name="group"),
    path("g/<id:group>/settings/", groups.settings, name="group_settings"),
    path("g/<id:group>/people/", groups.people, name="group_people"),
    path("g/<id:group>/membership/tokens/", groups.tokens, name="tokens"),
    path("g/<id:group>/membership/pause/", groups.pause, name="pause"),
    path("g/<id:group>/membership/return/", groups.come_back, name="come_back"),
    path("g/<id:group>/membership/core/", groups.say_im_in, name="say_im_in"),
    path("g/<id:group>/membership/core/back/", groups.take_back_im_in, name="take_back_im_in"),
    path("g/<id:group>/membership/leaving/", groups.leave, name="leave"),
    path("g/<id:group>/invitations/", groups.invitations, name="invitations"),
    path("g/<id:group>/invitations/claims/", groups.claim_invitations, name="claim_invitations"),
    path(
        "g/<id:group>/invitations/<id:invitation>/withdrawal/", groups.withdraw_invitation, name="withdraw_invitation"
    ),
    # places
    path("g/<id:group>/places/", places.places, name="places"),
    path("g/<id:group>/places/new/", places.new_place, name="new_place"),
    path("g/<id:group>/places/<id:place>/", places.place, name="place"),
    path("g/<id:group>/places/<id:place>/retirement/", places.retire_place, name="retire_place"),
    # founding
    path("g/<id:group>/launch/", founding.launch, name="launch"),
    path("g/<id:group>/launch/<slug:step>/taken/", founding.take_step, name="take_step"),
    path("g/<id:group>/launch/<slug:step>/returned/", founding.give_step_back, name="give_step_back"),
    path("g/<id:group>/launch/<slug:step>/done/", founding.mark_step_done, name="mark_step_done"),
    # pledges
    path("g/<id:group>/pledge/", pledges.pledge, name="pledge"),
    path("g/<id:group>/pledge/draft/", pledges.draft, name="draft"),
    path("g/<id:group>/pledge/adoption/", pledges.adopt, name="adopt"),
    path("g/<id:group>/pledge/assent/", pledges.agree, name="agree"),
    path("g/<id:group>/pledge/spoken/", pledges.spoken_yes, name="spoken_yes"),
    # meetings
    path("g/<id:group>/meetings/", meetings.dates, name="dates"),
    path("g/<id:group>/rhythm/", meetings.rhythm, name="rhythm"),
    path("g/<id:group>/talk/", meetings.talk, name="talk"),
    path("g/<id:group>/record/", meetings.record, name="record"),
    path("g/<id:group>/record/record.md", meetings.record_markdown, name="record_markdown"),
    path("g/<id:group>/record/record.csv", meetings.record_csv, name="record_csv"),
    path("g/<id:group>/record/leaves/<id:leaf>/removal/", meetings.remove_leaf, name="remove_leaf"),
    path("g/<id:group>/meetings/<id:meeting>/", meetings.meeting, name="meeting"),
    path("g/<id:group>/meetings/<id:meeting>/rsvp/", meetings.rsvp, name="rsvp"),
    path("g/<id:group>/meetings/<id:meeting>/turn/", meetings.turn, name="turn"),
    path("g/<id:group>/meetings/<id:meeting>/turn/back/", meetings.turn_back, name="turn_back"),
    path("g/<id:group>/meetings/<id:meeting>/confirmation/", meetings.confirm, name="confirm"),
    path("g/<id:group>/meetings/<id:meeting>/cancellation/", meetings.cancel, name="cancel"),
    path("g/<id:group>/meetings/<id:meeting>/change/", meetings.change, name="change"),
    path("g/<id:group>/meetings/<id:meeting>/agenda/", meetings.agenda, name="agenda"),
    path("g/<id:group>/meetings/<id:meeting>/addendum/", meetings.addendum, name="addendum"),
    path(
        "g/<id:group>/meetings/<id:meeting>/items/<id:item>/withdrawal/", meetings.withdraw_item, name="withdraw_item"
    ),
    # polls
    path("g/<id:group>/polls/new/", polls.new_poll, name="new_poll"),
    path("g/<id:group>/polls/new/<slug:what>/", polls.propose, name="propose"),
    path("g/<id:group>/polls/<id:poll>/", polls.poll, name="poll"),
    path("g/<id:group>/polls/<id:poll>/thumb/", polls.vote, name="vote"),
    # commitments
    path("g/<id:group>/steps/<id:step>/letting-go/", commitments.let_go, name="let_go"),
    path("come-in/<id:meeting>/", room.join_room, name="join_room"),
    # ideas
    path("g/<id:group>/ideas/", ideas.ideas, name="ideas"),
    path("g/<id:group>/ideas/<id:idea>/letting-go/", ideas.let_go, name="let_idea_go"),
    # portability
    path("bring/", portability.bring, name="bring"),
    path("bring/<id:upload>/", portability.bring_checked, name="bring_checked"),
    # room
    path("g/<id:group>/meetings/<id:meeting>/room/", room.room, name="room"),
    path("g/<id:group>/meetings/<id:meeting>/room/opening/", room.open_room, name="open_room"),
    path("g/<id:group>/meetings/<id:meeting>/room/closing/", room.close_room, name="close_room"),
    path("g/<id:group>/meetings/<id:meeting>/room/screen/", room.big_screen, name="big_screen"),
    path("g/<id:group>/meetings/<id:meeting>/room/moods/mine/", room.say_mood, name="say_mood"),
    path("g/<id:group>/meetings/<id:meeting>/room/lines/new/", room.catch_line, name="catch_line"),
    path("g/<id:group>/meetings/<id:meeting>/room/questions/new/", room.ask, name="ask"),
    path("g/<id:group>/meetings/<id:meeting>/room/for/<id:whom>/", room.speak_for, name="speak_for"),
    path("g/<id:group>/meetings/<id:meeting>/room/<slug:move>/", room.move, name="move"),
]

handler404 = errors.not_found
handler500 = errors.server_error
handler400 = errors.bad_request
handler403 = errors.forbidden
