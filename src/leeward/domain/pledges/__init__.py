"""The confidentiality pledge: a short text that the group writes itself, and each member's own yes to it.

We promise that the limits of confidentiality are said before anybody agrees, and that without a yes there is no room
and no record, but always one's own data and the help lines.
"""
