"""From an idea to a first date in 28 days: the launch path and the core of five to seven.

We promise that the path shows what is done, what is next and who took it, and pushes nobody.
"""
