"""Where a group meets: a room, a link, or both.

We promise that a join link is shown to members only, and only from 15 minutes before the meeting.
"""
